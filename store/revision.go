package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// ChangeKind says how the work on a store came to be wanted.
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

// Change is what a store is being brought to, or was at last. It is kept as JSON.
type Change struct {
	Kind ChangeKind `json:"kind,omitempty"`
	// To is the revision whose chart and values come back; zero for those that are offered now.
	To int `json:"to,omitempty"`
	// From is the revision that sold before, to go back to when the change fails.
	From int `json:"from,omitempty"`
	// Stay keeps what has failed in place, for a person to look at.
	Stay bool `json:"stay,omitempty"`
	// Chart is the version of the chart that an [Upgrade] goes to.
	Chart string `json:"chart,omitempty"`
	// ChartBefore and RevisionBefore are what was in place when the change was asked for.
	ChartBefore    string `json:"chart_before,omitempty"`
	RevisionBefore int    `json:"revision_before,omitempty"`
	// Images are versions other than those that are offered, by the chart's name of the image.
	Images map[string]string `json:"images,omitempty"`
	// OwnerBefore is the owner's address that an [OwnerChange] replaces, which comes back with it.
	OwnerBefore string `json:"owner_before,omitempty"`
	// Undone is why the change before this one failed, which this one undoes.
	Undone Failure `json:"undone,omitzero"`
}

// By is who asked for something; empty for the platform itself.
type By struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// by is the actor as a job keeps it: who asked for it.
func (a Actor) by() By { return By{ID: a.UserID, Name: a.Name} }

// OfOpenShop reports whether the store was ready before the change, which can be undone.
func (c Change) OfOpenShop() bool {
	return c.Kind == Upgrade || c.Kind == Rollback || c.Kind == OwnerChange
}

// bare is the change without what it undoes, which is much.
func (c Change) bare() Change {
	c.Undone = Failure{}
	return c
}

// status is that of a store while the change is brought about.
func (c Change) status() Status {
	if c.OfOpenShop() {
		return Upgrading
	}
	return Provisioning
}

// RevisionState is what became of a revision.
type RevisionState string

// The states of revisions. One that is gone was lost with its namespace.
const (
	RevisionPending    RevisionState = "pending"
	RevisionDeployed   RevisionState = "deployed"
	RevisionSuperseded RevisionState = "superseded"
	RevisionFailed     RevisionState = "failed"
	RevisionGone       RevisionState = "gone"
)

// revisionsKept is how many of a store's revisions its cluster keeps: so many that succeeded,
// and so many that failed. Those that are needed still come on top.
const revisionsKept = 10

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

// RecordRelease writes down that a revision is in place, for the change that is being made.
// Doing it again changes nothing.
func (db *DB) RecordRelease(ctx context.Context, c Claim, r Released) (Store, error) {
	return db.work(ctx, c, func(t tx, st *Store) ([]Event, error) {
		st.Job.Applied = r.Number
		st.Revision, st.ChartVersion, st.Job.Message = r.Number, r.ChartVersion, fmt.Sprintf("Revision %d", r.Number)
		return []Event{told(storeEvent(*st, Actor{}, StepProgressed), st.Job.Message)}, t.insertRevision(ctx, *st, r)
	})
}

// insertRevision ends what the new revision takes the place of. Numbers begin anew in a
// namespace that was made anew: those from before are gone.
func (t tx) insertRevision(ctx context.Context, st Store, r Released) error {
	for _, statement := range []struct {
		text string
		args []any
	}{
		{`UPDATE revisions SET state = 'gone', kept = FALSE WHERE store_id = $1 AND generation < $2 AND number >= $3`, []any{st.ID, st.Generation, r.Number}},
		// One that is replaced while it is pending was never verified: there is no way back to it.
		{`UPDATE revisions SET state = 'superseded', kept = FALSE, ended_at = $3 WHERE store_id = $1 AND state = 'pending' AND number < $2`, []any{st.ID, r.Number, t.now}},
		{`INSERT INTO revisions (store_id, number, generation, change, chart_version, version, offer, state, kept, failure, actor_id, actor, began_at, ended_at)
			VALUES ($1, $2, $3, $4, $5, $11,
				COALESCE((SELECT offer FROM revisions WHERE store_id = $1 AND number = $10 ORDER BY generation DESC LIMIT 1), $6),
				'pending', TRUE, '{}', $7, $8, $9, 0) ON CONFLICT DO NOTHING`,
			[]any{st.ID, r.Number, st.Generation, document{new(st.Job.Change.bare())}, r.ChartVersion, r.Offer, st.Job.AskedBy.ID, st.Job.AskedBy.Name, micros(st.Job.AskedAt), r.Like, r.Version}},
	} {
		if _, err := t.ExecContext(ctx, statement.text, statement.args...); err != nil {
			return fmt.Errorf("record revision %d of store %s: %w", r.Number, st.ID, err)
		}
	}
	return nil
}

