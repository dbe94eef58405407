package store

import "context"

// CanCancel reports whether a change is under way that can be ended: the store then goes back to
// the revision that was verified before. The way back itself cannot be.
func (s Store) CanCancel() bool {
	forth := s.Job.Change.To != s.Job.Change.From || s.Job.Change.Kind == OwnerChange
	return s.Status == Upgrading && s.Job.Change.From > 0 && forth
}

// Cancel ends the change that is under way and has the store brought back to what it was.
func (db *DB) Cancel(ctx context.Context, actor Actor, id string) (Store, error) {
	return db.change(ctx, actor, id, UpgradeStores, func(t tx, st *Store) (Event, error) {
		if !st.CanCancel() {
			return Event{}, &Error{Code: Conflict, Message: "Only a change in progress can be cancelled."}
		}
		cancelled := Failure{
			Code: ChangeWasCancelled, Facts: Facts{Person: actor.Name}, Step: st.Job.Step, At: fromMicros(t.now),
		}
		if err := t.settleRevision(ctx, *st, RevisionFailed, cancelled); err != nil {
			return Event{}, err
		}
		event := changeEvent(*st, actor, ChangeCancelled, st.Job.Change)
		st.undo(cancelled, actor)
		return event, nil
	})
}
