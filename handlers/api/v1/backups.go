package v1

import (
	"time"

	"shopwright.dev/shopwright/store"
)

// NewBackup is a request for a restore point.
type NewBackup struct {
	Note string `json:"note,omitempty" maxLength:"1000" example:"before the sale" doc:"Shown in the list of restore points; at most 200 characters."`
}

// Rebuild says with what a store begins again that has lost its data.
type Rebuild struct {
	Point string `json:"point,omitempty" maxLength:"100" example:"019a2b3c-4d5e-7f60-8a9b-0c1d2e3f4a5b" doc:"ID of one of the store’s restore points; empty to start without data."`
}

// Backup is the making of a restore point.
type Backup struct {
	ID      string         `json:"id" example:"019a2b3c-4d5e-7f60-8a9b-0c1d2e3f4a5b" doc:"Also the ID of the restore point, once the backup is done."`
	Store   string         `json:"store" doc:"ID of the store."`
	State   store.JobState `json:"state" enum:"pending,done,failed,cancelled" doc:"Cancelled means that another change of the store was requested."`
	Step    store.Step     `json:"step,omitempty" example:"database" doc:"Current or last step."`
	Note    string         `json:"note,omitempty"`
	Failure *Failure       `json:"failure,omitempty"`
	Actor   string         `json:"actor,omitempty" doc:"Who requested it; empty for Shopwright itself."`
	AskedAt time.Time      `json:"asked_at"`
	BeganAt *time.Time     `json:"began_at,omitempty"`
	EndedAt *time.Time     `json:"ended_at,omitempty"`
}

// BackupDetail is a backup, step by step.
type BackupDetail struct {
	Backup
	Work Work `json:"work"`
}

// Point is a store's database, files and configuration as they were at one time.
type Point struct {
	ID         string            `json:"id" example:"019a2b3c-4d5e-7f60-8a9b-0c1d2e3f4a5b"`
	Store      string            `json:"store" doc:"ID of the store."`
	Reason     store.PointReason `json:"reason" example:"manual" doc:"Why it was made."`
	Note       string            `json:"note,omitempty"`
	Actor      string            `json:"actor,omitempty" doc:"Who requested it; empty for Shopwright itself."`
	Target     string            `json:"target" example:"Off-site" doc:"Name of the backup target."`
	Simulated  bool              `json:"simulated" doc:"Nothing was written: the nodes run no containers."`
	Chart      string            `json:"chart_version,omitempty"`
	Revision   int               `json:"revision,omitempty" doc:"Revision of the Helm release."`
	Generation int64             `json:"generation,omitempty" doc:"Generation of the store."`
	Bytes      int64             `json:"bytes" doc:"Size of the database and the files."`
	Added      int64             `json:"added_bytes" doc:"By how much the repository grew, compressed."`
	Contents   *PointContents    `json:"contents,omitempty" doc:"What the shop had when the point was made; absent if it was not counted."`
	Version    string            `json:"version,omitempty" doc:"Version of the shop’s program."`
	Locked     int               `json:"locked_tables,omitempty" doc:"Number of tables that were locked during the backup because they don’t use InnoDB."`
	Database   *PointPart        `json:"database,omitempty"`
	Files      *PointPart        `json:"files,omitempty"`
	Manifest   string            `json:"manifest_snapshot,omitempty" doc:"restic’s ID of the snapshot with the manifest."`
	BeganAt    time.Time         `json:"began_at"`
	EndedAt    time.Time         `json:"ended_at"`
	Seconds    float64           `json:"seconds" doc:"Duration in seconds."`
}

// PointContents are what a shop had when a restore point was made.
type PointContents struct {
	Orders    int `json:"orders"`
	Products  int `json:"products"`
	Customers int `json:"customers"`
}

// DeletedStore is a deleted store that has restore points.
type DeletedStore struct {
	ID        string    `json:"id" example:"019a2b3c-4d5e-7f60-8a9b-0c1d2e3f4a5b"`
	Team      string    `json:"team" doc:"ID of its team."`
	Name      string    `json:"name" example:"Tea & Tonic"`
	Host      string    `json:"host" example:"tea-and-tonic.localhost" doc:"Host name that it had."`
	Engine    string    `json:"engine"`
	DeletedAt time.Time `json:"deleted_at"`
}

// DeletedStoreList is the deleted stores that have restore points.
type DeletedStoreList struct {
	Stores []DeletedStore `json:"stores" nullable:"false"`
}

// PointPart is the database or the files of a restore point.
type PointPart struct {
	Snapshot string  `json:"snapshot" doc:"restic’s ID of the snapshot."`
	Files    int64   `json:"files,omitempty" doc:"Number of files."`
	Bytes    int64   `json:"bytes"`
	Added    int64   `json:"added_bytes"`
	Seconds  float64 `json:"seconds"`
}

// PointList is a page of a store's restore points.
type PointList struct {
	Points  []Point       `json:"points" nullable:"false"`
	Next    string        `json:"next,omitempty" doc:"Cursor of the next page; absent on the last page."`
	Backup  *Backup       `json:"backup,omitempty" doc:"The store’s newest backup; absent if there was none."`
	Target  string        `json:"target,omitempty" example:"Off-site" doc:"Name of the backup target in use; absent if there is none, so that no store can be backed up, and for a deleted store."`
	Drill   *DrillSummary `json:"drill,omitempty" doc:"How the restore of the store is rehearsed; absent for a deleted store."`
	Deleted bool          `json:"deleted,omitempty" doc:"The store is deleted. New stores can be created with its points."`
}
