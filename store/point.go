package store

import (
	"strings"
	"time"
)

// RestorePoint is a store's database, files and configuration as they were at one time. It exists only
// if all of it was written.
type RestorePoint struct {
	ID         string // of the job that made it; the snapshots are tagged with it
	StoreID    string
	TargetID   string
	TargetName string
	Reason     PointReason
	Note       string // of the user who asked for it
	AskedBy    By
	Manifest   Manifest
	BeganAt    time.Time
	EndedAt    time.Time
}

// PointReason says why a point was made.
type PointReason string

// The reasons there are.
const (
	Manual     PointReason = "manual"    // a user asked for it
	OnSchedule PointReason = "scheduled" // the store's plan says how often
	// The store was about to be upgraded or deleted.
	BeforeUpgrade  PointReason = "upgrade"
	BeforeDeletion PointReason = "deletion"
)

// PointArgs say which point a job is to make.
type PointArgs struct {
	Target string      `json:"target,omitempty"` // id
	Reason PointReason `json:"reason,omitempty"`
	Note   string      `json:"note,omitempty"`
	// Cleanup is decided when the run begins; nil until then.
	Cleanup *Cleanup `json:"cleanup,omitempty"`
}

// Cleanup is what a backup deletes once its own point is written.
type Cleanup struct {
	Points []string `json:"points,omitempty"` // ids of those that the plan doesn't keep
	Prune  bool     `json:"prune,omitempty"`  // the data as well that no snapshot uses any more
}

// Empty reports whether there is nothing to delete.
func (c Cleanup) Empty() bool { return len(c.Points) == 0 && !c.Prune }

// CleanupResult is what came of a cleanup. What failed doesn't concern the backup's own point, and the next
// backup does it.
type CleanupResult struct {
	Forgotten bool   `json:"forgotten,omitempty"` // the snapshots of all its points are gone
	Pruned    bool   `json:"pruned,omitempty"`
	Failed    string `json:"failed,omitempty"` // why not all was done, in restic's words
}

// Storable is the result with its text as it is kept.
func (r CleanupResult) Storable() CleanupResult {
	r.Failed = kept(r.Failed)
	return r
}

// pruneEvery is how long data stays that no snapshot uses. Finding it takes much longer than a backup.
const pruneEvery = 7 * 24 * time.Hour

// PruneDue reports whether such data is to be deleted now, if it was last at that time, or if the
// repository is of that time. One that is far ahead is of a clock that was set back.
func PruneDue(now, last time.Time) bool {
	ago := now.Sub(last)
	return ago >= pruneEvery || ago < -pruneEvery
}

// Manifest says what is in a point. It is kept as JSON.
type Manifest struct {
	Repository string `json:"repository,omitempty"` // its name in the target
	Generation int64  `json:"generation,omitempty"` // of the store
	Revision   int    `json:"revision,omitempty"`   // of its release
	Chart      string `json:"chart,omitempty"`      // version
	Version    string `json:"version,omitempty"`    // of the shop's program; empty when it is not known
	// Simulated means that nothing was written, because the nodes run no containers.
	Simulated    bool     `json:"simulated,omitempty"`
	LockedTables int      `json:"locked_tables,omitempty"` // that were locked for the dump, because they have no transactions
	Contents     Contents `json:"contents,omitzero"`
	Database     Part     `json:"database,omitzero"`
	Files        Part     `json:"files,omitzero"`
	Snapshot     string   `json:"snapshot,omitempty"` // of the manifest itself
}

// Contents are what the shop had when the point was made.
type Contents struct {
	Counted   bool `json:"counted"` // a point of before this, or a shop that can't be counted, has none of these
	Orders    int  `json:"orders"`
	Products  int  `json:"products"`
	Customers int  `json:"customers"`
}

// Part is one of the snapshots that a point consists of.
type Part struct {
	Snapshot string        `json:"snapshot"`
	Files    int64         `json:"files,omitempty"`
	Bytes    int64         `json:"bytes"` // that were read
	Added    int64         `json:"added"` // to the repository, compressed
	Took     time.Duration `json:"took"`
}

