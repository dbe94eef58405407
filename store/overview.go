package store

import (
	"cmp"
	"slices"
	"time"
)

// BackupOverview says how all stores of the installation are backed up.
type BackupOverview struct {
	Targets []TargetUse     // the one in use first, the others by name
	Next    []BackedUpStore // with the scheduled backups that are due first, soonest first; at most three
	Day     int             // how many scheduled backups are due within a day
	Stores  []BackedUpStore // of the page: those that need attention first
	Total   int             // how many match the query, on all pages
	Counts  map[BackupFilter]int
}

// TargetUse is what a backup target holds, and whether backups to it fail.
type TargetUse struct {
	Target Target // without its secret
	Points int    // that are kept
	Stores int    // that they are of
	Added  int64  // bytes that its repositories grew by with these points
	Newest time.Time

	// Failed are the backups that have failed since the newest point was made. Only the target in use has any.
	Failed       int
	FailedStores int       // of so many stores
	FailedSince  time.Time // when the first of them did
	Failure      Failure   // of the last of them
}

// BackedUpStore is how a store is backed up.
type BackedUpStore struct {
	StoreID   string
	Name      string
	TeamID    string
	Team      string
	Status    Status
	Desired   Desired
	Simulated bool // the nodes of its cluster run no containers: its points hold nothing
	Plan      Plan // its name, label and schedule
	ReadyAt   time.Time

	Points int       // that are kept
	Added  int64     // bytes that its repositories grew by with them
	Newest time.Time // when the newest of them was made; zero for none
	Job    Job       // state, times and failure of the newest backup; no ID if there was none
	Next   time.Time // when the next scheduled backup is due; zero if none is

	Late         bool  // it has no point, or none that is as new as its plan asks for
	Drill        Drill // the newest one that has ended, without its store; no ID if there is none
	DrillOverdue bool
}

// Failing reports whether the store's last backup or its last drill has failed.
func (s BackedUpStore) Failing() bool { return s.Job.State == JobFailed || s.DrillFailed() }

// DrillFailed reports whether the last drill has failed. One that somebody has cancelled has not.
func (s BackedUpStore) DrillFailed() bool {
	return s.Drill.Failure.Code != "" && s.Drill.Failure.Code != DrillWasCancelled
}

// NeedsAttention reports whether somebody has to look after the store's backups.
func (s BackedUpStore) NeedsAttention() bool { return s.Late || s.Failing() || s.DrillOverdue }

// CanBackUp reports whether a point can be made of the store now.
func (s BackedUpStore) CanBackUp() bool {
	return Store{Status: s.Status, Desired: s.Desired}.CanBackUp()
}

// backupTakes is how long a scheduled backup may wait for its turn and run before the store counts as late.
const backupTakes = time.Hour

// IsLate reports whether the store has no point that is as new as its plan asks for. One that was just opened has
// time for its first backup.
func (s BackedUpStore) IsLate(now time.Time) bool {
	if s.Plan.BackupEvery == 0 || s.ReadyAt.IsZero() {
		return false
	}
	since := s.Newest
	if since.IsZero() {
		since = s.ReadyAt
	}
	return now.Sub(since) > time.Duration(s.Plan.BackupEvery)*time.Hour+backupTakes
}

// urgency orders stores: the smaller, the sooner somebody should look.
func (s BackedUpStore) urgency() int {
	switch {
	case s.Late && s.Newest.IsZero():
		return 0
	case s.Late:
		return 1
	case s.Failing():
		return 2
	case s.DrillOverdue:
		return 3
	}
	return 4
}

// BackupFilter selects stores by how they are backed up.
type BackupFilter string

// The filters there are.
const (
	AnyBackups       BackupFilter = ""
	BackupsAttention BackupFilter = "attention"
	BackupsFailing   BackupFilter = "failing"
)

// BackupFilters are the filters to choose from.
func BackupFilters() []BackupFilter {
	return []BackupFilter{AnyBackups, BackupsAttention, BackupsFailing}
}

func (f BackupFilter) selects(s BackedUpStore) bool {
	switch f {
	case BackupsAttention:
		return s.NeedsAttention()
	case BackupsFailing:
		return s.Failing()
	default:
		return true
	}
}

// OverviewQuery selects stores for the overview of backups.
type OverviewQuery struct {
	Page
	Filter BackupFilter
}

// nextShown is how many of the scheduled backups are named that are due next.
const nextShown = 3

// Schedule tells when the next scheduled backups of the stores are due.
func (o *BackupOverview) Schedule(all []BackedUpStore, now time.Time) {
	for _, s := range all {
		if s.Next.IsZero() {
			continue
		}
		o.Next = append(o.Next, s)
		if s.Next.Before(now.Add(24 * time.Hour)) {
			o.Day++
		}
	}
	slices.SortStableFunc(o.Next, func(a, b BackedUpStore) int { return a.Next.Compare(b.Next) })
	o.Next = o.Next[:min(len(o.Next), nextShown)]
}

// Select fills in the page that the query asks for, of the stores that were found, which are in order of their names.
func (o *BackupOverview) Select(found []BackedUpStore, q OverviewQuery) {
	o.Counts = map[BackupFilter]int{}
	var selected []BackedUpStore
	for _, s := range found {
		for _, f := range BackupFilters() {
			if f.selects(s) {
				o.Counts[f]++
			}
		}
		if q.Filter.selects(s) {
			selected = append(selected, s)
		}
	}
	slices.SortStableFunc(selected, func(a, b BackedUpStore) int {
		order := cmp.Compare(a.urgency(), b.urgency())
		if a.Late && b.Late {
			order = cmp.Or(order, a.Newest.Compare(b.Newest))
		}
		return order
	})
	o.Total = len(selected)
	from := min(q.Offset, len(selected))
	o.Stores = selected[from:min(from+q.Limit, len(selected))]
}
