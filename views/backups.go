package views

import (
	"net/url"
	"time"

	"github.com/a-h/templ"
)

// BackupsTab is a store's restore points, and how to make one.
type BackupsTab struct {
	StoreID string
	Form    bool   // whether one can be made
	Why     string // none can be made now; empty if one can or the visitor may not
	List    BackupList
}

// BackupList is what changes in the tab.
type BackupList struct {
	StoreID string
	Running *BackupRunning // nil while no backup is in progress
	Failed  *BackupFailed  // nil unless the newest backup has failed
	Rows    []PointRow     // newest first

	Next      time.Time      // when the next scheduled backup is due; zero if none is
	Unplanned bool           // the plan has no scheduled backups
	Kept      *CleanupFailed // nil unless the newest backup could not delete everything
	Drills    *DrillPane     // nil for a store that was made for a drill
}

// CleanupFailed is what the newest backup could not delete.
type CleanupFailed struct {
	What  string
	Cause string
}

// BackupRunning is a backup in progress.
type BackupRunning struct {
	Step string
	Who  string
	At   time.Time
}

// BackupFailed is why the newest backup failed.
type BackupFailed struct {
	Title string
	Cause string
	Next  string
	At    time.Time
}

// PointRow is a restore point.
type PointRow struct {
	At        time.Time
	Note      string
	Reason    string
	Simulated bool
	Size      string
	Contents  string // such as 1,204 orders, 310 products, 880 customers; empty if they were not counted
	Added     string
	Took      string
	Target    string
	Chart     string
	Who       string
	Locked    string // how many tables were locked meanwhile; empty for none
	Proven    bool   // the newest drill that passed has restored it
	Restore   string // address of the form that restores it as a new store; empty if the visitor may not
}

// DeletedStoresPage lists the deleted stores that have restore points.
type DeletedStoresPage struct {
	Shell  Shell
	Stores []DeletedStore // the one deleted last first
}

// DeletedStore is a deleted store in the list.
type DeletedStore struct {
	ID     string
	Name   string
	Host   string
	Engine string
	Team   string // its name, if the user has several
	At     time.Time
}

// DeletedStorePage lists the restore points of a deleted store.
type DeletedStorePage struct {
	Shell Shell
	Store DeletedStore
	Rows  []PointRow // newest first
}

// AdminTargetsPage lists the backup targets.
type AdminTargetsPage struct {
	Shell    Shell
	Targets  []AdminTargetRow
	Recovery RecoveryCard
}

// RecoveryCard is the key that the platform's own records are encrypted for, and how their backup goes.
type RecoveryCard struct {
	Key    string    // of a key that was just made, to be shown once
	Made   time.Time // zero for no key
	Who    string
	Saved  time.Time // when the records were backed up last; zero for never
	Size   string
	Failed string // why the last try came to nothing; empty if it didn't
	Target string // in use; empty for none
}

// AdminTargetRow is a backup target in the list.
type AdminTargetRow struct {
	ID      string
	Name    string
	Address string
	KeyID   string
	InUse   bool
	Result  *TargetResult // of what was just asked for; nil for nothing
}

// TargetResult is what a request about a target came to.
type TargetResult struct {
	OK   bool
	Text string
}

// AdminTargetPage edits a backup target, or makes one.
type AdminTargetPage struct {
	Shell     Shell
	Title     string
	Action    string
	Submit    string
	Fields    []AdminField // in order
	Secret    AdminField
	CA        AdminField
	PathStyle bool
	InUse     bool
}

func deletedURL(id string) templ.SafeURL { return templ.SafeURL("/backups/" + url.PathEscape(id)) }