// Bytes are how large the database and the files were.
func (m Manifest) Bytes() int64 { return m.Database.Bytes + m.Files.Bytes }

// Added is by how much the repository grew.
func (m Manifest) Added() int64 { return m.Database.Added + m.Files.Added }

// Whole reports whether the manifest names all snapshots of a point, or is that of a simulated one.
func (m Manifest) Whole() bool {
	return m.Simulated || m.Database.Snapshot != "" && m.Files.Snapshot != "" && m.Snapshot != ""
}

// Outcome is what there is to tell of a point that was made.
func (p RestorePoint) Outcome() Note {
	if p.Manifest.Simulated {
		return Note{Code: PointSimulated}
	}
	return Note{Code: PointMade, Facts: Facts{
		Bytes: p.Manifest.Bytes(), Added: p.Manifest.Added(), Count: p.Manifest.LockedTables, After: p.EndedAt.Sub(p.BeganAt).Round(100 * time.Millisecond),
	}}
}

// Repository is where a store's points are in a target, and what opens them.
type Repository struct {
	Target   Target
	StoreID  string
	Name     string // in the target; the store's id, or another one if that could not be made
	Password string
}

// URL is how restic names the repository.
func (r Repository) URL() string { return "s3:" + r.Target.Address() + "/" + r.Name }

// Erasure is what is left of a deleted store in a target.
type Erasure struct {
	StoreID string // with which the names of its repositories begin
	Target  Target
}

// CanBackUp reports whether a point can be made of the store now.
func (s Store) CanBackUp() bool {
	return (s.Status == Ready || s.Status == Degraded) && s.Desired == Present && !s.IsDrill()
}

// CleanPointNote returns a note as it is kept, on one line.
func CleanPointNote(text string) (string, error) {
	text = strings.Join(strings.Fields(kept(text)), " ")
	if len([]rune(text)) > 200 {
		return "", Invalidf("note", "Enter a note with at most 200 characters.")
	}
	return text, nil
}

// NewBackup is a job that makes a point of the store.
func (s Store) NewBackup(args PointArgs, actor Actor) Job {
	priority := Pressed
	if args.Reason == OnSchedule {
		priority = Scheduled
	}
	return Job{
		ID: NewID(), StoreID: s.ID, ClusterID: s.ClusterID, Kind: BackupJob, State: JobPending, Priority: priority,
		Args: Args{Point: args}, Attempt: 1, AskedBy: actor.By(), AskedAt: s.UpdatedAt, Due: s.UpdatedAt,
	}
}

// BackupEvent tells of a backup of the store.
func BackupEvent(s Store, job Job, kind Kind, n Note) Event {
	e := NoteEvent(s, Actor{}, kind, n)
	e.JobID, e.Step = job.ID, job.Step
	return e
}

// PointOf is the point that a job has made.
func PointOf(job Job, m Manifest) RestorePoint {
	return RestorePoint{
		ID: job.ID, StoreID: job.StoreID, TargetID: job.Point.Target, Reason: job.Point.Reason, Note: job.Point.Note, AskedBy: job.AskedBy,
		Manifest: m, BeganAt: job.BeganAt, EndedAt: job.EndedAt,
	}
}

// PointQuery asks for some of a store's restore points, newest first. The zero value asks for all of them.
type PointQuery struct {
	After string // id of the point that they follow; empty for the newest
	Limit int    // at most so many; zero for no limit
}

// Backups are the restore points of a store, and what there is to know beside them.
type Backups struct {
	Points []RestorePoint // newest first
	Job    Job            // the newest backup; no ID if there was none
	Target string         // name of the target in use; empty for none
	Every  int            // hours between scheduled backups; zero for never
	Next   time.Time      // when the next scheduled backup is due; zero if none is
	Drills Drills
}
