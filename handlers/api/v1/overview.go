package v1

import "time"

// BackupOverview says how all stores of the installation are backed up.
type BackupOverview struct {
	Targets []TargetUse     `json:"targets" nullable:"false" doc:"The one in use first."`
	Stores  []BackedUpStore `json:"stores" nullable:"false" doc:"Those that need attention first."`
	Total   int             `json:"total" doc:"How many stores match the query. There are at most as many in the list as limit says."`
	Counts  BackupCounts    `json:"counts"`
}

// BackupCounts are how many stores match the search.
type BackupCounts struct {
	All       int `json:"all"`
	Attention int `json:"attention"`
	Failing   int `json:"failing"`
}

// TargetUse is what a backup target holds.
type TargetUse struct {
	Target        string     `json:"target" doc:"ID of the target."`
	Name          string     `json:"name" example:"Off-site"`
	InUse         bool       `json:"in_use"`
	Points        int        `json:"points" doc:"Number of restore points that are kept."`
	Stores        int        `json:"stores" doc:"Number of stores that they are of."`
	Added         int64      `json:"added_bytes" doc:"What the points added to the target, compressed."`
	NewestPointAt *time.Time `json:"newest_point_at,omitempty"`
	FailedBackups int        `json:"failed_backups" doc:"How many backups have failed since the newest point was made. Only the target in use has any."`
	FailedStores  int        `json:"failed_stores" doc:"Number of stores that they are of."`
	FailingSince  *time.Time `json:"failing_since,omitempty"`
	Failure       *Failure   `json:"failure,omitempty" doc:"Why the last of them failed."`
}

// BackedUpStore is how a store is backed up.
type BackedUpStore struct {
	Store         string     `json:"store" doc:"ID of the store."`
	Name          string     `json:"name" example:"Tea & Tonic"`
	Team          string     `json:"team" doc:"ID of its team."`
	Points        int        `json:"points" doc:"Number of restore points that are kept."`
	Added         int64      `json:"added_bytes" doc:"What the points added to the target, compressed."`
	NewestPointAt *time.Time `json:"newest_point_at,omitempty"`
	Late          bool       `json:"late" doc:"It has no restore point, or none that is as new as its plan asks for."`
	Failure       *Failure   `json:"failure,omitempty" doc:"Why the last backup failed; absent if it didn’t."`
	NextBackupAt  *time.Time `json:"next_backup_at,omitempty" doc:"When the next scheduled backup is due."`
	LastDrill     DrillState `json:"last_drill,omitempty" enum:"passed,failed,cancelled" doc:"Absent if no drill has ended."`
	LastDrillAt   *time.Time `json:"last_drill_at,omitempty" doc:"When it ended."`
	DrillOverdue  bool       `json:"drill_overdue" doc:"No drill has passed for longer than the plan allows."`
}
