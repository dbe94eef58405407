package database

import (
	"context"
	"fmt"
	"slices"

	"shopwright.dev/shopwright/store"
)

// revisionsKept is how many successful and how many failed revisions of a store its cluster keeps, of
// each kind. Revisions still in use are kept as well.
const revisionsKept = 10

// RecordRelease records that the revision of the present change is in place. Recording it again adds no
// second revision.
func (db *DB) RecordRelease(ctx context.Context, c store.Claim, r store.Released) (store.Store, error) {
	return db.work(ctx, c, func(t tx, st *store.Store) ([]store.Event, error) {
		st.Job.Applied = r.Number
		st.Revision, st.ChartVersion = r.Number, r.ChartVersion
		st.Job.Note = store.Note{Code: store.ReleaseRecorded, Facts: store.Facts{Revision: r.Number}}
		return []store.Event{store.NoteEvent(*st, store.Actor{}, store.StepProgressed, st.Job.Note)}, t.insertRevision(ctx, *st, r)
	})
}

// insertRevision records a revision and ends those that it replaces. In a recreated namespace the numbers
// start again, so earlier revisions with the same or higher numbers are gone.
func (t tx) insertRevision(ctx context.Context, st store.Store, r store.Released) error {
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
			[]any{st.ID, r.Number, st.Generation, document{new(st.Job.Change.Brief())}, r.ChartVersion, r.Offer, st.Job.AskedBy.ID, st.Job.AskedBy.Name, micros(st.Job.AskedAt), r.Like, r.Version}},
	} {
		if _, err := t.ExecContext(ctx, statement.text, statement.args...); err != nil {
			return fmt.Errorf("record revision %d of store %s: %w", r.Number, st.ID, err)
		}
	}
	return nil
}

// settleRevision sets the state of the pending revision, if there is one.
func (t tx) settleRevision(ctx context.Context, st store.Store, state store.RevisionState, why store.Failure) error {
	if state == store.RevisionDeployed {
		_, err := t.ExecContext(ctx, `UPDATE revisions SET state = 'superseded' WHERE store_id = $1 AND state = 'deployed'`, st.ID)
		if err != nil {
			return fmt.Errorf("supersede the revisions of store %s: %w", st.ID, err)
		}
	}
	_, err := t.ExecContext(ctx, `UPDATE revisions SET state = $2, failure = $3, ended_at = $4 WHERE store_id = $1 AND state = 'pending'`,
		st.ID, state, document{new(why.Brief())}, t.now)
	if err != nil {
		return fmt.Errorf("settle the revision of store %s: %w", st.ID, err)
	}
	return nil
}

// prune marks the revisions that the cluster need not keep any more. It leaves the one verified last, the
// one in place, and those that the present change comes from and goes to.
func (t tx) prune(ctx context.Context, st store.Store) error {
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

// ForgetRevision records that the cluster no longer keeps a revision of a claimed store, for example
// because somebody deleted it there.
func (db *DB) ForgetRevision(ctx context.Context, c store.Claim, number int) error {
	_, err := db.work(ctx, c, func(t tx, st *store.Store) ([]store.Event, error) {
		_, err := t.ExecContext(ctx, `UPDATE revisions SET kept = FALSE WHERE store_id = $1 AND number = $2`, st.ID, number)
		if err != nil {
			return nil, fmt.Errorf("forget revision %d of store %s: %w", number, st.ID, err)
		}
		return nil, nil
	})
	return err
}

// Revisions returns the history of a store's release, newest first. A store that the actor may not
// see has none.
func (db *DB) Revisions(ctx context.Context, actor store.Actor, storeID string) ([]store.Revision, error) {
	where, args := visible(actor, 2)
	return queryRevisions(ctx, db.read, where, append([]any{storeID}, args...)...)
}

// ClaimedRevisions returns the history of the release of a claimed store, newest first.
func (db *DB) ClaimedRevisions(ctx context.Context, c store.Claim) ([]store.Revision, error) {
	return queryRevisions(ctx, db.read, "TRUE", c.Store.ID)
}

// RevisionBefore returns the number of the newest revision before that one which the cluster keeps. If
// there is none, or the actor may not see the store, it returns number - 1.
func (db *DB) RevisionBefore(ctx context.Context, actor store.Actor, storeID string, number int) (before int, err error) {
	where, args := visible(actor, 3)
	err = db.read.QueryRowContext(ctx, `
		SELECT COALESCE(MAX(number), $2 - 1) FROM revisions WHERE store_id = $1 AND kept AND number < $2 AND `+where,
		append([]any{storeID, number}, args...)...).Scan(&before)
	if err != nil {
		return 0, fmt.Errorf("look for the revision before %d of store %s: %w", number, storeID, err)
	}
	return before, nil
}

// queryRevisions reads the revisions of the store whose id is the first argument, if the condition
// holds.
func queryRevisions(ctx context.Context, q querier, where string, args ...any) ([]store.Revision, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT number, change, chart_version, version, offer, state, kept, failure, actor, began_at, ended_at
		FROM revisions WHERE store_id = $1 AND `+where+` ORDER BY generation DESC, number DESC`, args...)
	revisions, err := collect(rows, err, scanRevision)
	if err != nil {
		return nil, fmt.Errorf("read the revisions of store %s: %w", args[0], err)
	}
	return revisions, nil
}

func scanRevision(row scanner) (r store.Revision, err error) {
	var began, ended int64
	err = row.Scan(&r.Number, document{&r.Change}, &r.ChartVersion, &r.Version, &r.Offer, &r.State, &r.Kept, document{&r.Failure}, &r.Actor, &began, &ended)
	r.BeganAt, r.EndedAt = fromMicros(began), fromMicros(ended)
	return r, err
}

// Upgrade starts an upgrade of a store to what is offered now. If it fails it is undone, unless the
// request says that it stays.
func (db *DB) Upgrade(ctx context.Context, actor store.Actor, id string, r store.UpgradeRequest) (store.Store, error) {
	return db.changeAfterBackup(ctx, actor, id, store.UpgradeStores, r.Point(), func(_ tx, st *store.Store) (store.Event, error) {
		if err := st.CheckChange(); err != nil {
			return store.Event{}, err
		}
		return st.Begin(r.Change(st.Sold), actor, store.UpgradeAsked), nil
	})
}

// Rollback starts a rollback of a store to the chart and values of an earlier revision. Its data stays as it is.
func (db *DB) Rollback(ctx context.Context, actor store.Actor, id string, to int) (store.Store, error) {
	return db.change(ctx, actor, id, store.UpgradeStores, func(t tx, st *store.Store) (store.Event, error) {
		if err := st.CheckChange(); err != nil {
			return store.Event{}, err
		}
		revisions, err := queryRevisions(ctx, t, "TRUE", id)
		if err != nil {
			return store.Event{}, err
		}
		if !slices.ContainsFunc(revisions, func(r store.Revision) bool { return r.Number == to && r.CanRollback(st.Revision) }) {
			return store.Event{}, &store.Error{Code: store.Conflict, Message: fmt.Sprintf("The store can’t roll back to revision %d: it was never verified, is the current one, or no longer exists.", to)}
		}
		return st.Begin(store.Change{Kind: store.Rollback, To: to, From: st.Sold}, actor, store.RollbackAsked), nil
	})
}
