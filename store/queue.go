package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Claim is the right to work on one store until the lease runs out. Only its holder
// changes what the platform says about the store.
type Claim struct {
	Store  Store
	Holder string
	// Number is higher than that of every claim on the store before. It fences what a holder
	// writes: a claim that was taken over is refused even where both have the same holder.
	Number int64
	// From is when the lease began, by this process's clock, or a moment before: it does not
	// last longer than its time from then.
	From time.Time
}

// Concurrency bounds how many stores are worked on at once, over all replicas, and which ones.
// A store counts while a process holds its claim.
type Concurrency struct {
	Cluster    string // only stores that are placed in it; empty for any
	Global     int    // stores that are provisioned or upgraded; zero for no limit
	PerCluster int    // of those, in one cluster; zero for no limit
	Removals   int    // stores that are removed, up to the removal of their namespace; zero for no limit
	Checks     int    // stores that are checked; zero for none
}

// Claim takes the next store that needs work and that nobody holds, for the time of the
// lease. ok is false when there is none. Work that was begun comes first, then removals,
// then the teams with the least work going on, then whoever waited longest, and last the
// ready stores whose check is due. While the database is known to be unusable it waits for it.
func (db *DB) Claim(ctx context.Context, holder string, lease time.Duration, limit Concurrency) (claim Claim, ok bool, err error) {
	if err := db.health.wait(ctx); err != nil {
		return Claim{}, false, err
	}
	err = db.update(ctx, func(t tx) error {
		if err := t.lockClaims(ctx); err != nil {
			return err
		}
		for !ok {
			claim.From = time.Now()
			var err error
			if t.now, err = db.clock(ctx, t); err != nil { // a lock may have been waited for
				return err
			}
			id, err := t.nextToClaim(ctx, limit)
			if id == "" || err != nil {
				return err
			}
			if claim, ok, err = t.take(ctx, id, Claim{Holder: holder, From: claim.From}, lease); err != nil {
				return err
			}
		}
		return nil
	})
	return claim, ok && err == nil, err
}

// nextToClaim is the id of the store to work on next, empty when there is none.
func (t tx) nextToClaim(ctx context.Context, limit Concurrency) (id string, err error) {
	if id, err = t.nextInQueue(ctx, limit); errors.Is(err, sql.ErrNoRows) {
		id, err = t.nextCheck(ctx, limit)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("look into the queue: %w", err)
	}
	return id, nil
}

// take claims the store if it is still free. On Postgres its holder may have renewed the lease
// after the store was found and before its row could be locked; ok is false then.
func (t tx) take(ctx context.Context, id string, c Claim, lease time.Duration) (_ Claim, ok bool, err error) {
	err = t.QueryRowContext(ctx, `
		UPDATE stores SET claim_holder = $2, claim_until = $3, claim_number = claim_number + 1
		WHERE id = $1 AND claim_until <= $4 RETURNING claim_number`,
		id, c.Holder, t.now+lease.Microseconds(), t.now).Scan(&c.Number)
	if errors.Is(err, sql.ErrNoRows) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("claim store %s: %w", id, err)
	}
	c.Store, err = queryStore(ctx, t, id)
	return c, err == nil, err
}

// lockClaims makes transactions that count stores wait for one another.
func (t tx) lockClaims(ctx context.Context) error {
	if _, err := t.ExecContext(ctx, `UPDATE counters SET value = value + 1 WHERE name = 'claims'`); err != nil {
		return fmt.Errorf("lock claims: %w", err)
	}
	return nil
}

