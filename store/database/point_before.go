package database

import (
	"context"
	"fmt"

	"shopwright.dev/shopwright/store"
)

// changeAfterBackup is [DB.change] with a backup for that reason before it, if there is one. Where no target is in use,
// and of a store that has never sold, there is none. One that has, but can't be backed up, is a Conflict.
func (db *DB) changeAfterBackup(ctx context.Context, actor store.Actor, id string, action store.Action, reason store.PointReason, apply change) (store.Store, error) {
	if _, err := db.FindStoreTo(ctx, actor, action, id); err != nil || reason == "" {
		if err != nil {
			return store.Store{}, err
		}
		return db.tryChange(ctx, id, apply)
	}
	password, err := db.seal(repositoryPasswords(), id, store.NewPassword())
	if err != nil {
		return store.Store{}, err
	}
	// Backups lock the target before they tell of themselves, and so does this.
	targeted := func(t tx, st *store.Store) (store.Event, error) {
		used, err := t.lockUsedTarget(ctx)
		if err != nil {
			return store.Event{}, err
		}
		before := *st
		event, err := apply(t, st)
		if err == nil && used && !before.BacksUp() && before.Sold > 0 {
			err = &store.Error{Code: store.Conflict, Message: "This store is " + string(before.Status) + " and can’t be backed up. Repeat the request without a backup."}
		}
		return event, err
	}
	return db.tryChange(ctx, id, targeted, func(t tx, before store.Store, st *store.Store) error {
		if used, err := t.lockUsedTarget(ctx); err != nil || !used || !before.BacksUp() {
			return err
		}
		backup, err := t.beginBackup(ctx, *st, store.PointArgs{Reason: reason}, actor, password)
		if err != nil {
			return err
		}
		st.WaitFor(backup, before.Was())
		return t.saveJob(ctx, &st.Job)
	})
}

// lockUsedTarget reports whether a target is in use, and keeps it so until the transaction ends.
func (t tx) lockUsedTarget(ctx context.Context) (used bool, err error) {
	_, err = t.lockTarget(ctx, `in_use`)
	if store.ErrorCode(err) == store.NotFound {
		return false, nil
	}
	return err == nil, err
}

// BacksUp reports whether a backup comes before an upgrade or a deletion of the store, if one is wanted: the store can
// be backed up, and a target is in use.
func (db *DB) BacksUp(ctx context.Context, actor store.Actor, st store.Store) (bool, error) {
	if !st.BacksUp() || !actor.May(store.ViewStores, st.TeamID) {
		return false, nil
	}
	_, err := queryTarget(ctx, db.read, `in_use`)
	if store.ErrorCode(err) == store.NotFound {
		return false, nil
	}
	return err == nil, err
}

// goAhead makes the job due that a locked store has waiting for the backup, which is done.
func (t tx) goAhead(ctx context.Context, st store.Store, backup store.Job) error {
	if !st.Job.Waits() || st.Job.After != backup.ID {
		return nil
	}
	st.GoAhead(st.UpdatedAt)
	return t.saveJob(ctx, &st.Job)
}

// abort ends the job that a locked store has waiting for the backup, which has failed. The store is checked soon, as
// it wasn't meanwhile.
func (t tx) abort(ctx context.Context, st store.Store, backup store.Job) error {
	if !st.Job.Waits() || st.Job.After != backup.ID {
		return nil
	}
	aborted := store.FailureEvent(st, store.StoreAborted, backup.Failure)
	aborted.Data.Change = st.Job.Change.Brief()
	st.Abort(store.JobFailed, backup.Failure, st.UpdatedAt)
	aborted.Data.Status = st.Status
	return t.saveAborted(ctx, st, aborted)
}

func (t tx) saveAborted(ctx context.Context, st store.Store, told store.Event) error {
	if err := t.saveJob(ctx, &st.Job); err != nil {
		return err
	}
	if err := t.checkSoon(ctx, &st, store.By{}, false); err != nil {
		return err
	}
	return t.saveWithEvents(ctx, st, []store.Event{told})
}

// stopWaiting cancels a job that waits for a backup, and the backup. done is false if the store has none.
func (db *DB) stopWaiting(ctx context.Context, actor store.Actor, id string) (st store.Store, done bool, err error) {
	err = db.update(ctx, func(t tx) error {
		if st, err = t.lockStore(ctx, id); err != nil {
			return err
		}
		if done = st.Job.Waits(); !done {
			return nil
		}
		if err := t.cancelBackup(ctx, st); err != nil {
			return err
		}
		cancelled := store.ChangeEvent(st, actor, store.ChangeCancelled, st.Job.Change)
		st.Abort(store.JobCancelled, store.Failure{}, st.UpdatedAt)
		cancelled.Data.Status = st.Status
		return t.saveAborted(ctx, st, cancelled)
	})
	if err != nil {
		return st, false, fmt.Errorf("cancel what waits for a backup of store %s: %w", id, err)
	}
	return st, done, nil
}
