package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"shopwright.dev/shopwright/store"
)

// Claim takes the next job that is due, of a store that nobody holds, for the time of the lease.
// ok is false when there is none. What was begun comes first, then removals, then the teams with
// the least work going on, then what a person waits for, then whatever waited longest, then drills, and
// last the backups and the checks. While the database is known to be unusable it waits for it.
func (db *DB) Claim(ctx context.Context, holder string, lease time.Duration, limit store.Concurrency) (claim store.Claim, ok bool, err error) {
	if err := db.health.wait(ctx); err != nil {
		return store.Claim{}, false, err
	}
	err = db.update(ctx, func(t tx) error {
		number, err := t.drawClaim(ctx)
		if err != nil {
			return err
		}
		for !ok {
			claim.From = time.Now()
			if t.now, err = db.clock(ctx, t); err != nil { // a lock may have been waited for
				return err
			}
			id, err := t.nextToClaim(ctx, limit)
			if id == "" || err != nil {
				return err
			}
			if claim, ok, err = t.take(ctx, id, store.Claim{Holder: holder, Number: number, From: claim.From}, lease); err != nil {
				return err
			}
		}
		return nil
	})
	return claim, ok && err == nil, err
}

// nextToClaim is the id of the job to do next, empty when there is none.
func (t tx) nextToClaim(ctx context.Context, limit store.Concurrency) (id string, err error) {
	if id, err = t.nextInQueue(ctx, limit); errors.Is(err, sql.ErrNoRows) {
		id, err = t.nextOfKind(ctx, store.BackupJob, limit.Backups, limit.Cluster)
	}
	if errors.Is(err, sql.ErrNoRows) {
		id, err = t.nextOfKind(ctx, store.CheckJob, limit.Checks, limit.Cluster)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("look into the queue: %w", err)
	}
	return id, nil
}

// take claims the job if it is still free. On Postgres its holder may have renewed the lease
// after the job was found and before its row could be locked; ok is false then.
func (t tx) take(ctx context.Context, id string, c store.Claim, lease time.Duration) (_ store.Claim, ok bool, err error) {
	result, err := t.ExecContext(ctx, `
		UPDATE jobs SET holder = $2, claim_number = $3, claim_until = $4 WHERE id = $1 AND claim_until <= $5 AND ended_at = 0`,
		id, c.Holder, c.Number, t.now+lease.Microseconds(), t.now)
	if err = expectOne(result, err, "claim job "+id); errors.Is(err, store.ErrStale) {
		return c, false, nil
	}
	if err != nil {
		return c, false, err
	}
	if c.Job, err = queryJob(ctx, t, id); err != nil {
		return c, false, err
	}
	c.Store, err = queryStore(ctx, t, c.Job.StoreID)
	return c, err == nil, err
}

// lockClaims makes transactions that count stores wait for one another.
func (t tx) lockClaims(ctx context.Context) error {
	_, err := t.drawClaim(ctx)
	return err
}

// drawClaim locks the claims, and returns a number for one that is higher than all before.
func (t tx) drawClaim(ctx context.Context) (number int64, err error) {
	err = t.QueryRowContext(ctx, `UPDATE counters SET value = value + 1 WHERE name = 'claims' RETURNING value`).Scan(&number)
	if err != nil {
		return 0, fmt.Errorf("lock claims: %w", err)
	}
	return number, nil
}

