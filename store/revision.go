package store

import "time"

// ChangeKind is the reason for the work on a store.
type ChangeKind string

// The kinds of changes.
const (
	Opening  ChangeKind = ""        // of a store that was never ready
	Rebuild  ChangeKind = "rebuild" // of a store that has lost its data: what is left of it goes first
	Repair   ChangeKind = "repair"
	Upgrade  ChangeKind = "upgrade"
	Rollback ChangeKind = "rollback"
	// OwnerChange applies the revision in place again, with another owner's address.
	OwnerChange ChangeKind = "owner"
)

// Change is the present change of a store, or its last one. It is stored as JSON.
type Change struct {
	Kind ChangeKind `json:"kind,omitempty"`
	// To is the revision whose chart and values are applied again; zero for those that are offered now.
	To int `json:"to,omitempty"`
	// From is the revision that was verified before, to roll back to if the change fails.
	From int `json:"from,omitempty"`
	// Stay leaves a failed change in place for a person to look at.
	Stay bool `json:"stay,omitempty"`
	// Elsewhere says of a [Rebuild] that nothing of the store may be in the cluster: what is there isn't removed, but ends it.
	Elsewhere bool `json:"elsewhere,omitempty"`
	// Chart is the version of the chart that an [Upgrade] goes to.
	Chart string `json:"chart,omitempty"`
	// ChartBefore and RevisionBefore are what was in place when the change was asked for.
	ChartBefore    string `json:"chart_before,omitempty"`
	RevisionBefore int    `json:"revision_before,omitempty"`
	// Images are image versions other than the offered ones, by the name of the image in the chart.
	Images map[string]string `json:"images,omitempty"`
	// OwnerBefore is the owner's address that an [OwnerChange] replaces, and that comes back if it is undone.
	OwnerBefore string `json:"owner_before,omitempty"`
	// Undone is the failure of the previous change, if this change undoes it.
	Undone Failure `json:"undone,omitzero"`
}

// By is who asked for something; empty for the platform itself.
type By struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// By is the actor in the form in which a job stores who asked for it.
func (a Actor) By() By { return By{ID: a.UserID, Name: a.Name} }

// OfOpenShop reports whether the store was ready before the change. Only then can the change be undone.
func (c Change) OfOpenShop() bool {
	return c.Kind == Upgrade || c.Kind == Rollback || c.Kind == OwnerChange
}

// Brief returns the change without the failure that it undoes, which is large.
func (c Change) Brief() Change {
	c.Undone = Failure{}
	return c
}

// Status is the status of a store during the change.
func (c Change) Status() Status {
	if c.OfOpenShop() {
		return Upgrading
	}
	return Provisioning
}

// RevisionState is the state of a revision.
type RevisionState string

// The states of revisions. A gone one was lost with its namespace.
const (
	RevisionPending    RevisionState = "pending"
	RevisionDeployed   RevisionState = "deployed"
	RevisionSuperseded RevisionState = "superseded"
	RevisionFailed     RevisionState = "failed"
	RevisionGone       RevisionState = "gone"
)

// Revision is one entry in the history of a store's release.
type Revision struct {
	Number       int
	Change       Change // what it was for
	ChartVersion string
	Version      string // of the shop's program; empty when it is not known
	Offer        string // digest of the chart and values that were offered then
	State        RevisionState
	Kept         bool    // whether the cluster keeps it
	Failure      Failure // why it failed, without what explains it
	Actor        string  // empty for the platform itself
	BeganAt      time.Time
	EndedAt      time.Time // zero while it is pending
}

// Released is a revision of a store's Helm release that has been put in place.
type Released struct {
	Number       int
	ChartVersion string
	Version      string // of the shop's program
	Offer        string // digest of what is offered now; not used for a revision that is like an earlier one
	Like         int    // the earlier revision whose chart and values it has; zero for those offered now
}

// CanChange reports whether a person may upgrade or roll back the store: it has been ready once, and no
// work on it is in progress.
func (s Store) CanChange() bool {
	return s.Desired == Present && s.Sold > 0 && !s.IsDrill() && (s.Status == Ready || s.Status == Degraded || s.Status == Failed)
}

