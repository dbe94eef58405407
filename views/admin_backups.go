package views

import (
	"strconv"
	"time"
)

// AdminBackupsPage shows how all stores are backed up.
type AdminBackupsPage struct {
	Shell   Shell
	Backups AdminBackups
}

// AdminBackups are the targets, and the stores, those first that need attention.
type AdminBackups struct {
	Targets []AdminTargetUse // the one in use first
	Failing *TargetFailing   // nil unless backups to the target in use fail
	Unused  bool             // there are targets, and none of them is in use
	Next    []NextBackup     // the scheduled backups that are due first
	Day     int              // how many are due within a day

	List    AdminList
	Filter  string        // in the URL; empty for all stores
	Filters []StatusCount // with the number of stores in each
	Rows    []AdminBackupRow
	Empty   bool // there is no target, and no restore point
}

// AdminTargetUse is what a target holds.
type AdminTargetUse struct {
	Name   string
	InUse  bool
	Added  string
	Points int
	Stores int
	Newest time.Time // zero for no point
}

// TargetFailing says that backups to a target fail.
type TargetFailing struct {
	Target  string // its name
	Backups int    // that have failed
	Stores  int    // of so many stores
	Since   time.Time
	Cause   string // of the last one
}

// NextBackup is a scheduled backup that is due.
type NextBackup struct {
	Store string // its name
	At    time.Time
}

// AdminBackupRow is a store in the list.
type AdminBackupRow struct {
	Name    string
	Team    string
	Address string // of its Backups tab; empty if the visitor may not see it
	Points  int
	Added   string
	Newest  BackupCell
	Last    BackupCell
	Next    BackupCell
	Drill   BackupCell
}

// BackupCell says how one thing about a store's backups is.
type BackupCell struct {
	Tone   Tone   // empty for no icon
	Text   string // before the time
	At     time.Time
	As     string // how the time is shown
	Detail string // in a second line; empty for none
}

// Ago is a cell with a time in the past.
func Ago(tone Tone, text string, at time.Time, detail string) BackupCell {
	return BackupCell{Tone: tone, Text: text, At: at, As: asAgo, Detail: detail}
}

// Until is a cell with a time to come.
func Until(at time.Time) BackupCell { return BackupCell{At: at, As: asUntil} }

func failedBackups(f TargetFailing) string {
	have := " have failed"
	if f.Backups == 1 {
		have = " has failed"
	}
	return count(f.Backups, "backup", "backups") + " of " + count(f.Stores, "store", "stores") + have
}

func dueInADay(n int) string { return strconv.Itoa(n) + " due within a day" }

// nothingToDo says that no store matches the filter, which is good.
func nothingToDo(filter string) string {
	if filter == "failing" {
		return "No backup is failing"
	}
	return "No store needs attention"
}
