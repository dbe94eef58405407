package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"shopwright.dev/shopwright/store"
)

// CheckNow has a store that is ready checked with an order as soon as there is room.
func (db *DB) CheckNow(ctx context.Context, actor store.Actor, id string) (st store.Store, err error) {
	if _, err := db.FindStoreTo(ctx, actor, store.RetryStores, id); err != nil {
		return store.Store{}, err
	}
	err = db.update(ctx, func(t tx) error {
		if st, err = t.lockStore(ctx, id); err != nil {
			return err
		}
		if !st.CanCheck() {
			return &store.Error{Code: store.Conflict, Message: "This store is " + string(st.Status) + ". Only a ready store can be checked."}
		}
		if err := t.checkSoon(ctx, &st, actor.By(), true); err != nil {
			return err
		}
		asked := store.EventOf(st, actor, store.CheckAsked)
		asked.JobID = ""
		return t.append(ctx, asked)
	})
	return st, err
}

// UnguardedCheckSince makes a check of a ready store of any team due now, unless the store was
// checked after that time or a check is due already. It reports whether the store can be checked: a
// store that is being opened or changed can't.
func (db *DB) UnguardedCheckSince(ctx context.Context, id string, since time.Time) (can bool, err error) {
	err = db.update(ctx, func(t tx) error {
		st, err := queryStore(ctx, t, id)
		if can = st.CanCheck(); err != nil || !can || checkedSince(st, since, t.now) {
			return err
		}
		if st, err = t.lockStore(ctx, id); err != nil {
			return err
		}
		if can = st.CanCheck(); !can {
			return nil
		}
		return t.checkSoon(ctx, &st, store.By{}, false)
	})
	if store.ErrorCode(err) == store.NotFound { // it is not of these records
		return false, nil
	}
	return can, err
}

// checkedSince reports whether the store was checked after that moment, or is due to be.
func checkedSince(s store.Store, since time.Time, now int64) bool {
	due := !s.CheckDue.IsZero() && micros(s.CheckDue) <= now
	return due || s.Health.Last.At.After(since)
}

// checkSoon makes a check of a locked store due that is to be made some day, or one of its own. One
// that a person asks for places an order, also when another one goes on: that one is followed by it.
func (t tx) checkSoon(ctx context.Context, st *store.Store, asked store.By, place bool) error {
	job, err := t.pendingCheck(ctx, st.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return t.insertCheck(ctx, st, newCheck(*st, asked, place), st.UpdatedAt)
	}
	if err != nil {
		return err
	}
	job.Due = st.UpdatedAt
	if place {
		job.Priority, job.Place, job.AskedBy = store.Pressed, true, asked
	}
	st.CheckDue, st.CheckAsked = job.Due, job.Priority == store.Pressed
	return t.saveJob(ctx, &job)
}

func newCheck(st store.Store, asked store.By, place bool) store.Job {
	priority := store.Scheduled
	if place {
		priority = store.Pressed
	}
	return store.Job{
		ID: store.NewID(), StoreID: st.ID, ClusterID: st.ClusterID, Kind: store.CheckJob, State: store.JobPending, Priority: priority,
		Args: store.Args{Place: place}, Attempt: 1, AskedBy: asked, AskedAt: st.UpdatedAt,
	}
}

func (t tx) insertCheck(ctx context.Context, st *store.Store, check store.Job, due time.Time) error {
	check.Due = due
	st.CheckDue, st.CheckAsked = due, check.Priority == store.Pressed
	return t.insertJob(ctx, &check)
}

// checkIn has a locked store checked after that time; zero is never.
func (t tx) checkIn(ctx context.Context, st *store.Store, next time.Duration) error {
	if st.CheckDue, st.CheckAsked = (time.Time{}), false; next == 0 {
		return nil
	}
	return t.insertCheck(ctx, st, newCheck(*st, store.By{}, false), st.UpdatedAt.Add(next))
}

func (t tx) pendingCheck(ctx context.Context, storeID string) (j store.Job, err error) {
	err = t.QueryRowContext(ctx, `SELECT `+jobColumns.list("")+` FROM jobs WHERE store_id = $1 AND kind = 'check' AND ended_at = 0`, storeID).
		Scan(jobColumns.of(&j)...)
	if err != nil {
		return store.Job{}, fmt.Errorf("read the check of store %s: %w", storeID, err)
	}
	return j, nil
}

// RecordCheck writes down what came of a check of a claimed store that is ready, and has the next
// one made after that time, or at once when somebody has asked for it meanwhile. Enough failures in
// a row make the store degraded, and one success makes it ready again.
func (db *DB) RecordCheck(ctx context.Context, c store.Claim, check store.Check, next time.Duration) (store.Store, error) {
	check = check.Storable()
	var st store.Store
	err := db.update(ctx, func(t tx) (err error) {
		if st, err = t.lockClaimed(ctx, c); err != nil {
			return err
		}
		check.At = st.UpdatedAt
		job, err := queryJob(ctx, t, c.Job.ID)
		if err != nil {
			return err
		}
		asked := job.Place && !c.Job.Place // since this check was begun
		job.Check, job.Step = check, store.StepCheck
		job.End(store.JobDone, st.UpdatedAt)
		if err := t.saveJob(ctx, &job); err != nil {
			return err
		}
		if asked {
			err = t.insertCheck(ctx, &st, newCheck(st, job.AskedBy, true), st.UpdatedAt)
		} else {
			err = t.checkIn(ctx, &st, next)
		}
		if err != nil {
			return err
		}
		events := st.ApplyCheck(check, c.Job)
		return t.saveWithEvents(ctx, st, events)
	})
	return st, err
}