// settleRevision says what became of the pending revision, if there is one.
func (t tx) settleRevision(ctx context.Context, st Store, state RevisionState, why Failure) error {
	if state == RevisionDeployed {
		_, err := t.ExecContext(ctx, `UPDATE revisions SET state = 'superseded' WHERE store_id = $1 AND state = 'deployed'`, st.ID)
		if err != nil {
			return fmt.Errorf("supersede the revisions of store %s: %w", st.ID, err)
		}
	}
	_, err := t.ExecContext(ctx, `UPDATE revisions SET state = $2, failure = $3, ended_at = $4 WHERE store_id = $1 AND state = 'pending'`,
		st.ID, state, document{new(why.bare())}, t.now)
	if err != nil {
		return fmt.Errorf("settle the revision of store %s: %w", st.ID, err)
	}
	return nil
}

// prune marks the revisions that the cluster need not keep any more. Those with which the store
// was ready last, that are in place, or that its change comes from or goes to are never among them.
func (t tx) prune(ctx context.Context, st Store) error {
	_, err := t.ExecContext(ctx, `
		UPDATE revisions SET kept = FALSE
		WHERE store_id = $1 AND kept AND number NOT IN ($2, $3, $4, $5) AND number NOT IN (
			SELECT number FROM revisions WHERE store_id = $1 AND kept AND state <> 'failed' ORDER BY number DESC LIMIT $6)
		AND number NOT IN (
			SELECT number FROM revisions WHERE store_id = $1 AND kept AND state = 'failed' ORDER BY number DESC LIMIT $6)`,
		st.ID, st.Sold, st.Revision, st.Job.Change.From, st.Job.Change.To, revisionsKept)
	if err != nil {
		return fmt.Errorf("prune the revisions of store %s: %w", st.ID, err)
	}
	return nil
}

// ForgetRevision writes down that the cluster does not keep a revision of a claimed store any
// more, as when somebody has deleted it there.
func (db *DB) ForgetRevision(ctx context.Context, c Claim, number int) error {
	_, err := db.work(ctx, c, func(t tx, st *Store) ([]Event, error) {
		_, err := t.ExecContext(ctx, `UPDATE revisions SET kept = FALSE WHERE store_id = $1 AND number = $2`, st.ID, number)
		if err != nil {
			return nil, fmt.Errorf("forget revision %d of store %s: %w", number, st.ID, err)
		}
		return nil, nil
	})
	return err
}

// Revisions returns the history of a store's release, newest first.
func (db *DB) Revisions(ctx context.Context, storeID string) ([]Revision, error) {
	return queryRevisions(ctx, db.read, storeID)
}

// RevisionBefore returns the number of the revision that the cluster keeps of those before that
// one; zero for the first one, which nothing comes before.
func (db *DB) RevisionBefore(ctx context.Context, storeID string, number int) (before int, err error) {
	err = db.read.QueryRowContext(ctx, `
		SELECT COALESCE(MAX(number), $2 - 1) FROM revisions WHERE store_id = $1 AND kept AND number < $2`, storeID, number).Scan(&before)
	if err != nil {
		return 0, fmt.Errorf("look for the revision before %d of store %s: %w", number, storeID, err)
	}
	return before, nil
}