// nextInQueue counts the stores that somebody holds: one in a cluster that is away takes nobody's
// place. A removal that only waits for its namespace to go costs next to nothing, and may wait for
// long: it does not count.
func (t tx) nextInQueue(ctx context.Context, limit Concurrency) (id string, err error) {
	err = t.QueryRowContext(ctx, `
		WITH busy AS (
			SELECT team_id, cluster_id FROM stores WHERE status IN ('provisioning', 'upgrading') AND claim_until > $1
		), removing AS (
			SELECT id FROM stores WHERE status = 'deleting' AND step <> 'remove' AND claim_until > $1
		)
		SELECT s.id FROM stores s
		WHERE s.status IN ('provisioning', 'upgrading', 'deleting') AND s.claim_until <= $1 AND ($4 = '' OR s.cluster_id = $4) AND
			CASE WHEN s.status = 'deleting' THEN s.step = 'remove' OR $5 = 0 OR (SELECT COUNT(*) FROM removing) < $5
			ELSE ($2 = 0 OR (SELECT COUNT(*) FROM busy) < $2) AND
				($3 = 0 OR (SELECT COUNT(*) FROM busy WHERE busy.cluster_id = s.cluster_id) < $3) END
		ORDER BY
			CASE WHEN s.step <> '' THEN 0 WHEN s.status = 'deleting' THEN 1 ELSE 2 END,
			(SELECT COUNT(*) FROM busy WHERE busy.team_id = s.team_id),
			s.queued_at, s.id
		LIMIT 1`, t.now, limit.Global, limit.PerCluster, limit.Cluster, limit.Removals).Scan(&id)
	return id, err
}

// Renew prolongs the lease and writes down the time worked so far. ErrStale says that the
// claim is lost: the holder must stop at once.
func (db *DB) Renew(ctx context.Context, c Claim, lease, worked time.Duration) error {
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return err
	}
	result, err := db.write.ExecContext(ctx, `
		UPDATE stores SET claim_until = $4, worked = CASE WHEN generation = $6 THEN $7 ELSE worked END
		WHERE id = $1 AND claim_holder = $2 AND claim_number = $3 AND claim_until > $5`,
		c.Store.ID, c.Holder, c.Number, now+lease.Microseconds(), now, c.Store.Generation, worked.Microseconds())
	return expectOne(result, err, "renew claim on store "+c.Store.ID)
}

// Release gives the claim back. Giving back one that is lost is no error.
func (db *DB) Release(ctx context.Context, c Claim) error {
	_, err := db.write.ExecContext(ctx, `
		UPDATE stores SET claim_holder = '', claim_until = 0 WHERE id = $1 AND claim_holder = $2 AND claim_number = $3`,
		c.Store.ID, c.Holder, c.Number)
	if err != nil {
		return fmt.Errorf("release claim on store %s: %w", c.Store.ID, err)
	}
	return nil
}

// ReleaseAll gives back the claims of processes that are gone. Only whoever knows that no
// other process works on these records may call it.
func (db *DB) ReleaseAll(ctx context.Context) error {
	if _, err := db.write.ExecContext(ctx, `UPDATE stores SET claim_holder = '', claim_until = 0 WHERE claim_until > 0`); err != nil {
		return fmt.Errorf("release all claims: %w", err)
	}
	return nil
}

// Progress is what the platform has to say about a store it works on. Empty fields leave
// what is recorded.
type Progress struct {
	Step     Step   // the step that the work is at now
	Finished string // what the step before came to, when the step changes
	Message  string // where the step stands, when it does not change
}

// Advance records that the work on a claimed store has come to a step, or has something
// new to say about the step it is at. Saying nothing new writes nothing.
func (db *DB) Advance(ctx context.Context, c Claim, p Progress) (Store, error) {
	p.Finished, p.Message = kept(p.Finished), kept(p.Message)
	return db.work(ctx, c, func(_ tx, st *Store) ([]Event, error) {
		st.Message = p.Message
		if p.Step == st.Step {
			return []Event{storeEvent(*st, Actor{}, StepProgressed, p.Message)}, nil
		}
		events := st.finishStep(p.Finished)
		st.Step = p.Step
		return append(events, storeEvent(*st, Actor{}, StepStarted, p.Message)), nil
	})
}

// Opened is what there is to record about a store that is ready.
type Opened struct {
	Finished string // what the last step came to
	URL      string
	AdminURL string
	Volumes  []string // names of the volume claims that hold its data
	Check    Check
	Next     time.Duration // until the next check; zero for never
}