// nextInQueue counts the jobs that somebody holds: one in a cluster that is away takes nobody's
// place. A removal that only waits for its namespace to go costs next to nothing, and may wait for
// long: it does not count. A store that is held is nobody else's, whatever is done to it. A drill begins
// where there is a place, one in a cluster at a time, and takes nobody's place then: no other job waits
// for it.
func (t tx) nextInQueue(ctx context.Context, limit store.Concurrency) (id string, err error) {
	err = t.QueryRowContext(ctx, `
		WITH held AS (
			SELECT j.kind, j.step, j.cluster_id, s.team_id FROM jobs j JOIN stores s ON s.id = j.store_id WHERE j.claim_until > $1 AND j.ended_at = 0
		), busy AS (
			SELECT team_id, cluster_id FROM held WHERE kind IN ('open', 'change')
		), opened AS (
			SELECT cluster_id FROM held WHERE kind IN ('open', 'change', 'drill')
		)
		SELECT j.id FROM jobs j JOIN stores s ON s.id = j.store_id
		WHERE j.kind IN ('open', 'change', 'drill', 'remove') AND j.ended_at = 0 AND j.due <= $1 AND ($4 = '' OR j.cluster_id = $4)
			AND NOT EXISTS (SELECT 1 FROM jobs other WHERE other.store_id = j.store_id AND other.claim_until > $1) AND
			CASE WHEN j.kind = 'remove' THEN j.step = 'remove' OR $5 = 0 OR (SELECT COUNT(*) FROM held WHERE kind = 'remove' AND step <> 'remove') < $5
			WHEN j.kind = 'drill' THEN
				NOT EXISTS (SELECT 1 FROM jobs other WHERE other.kind = 'drill' AND other.ended_at = 0 AND other.cluster_id = j.cluster_id
					AND other.id <> j.id AND (other.began_at > 0 OR other.claim_until > $1))
				AND (j.began_at > 0 OR ($2 = 0 OR (SELECT COUNT(*) FROM opened) < $2) AND
					($3 = 0 OR (SELECT COUNT(*) FROM opened WHERE opened.cluster_id = j.cluster_id) < $3))
			ELSE ($2 = 0 OR (SELECT COUNT(*) FROM busy) < $2) AND
				($3 = 0 OR (SELECT COUNT(*) FROM busy WHERE busy.cluster_id = j.cluster_id) < $3) END
		ORDER BY
			CASE WHEN j.kind = 'drill' THEN 3 WHEN j.began_at > 0 THEN 0 WHEN j.kind = 'remove' THEN 1 ELSE 2 END,
			(SELECT COUNT(*) FROM busy WHERE busy.team_id = s.team_id),
			j.priority, j.asked_at, j.id
		LIMIT 1`, t.now, limit.Global, limit.PerCluster, limit.Cluster, limit.Removals).Scan(&id)
	return id, err
}

// nextOfKind is the job of a kind that has been due for the longest time, those first that somebody
// asked for, unless so many are done already.
func (t tx) nextOfKind(ctx context.Context, kind store.JobKind, atMost int, cluster string) (id string, err error) {
	err = t.QueryRowContext(ctx, `
		SELECT j.id FROM jobs j
		WHERE j.kind = $4 AND j.ended_at = 0 AND j.due <= $1 AND ($3 = '' OR j.cluster_id = $3)
			AND NOT EXISTS (SELECT 1 FROM jobs other WHERE other.store_id = j.store_id AND other.claim_until > $1)
			AND (SELECT COUNT(*) FROM jobs held WHERE held.claim_until > $1 AND held.kind = $4 AND held.ended_at = 0) < $2
		ORDER BY j.priority, j.due, j.id LIMIT 1`, t.now, atMost, cluster, kind).Scan(&id)
	return id, err
}

// Renew prolongs the lease and writes down the time worked so far. ErrStale says that the
// claim is lost: the holder must stop at once.
func (db *DB) Renew(ctx context.Context, c store.Claim, lease, worked time.Duration) error {
	err := db.renew(ctx, c, lease, worked)
	if errors.Is(err, store.ErrStale) { // Postgres does not see a job to which the claim has just gone over
		err = db.renew(ctx, c, lease, worked)
	}
	return err
}

// renew finds the job by the claim: it may have gone over to another one of the store.
func (db *DB) renew(ctx context.Context, c store.Claim, lease, worked time.Duration) error {
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return err
	}
	result, err := db.write.ExecContext(ctx, `
		UPDATE jobs SET claim_until = $4, worked = CASE WHEN id = $6 THEN $7 ELSE worked END
		WHERE store_id = $1 AND holder = $2 AND claim_number = $3 AND claim_until > $5`,
		c.Store.ID, c.Holder, c.Number, now+lease.Microseconds(), now, c.Job.ID, worked.Microseconds())
	return expectOne(result, err, "renew claim on store "+c.Store.ID)
}

// Release gives the claim back. Giving back one that is lost is no error.
func (db *DB) Release(ctx context.Context, c store.Claim) error {
	_, err := db.write.ExecContext(ctx, `
		UPDATE jobs SET holder = '', claim_until = 0 WHERE store_id = $1 AND holder = $2 AND claim_number = $3`,
		c.Store.ID, c.Holder, c.Number)
	if err != nil {
		return fmt.Errorf("release claim on store %s: %w", c.Store.ID, err)
	}
	return nil
}

// PutOff gives the claim back and has the job done again after that time, so that it takes nobody's
// place meanwhile.
func (db *DB) PutOff(ctx context.Context, c store.Claim, after time.Duration) error {
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return err
	}
	_, err = db.write.ExecContext(ctx, `
		UPDATE jobs SET holder = '', claim_until = 0, due = $4 WHERE id = $1 AND holder = $2 AND claim_number = $3`,
		c.Job.ID, c.Holder, c.Number, now+after.Microseconds())
	if err != nil {
		return fmt.Errorf("put job %s off: %w", c.Job.ID, err)
	}
	return nil
}