// CanRollback reports whether a store with that newest revision may go back to this one: it was verified,
// it is not the one in place, and the cluster keeps it. While a failed change is in place, the revision
// verified before it is still called deployed.
func (r Revision) CanRollback(newest int) bool {
	verified := r.State == RevisionSuperseded || r.State == RevisionDeployed
	return verified && r.Kept && r.Number < newest
}

// UpgradeRequest is what a person chooses for an upgrade to what is offered now.
type UpgradeRequest struct {
	Chart  string            // the offered version
	Images map[string]string // see [Change]
	Stay   bool              // see [Change]
	Backup bool              // makes a restore point first, where a target is in use
}

// Point is the reason for the restore point that is made first; empty for none.
func (r UpgradeRequest) Point() PointReason {
	if r.Backup {
		return BeforeUpgrade
	}
	return ""
}

// DeleteRequest is what a person chooses for a deletion.
type DeleteRequest struct {
	Backup bool // makes a restore point first, where a target is in use
}

// Point is the reason for the restore point that is made first; empty for none.
func (r DeleteRequest) Point() PointReason {
	if r.Backup {
		return BeforeDeletion
	}
	return ""
}

// Change returns the change that is asked for, from the revision that was verified last.
func (r UpgradeRequest) Change(from int) Change {
	c := Change{Kind: Upgrade, Chart: kept(r.Chart), From: from, Stay: r.Stay}
	for name, version := range r.Images {
		if c.Images == nil {
			c.Images = map[string]string{}
		}
		c.Images[kept(name)] = kept(version)
	}
	return c
}

// CheckChange returns why the store cannot be upgraded or rolled back now, if it cannot.
func (s Store) CheckChange() error {
	switch {
	case s.CanChange():
		return nil
	case s.Status == Upgrading:
		return &Error{Code: Conflict, Message: "Another change of this store is in progress. Wait until it has finished."}
	case s.Sold == 0:
		return &Error{Code: Conflict, Message: "The store was never ready. Only a store that was ready once can be upgraded or rolled back."}
	}
	return &Error{Code: Conflict, Message: "A store that is " + string(s.Status) + " can’t be upgraded or rolled back."}
}

// Begin starts the change and returns the event that reports it.
func (s *Store) Begin(c Change, actor Actor, kind Kind) Event {
	s.Status = Upgrading
	c.RevisionBefore, c.ChartBefore = s.Revision, s.ChartVersion
	s.StartJob(ChangeJob, c, actor)
	return ChangeEvent(*s, actor, kind, c)
}

// GoesBack reports whether the platform itself undoes the change after that failure.
func (s Store) GoesBack(f Failure) bool {
	return s.CanCancel() && !s.Job.Change.Stay && f.Code != DataLost
}

// Undo replaces the present job of the store by one that undoes it.
func (s *Store) Undo(why Failure, actor Actor) {
	change := s.Job.Change
	if change.Kind == OwnerChange {
		s.OwnerEmail = change.OwnerBefore
	}
	s.StartJob(ChangeJob, change.back(why), actor)
}

// back is the change that undoes this one.
func (c Change) back(why Failure) Change {
	return Change{Kind: Rollback, To: c.From, From: c.From, Undone: why}
}

// GoBack starts the way back to the revision that was verified before. It continues the present work, so
// it does not wait in the queue.
func (s *Store) GoBack(f Failure) []Event {
	step := s.Job.Step
	s.Generation++
	s.Undo(f, Actor{})
	undone := FailureEvent(*s, StoreUndone, f)
	undone.Step = step // at which the change failed
	s.Job.Step, s.Job.BeganAt = StepRelease, s.UpdatedAt
	return []Event{undone, EventOf(*s, Actor{}, StepStarted)}
}

// CanCancel reports whether work is in progress that can be cancelled: the store then goes back to the
// revision that was verified before. That way back cannot be cancelled. What waits for a backup has changed
// nothing yet.
func (s Store) CanCancel() bool {
	forth := s.Job.Change.To != s.Job.Change.From || s.Job.Change.Kind == OwnerChange
	return s.Job.Waits() || s.Status == Upgrading && s.Job.Change.From > 0 && forth
}