// Complete records that a claimed store is ready.
func (db *DB) Complete(ctx context.Context, c Claim, o Opened) (Store, error) {
	return db.work(ctx, c, func(t tx, st *Store) ([]Event, error) {
		events := st.finishStep(o.Finished)
		st.Status, st.Step, st.Message, st.Failure = Ready, StepReady, "", Failure{}
		st.ObservedGeneration, st.URL, st.AdminURL, st.Volumes = st.Generation, o.URL, o.AdminURL, o.Volumes
		st.Health.opened(o.Check.kept(), st.UpdatedAt)
		st.checkIn(o.Next)
		if st.ReadyAt.IsZero() {
			st.ReadyAt = st.UpdatedAt
		}
		st.Sold = st.Revision
		events = append(events, storeEvent(*st, Actor{}, StoreReady, st.Change.Note))
		if err := t.settleRevision(ctx, *st, RevisionDeployed, ""); err != nil {
			return nil, err
		}
		return events, t.prune(ctx, *st)
	})
}

// Fail records why the work on a claimed store cannot go on. A change that failed is undone
// if it may be: the store is then to go back to the revision that sold, at once. Otherwise a
// person has to do something.
func (db *DB) Fail(ctx context.Context, c Claim, f Failure) (Store, error) {
	f = f.kept()
	return db.work(ctx, c, func(t tx, st *Store) ([]Event, error) {
		f.Step, f.At = st.Step, st.UpdatedAt
		err := t.settleRevision(ctx, *st, RevisionFailed, f.Title)
		if st.goesBack(f) {
			return st.goBack(f), err
		}
		st.Status, st.Failure, st.ObservedGeneration = Failed, f, st.Generation
		return []Event{storeEvent(*st, Actor{}, StoreFailed, f.Title)}, err
	})
}

// Archive records that nothing is left of a claimed store in its cluster. From then on its
// name, namespace and host are free.
func (db *DB) Archive(ctx context.Context, c Claim, finished string) (Store, error) {
	return db.work(ctx, c, func(_ tx, st *Store) ([]Event, error) {
		events := st.finishStep(finished)
		st.Status, st.Step, st.ObservedGeneration, st.DeletedAt = Deleted, StepGone, st.Generation, st.UpdatedAt
		return append(events, storeEvent(*st, Actor{}, StoreDeleted, "Store deleted")), nil
	})
}

// work changes a claimed store and records its events in one transaction, if the claim
// holds and nobody asked for something else meanwhile; otherwise it returns ErrStale.
func (db *DB) work(ctx context.Context, c Claim, apply func(tx, *Store) ([]Event, error)) (Store, error) {
	var st Store
	err := db.update(ctx, func(t tx) error {
		if err := t.checkClaim(ctx, c); err != nil {
			return err
		}
		var err error
		if st, err = queryStore(ctx, t, c.Store.ID); err != nil {
			return err
		}
		st.UpdatedAt = fromMicros(t.now)
		events, err := apply(t, &st)
		if err != nil {
			return err
		}
		if err := t.saveStore(ctx, c.Store, st); err != nil {
			return err
		}
		for _, e := range events {
			if err := t.append(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
	return st, err
}

// checkClaim locks the row of a store that is still held.
func (t tx) checkClaim(ctx context.Context, c Claim) error {
	result, err := t.ExecContext(ctx, `
		UPDATE stores SET claim_holder = claim_holder WHERE id = $1 AND claim_holder = $2 AND claim_number = $3 AND claim_until > $4`,
		c.Store.ID, c.Holder, c.Number, t.now)
	return expectOne(result, err, "check claim on store "+c.Store.ID)
}

func (s Store) finishStep(message string) []Event {
	if s.Step == "" {
		return nil
	}
	return []Event{storeEvent(s, Actor{}, StepFinished, message)}
}

func isUniqueViolation(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23505"
	}
	lite, ok := errors.AsType[*sqlite.Error](err)
	return ok && (lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