// ReleaseAll releases all claims, such as those of a process that has ended. Call it only when no
// other process uses the database.
func (db *DB) ReleaseAll(ctx context.Context) error {
	if _, err := db.write.ExecContext(ctx, `UPDATE jobs SET holder = '', claim_until = 0 WHERE claim_until > 0`); err != nil {
		return fmt.Errorf("release all claims: %w", err)
	}
	return nil
}

// Advance records that the work on a claimed store has come to a step, or has something
// new to say about the step it is at.
func (db *DB) Advance(ctx context.Context, c store.Claim, p store.Progress) (store.Store, error) {
	p.Finished, p.Note = p.Finished.Storable(), p.Note.Storable()
	return db.work(ctx, c, func(_ tx, st *store.Store) ([]store.Event, error) {
		st.Job.Note = p.Note
		if p.Step == st.Job.Step {
			return []store.Event{store.NoteEvent(*st, store.Actor{}, store.StepProgressed, p.Note)}, nil
		}
		events := st.FinishStep(p.Finished)
		if st.Job.Step = p.Step; !st.Job.Begun() {
			st.Job.BeganAt = st.UpdatedAt
		}
		return append(events, store.NoteEvent(*st, store.Actor{}, store.StepStarted, p.Note)), nil
	})
}

// Complete records that a claimed store is ready. A drill has passed then.
func (db *DB) Complete(ctx context.Context, c store.Claim, o store.Opened) (store.Store, error) {
	return db.work(ctx, c, func(t tx, st *store.Store) ([]store.Event, error) {
		events := st.FinishStep(o.Finished)
		st.Status, st.Job.Step, st.Job.Note = store.Ready, store.StepReady, store.Note{}
		st.Job.End(store.JobDone, st.UpdatedAt)
		st.ObservedGeneration, st.URL, st.AdminURL, st.Volumes = st.Generation, o.URL, o.AdminURL, o.Volumes
		st.Health.Opened(o.Check.Storable(), st.UpdatedAt)
		if st.ReadyAt.IsZero() {
			st.ReadyAt = st.UpdatedAt
		}
		st.Sold = st.Revision
		if err := t.settleRevision(ctx, *st, store.RevisionDeployed, store.Failure{}); err != nil {
			return nil, err
		}
		if st.IsDrill() {
			told, err := t.endDrill(ctx, st, store.Actor{}, o.Check.Storable(), store.Failure{})
			return append(events, told...), err
		}
		events = append(events, store.ChangeEvent(*st, store.Actor{}, store.StoreReady, st.Job.Change))
		if err := t.prune(ctx, *st); err != nil {
			return nil, err
		}
		return events, t.checkIn(ctx, st, o.Next)
	})
}

// Fail records why the work on a claimed store cannot go on. A change that failed is undone
// if it may be: the store is then to go back to the revision that sold, at once. Otherwise a
// person has to do something. A drill has failed then, and its store is removed.
func (db *DB) Fail(ctx context.Context, c store.Claim, f store.Failure) (store.Store, error) {
	f = f.Storable()
	return db.work(ctx, c, func(t tx, st *store.Store) ([]store.Event, error) {
		f.Step, f.At = st.Job.Step, st.UpdatedAt
		if err := t.settleRevision(ctx, *st, store.RevisionFailed, f); err != nil {
			return nil, err
		}
		goesBack := st.GoesBack(f)
		st.Job.Failure = f
		st.Job.End(store.JobFailed, st.UpdatedAt)
		if st.IsDrill() {
			return t.failDrill(ctx, st, f)
		}
		if goesBack {
			failed := st.Job
			events := st.GoBack(f)
			return events, t.replaceJob(ctx, failed, st)
		}
		st.Status, st.ObservedGeneration = store.Failed, st.Generation
		return []store.Event{store.FailureEvent(*st, store.StoreFailed, f)}, nil
	})
}

// Archive records that nothing is left of a claimed store in its cluster. From then on its
// name, namespace and host are free.
func (db *DB) Archive(ctx context.Context, c store.Claim, finished store.Note) (store.Store, error) {
	return db.work(ctx, c, func(_ tx, st *store.Store) ([]store.Event, error) {
		events := st.FinishStep(finished)
		st.Status, st.Job.Step, st.ObservedGeneration, st.DeletedAt = store.Deleted, store.StepGone, st.Generation, st.UpdatedAt
		st.Job.End(store.JobDone, st.UpdatedAt)
		if st.IsDrill() {
			return events, nil
		}
		return append(events, store.EventOf(*st, store.Actor{}, store.StoreDeleted)), nil
	})
}

