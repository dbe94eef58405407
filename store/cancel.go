package store

import (
	"cmp"
	"context"
)

// CanCancel reports whether an upgrade or a rollback is under way that can be ended: the store
// then goes back to the revision that was verified before.
func (s Store) CanCancel() bool {
	return s.Status == Upgrading && s.Change.From > 0 && s.Change.To != s.Change.From
}

// Cancel ends the change that is under way and has the store brought back to what it was.
func (db *DB) Cancel(ctx context.Context, actor Actor, id string) (Store, error) {
	return db.change(ctx, actor, id, UpgradeStores, func(t tx, st *Store) (Event, error) {
		if !st.CanCancel() {
			return Event{}, &Error{Code: Conflict, Message: "Only an upgrade or a rollback that is under way can be cancelled."}
		}
		cancelled := Failure{
			Code: ChangeWasCancelled, Title: "Cancelled", Cause: cmp.Or(actor.Name, Platform) + " cancelled the change.",
			Step: st.Step, At: fromMicros(t.now),
		}
		if err := t.settleRevision(ctx, *st, RevisionFailed, cancelled.Title); err != nil {
			return Event{}, err
		}
		event := storeEvent(*st, actor, ChangeCancelled, st.Change.Note)
		st.Change = st.Change.back(cancelled)
		st.Change.By = actor.by()
		return event, nil
	})
}
