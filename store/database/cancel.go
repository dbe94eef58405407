package database

import (
	"context"

	"shopwright.dev/shopwright/store"
)

// Cancel ends the change that is under way and has the store brought back to what it was.
func (db *DB) Cancel(ctx context.Context, actor store.Actor, id string) (store.Store, error) {
	if _, err := db.FindStoreTo(ctx, actor, store.UpgradeStores, id); err != nil {
		return store.Store{}, err
	}
	if st, done, err := db.stopWaiting(ctx, actor, id); done || err != nil {
		return st, err
	}
	return db.change(ctx, actor, id, store.UpgradeStores, func(t tx, st *store.Store) (store.Event, error) {
		if !st.CanCancel() {
			return store.Event{}, &store.Error{Code: store.Conflict, Message: "Only a change in progress can be cancelled."}
		}
		cancelled := store.Failure{
			Code: store.ChangeWasCancelled, Facts: store.Facts{Person: actor.Name}, Step: st.Job.Step, At: fromMicros(t.now),
		}
		if err := t.settleRevision(ctx, *st, store.RevisionFailed, cancelled); err != nil {
			return store.Event{}, err
		}
		event := store.ChangeEvent(*st, actor, store.ChangeCancelled, st.Job.Change)
		st.Undo(cancelled, actor)
		return event, nil
	})
}