func queryRevisions(ctx context.Context, q querier, storeID string) ([]Revision, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT number, change, chart_version, version, offer, state, kept, failure, actor, began_at, ended_at
		FROM revisions WHERE store_id = $1 ORDER BY generation DESC, number DESC`, storeID)
	revisions, err := collect(rows, err, scanRevision)
	if err != nil {
		return nil, fmt.Errorf("read the revisions of store %s: %w", storeID, err)
	}
	return revisions, nil
}

func scanRevision(row scanner) (r Revision, err error) {
	var began, ended int64
	err = row.Scan(&r.Number, document{&r.Change}, &r.ChartVersion, &r.Version, &r.Offer, &r.State, &r.Kept, document{&r.Failure}, &r.Actor, &began, &ended)
	r.BeganAt, r.EndedAt = fromMicros(began), fromMicros(ended)
	return r, err
}

// CanChange reports whether a person may have the store upgraded or rolled back: it has been
// ready, and nobody works on it.
func (s Store) CanChange() bool {
	return s.Desired == Present && s.Sold > 0 && (s.Status == Ready || s.Status == Degraded || s.Status == Failed)
}

// CanRollback reports whether a store whose newest revision is that may go back to this one:
// it was verified, it is not the one in place, and the cluster keeps it. Under a change that has
// failed, the one that was verified before is still called deployed.
func (r Revision) CanRollback(newest int) bool {
	verified := r.State == RevisionSuperseded || r.State == RevisionDeployed
	return verified && r.Kept && r.Number < newest
}

// UpgradeRequest is what a person decides about an upgrade to what is offered now.
type UpgradeRequest struct {
	Chart  string            // version that is offered
	Images map[string]string // see [Change]
	Stay   bool              // see [Change]
}

// change is what the store is brought to.
func (r UpgradeRequest) change(from int) Change {
	c := Change{Kind: Upgrade, Chart: kept(r.Chart), From: from, Stay: r.Stay}
	for name, version := range r.Images {
		if c.Images == nil {
			c.Images = map[string]string{}
		}
		c.Images[kept(name)] = kept(version)
	}
	return c
}

// Upgrade has a store brought to what is offered now. Unless it is to stay, it goes back by
// itself when the upgrade fails.
func (db *DB) Upgrade(ctx context.Context, actor Actor, id string, r UpgradeRequest) (Store, error) {
	return db.change(ctx, actor, id, UpgradeStores, func(_ tx, st *Store) (Event, error) {
		if err := st.checkChange(); err != nil {
			return Event{}, err
		}
		return st.begin(r.change(st.Sold), actor, UpgradeAsked), nil
	})
}

// Rollback has a store brought back to the chart and the values of an earlier revision. Its
// data stay as they are.
func (db *DB) Rollback(ctx context.Context, actor Actor, id string, to int) (Store, error) {
	return db.change(ctx, actor, id, UpgradeStores, func(t tx, st *Store) (Event, error) {
		if err := st.checkChange(); err != nil {
			return Event{}, err
		}
		revisions, err := queryRevisions(ctx, t, id)
		if err != nil {
			return Event{}, err
		}
		if !slices.ContainsFunc(revisions, func(r Revision) bool { return r.Number == to && r.CanRollback(st.Revision) }) {
			return Event{}, &Error{Code: Conflict, Message: fmt.Sprintf("The store can’t roll back to revision %d: it was never verified, is the current one, or no longer exists.", to)}
		}
		return st.begin(Change{Kind: Rollback, To: to, From: st.Sold}, actor, RollbackAsked), nil
	})
}

// checkChange returns why the store cannot be upgraded or rolled back now, if it cannot.
func (s Store) checkChange() error {
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

// begin sets the store on its way to what the change brings, and tells of it.
func (s *Store) begin(c Change, actor Actor, kind Kind) Event {
	s.Status = Upgrading
	c.RevisionBefore, c.ChartBefore = s.Revision, s.ChartVersion
	s.startJob(ChangeJob, c, actor)
	return changeEvent(*s, actor, kind, c)
}

// goesBack reports whether a failure is undone by the platform itself.
func (s Store) goesBack(f Failure) bool {
	return s.CanCancel() && !s.Job.Change.Stay && f.Code != DataLost
}

// undo gives the store the job that undoes the present one.
func (s *Store) undo(why Failure, actor Actor) {
	change := s.Job.Change
	if change.Kind == OwnerChange {
		s.OwnerEmail = change.OwnerBefore
	}
	s.startJob(ChangeJob, change.back(why), actor)
}

// back is the change that undoes this one.
func (c Change) back(why Failure) Change {
	return Change{Kind: Rollback, To: c.From, From: c.From, Undone: why}
}

// goBack sets the store on its way to the revision that sold before. It is work that goes on:
// it does not wait in the queue.
func (s *Store) goBack(f Failure) []Event {
	step := s.Job.Step
	s.Generation++
	s.undo(f, Actor{})
	undone := failureEvent(*s, StoreUndone, f)
	undone.Step = step // at which the change failed
	s.Job.Step, s.Job.BeganAt = StepRelease, s.UpdatedAt
	return []Event{undone, storeEvent(*s, Actor{}, StepStarted)}
}