// work changes a claimed store and the job that is done to it, and records their events in one
// transaction, if the claim holds and nobody asked for something else meanwhile; otherwise it
// returns ErrStale.
func (db *DB) work(ctx context.Context, c store.Claim, apply func(tx, *store.Store) ([]store.Event, error)) (store.Store, error) {
	var st store.Store
	err := db.update(ctx, func(t tx) (err error) {
		if st, err = t.lockClaimed(ctx, c); err != nil {
			return err
		}
		events, err := apply(t, &st)
		if err != nil {
			return err
		}
		if st.Job.ID == c.Job.ID {
			if err := t.saveJob(ctx, &st.Job); err != nil {
				return err
			}
		}
		return t.saveWithEvents(ctx, st, events)
	})
	return st, err
}

// saveWithEvents saves a locked store, and appends the events about it.
func (t tx) saveWithEvents(ctx context.Context, st store.Store, events []store.Event) error {
	if err := t.saveStore(ctx, st); err != nil {
		return err
	}
	for _, e := range events {
		if err := t.append(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// lockClaimed locks a store whose job is still held under the claim.
func (t tx) lockClaimed(ctx context.Context, c store.Claim) (store.Store, error) {
	st, err := t.lockStore(ctx, c.Store.ID)
	if err != nil {
		return st, err
	}
	result, err := t.ExecContext(ctx, `
		UPDATE jobs SET holder = holder WHERE id = $1 AND holder = $2 AND claim_number = $3 AND claim_until > $4 AND ended_at = 0`,
		c.Job.ID, c.Holder, c.Number, t.now)
	return st, expectOne(result, err, "check claim on store "+c.Store.ID)
}

// replaceJob saves the ended job of a locked store and inserts its new one. The claim moves to the
// new job, so the holder continues with it. A pending check is cancelled: the new job ends with a
// check. So is a backup, of which the new job would change one half before the other is read.
func (t tx) replaceJob(ctx context.Context, before store.Job, st *store.Store) error {
	st.Job.AskedAt, st.Job.Due, st.UpdatedAt = fromMicros(t.now), fromMicros(t.now), fromMicros(t.now)
	if err := t.saveJob(ctx, &before); err != nil {
		return err
	}
	if err := t.insertJob(ctx, &st.Job); err != nil {
		return err
	}
	for _, statement := range []struct {
		text string
		args []any
	}{
		{`UPDATE jobs SET (holder, claim_number, claim_until) = (SELECT holder, claim_number, claim_until FROM jobs WHERE id = $2) WHERE id = $1`, []any{st.Job.ID, before.ID}},
		{`UPDATE jobs SET holder = '', claim_until = 0 WHERE id = $1`, []any{before.ID}},
		{`UPDATE jobs SET state = 'cancelled', ended_at = $2 WHERE store_id = $1 AND kind = 'check' AND ended_at = 0`, []any{st.ID, t.now}},
	} {
		if _, err := t.ExecContext(ctx, statement.text, statement.args...); err != nil {
			return fmt.Errorf("replace job %s: %w", before.ID, err)
		}
	}
	st.CheckDue, st.CheckAsked = time.Time{}, false
	if err := t.cancelBackup(ctx, *st); err != nil {
		return err
	}
	return t.saveStore(ctx, *st)
}

func queryJob(ctx context.Context, q querier, id string) (j store.Job, err error) {
	err = q.QueryRowContext(ctx, `SELECT `+jobColumns.list("")+` FROM jobs WHERE id = $1`, id).Scan(jobColumns.of(&j)...)
	if err != nil {
		return store.Job{}, fmt.Errorf("read job %s: %w", id, err)
	}
	return j, nil
}

func (t tx) insertJob(ctx context.Context, j *store.Job) error {
	_, err := t.ExecContext(ctx, `INSERT INTO jobs (`+jobColumns.list("")+`, exclusive) VALUES (`+jobColumns.marks()+fmt.Sprintf(", $%d)", len(jobColumns)+1),
		append(jobColumns.of(j), j.Kind.Exclusive())...)
	if err != nil {
		return fmt.Errorf("insert job %s: %w", j.ID, err)
	}
	return nil
}

// saveJob writes what may change about a job of a locked store.
func (t tx) saveJob(ctx context.Context, j *store.Job) error {
	_, err := t.ExecContext(ctx, `UPDATE jobs SET `+jobChanging.sets(2)+` WHERE id = $1`, append([]any{j.ID}, jobChanging.of(j)...)...)
	if err != nil {
		return fmt.Errorf("save job %s: %w", j.ID, err)
	}
	return nil
}

func isUniqueViolation(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23505"
	}
	lite, ok := errors.AsType[*sqlite.Error](err)
	return ok && (lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
