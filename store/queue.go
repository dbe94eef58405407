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

// Claim is the right to work on one store until the lease runs out. Only its holder changes what
// the platform says about the store.
type Claim struct {
	Store  Store
	Job    Job // to be done: the store's newest, or a check
	Holder string
	// Number is higher than that of every claim before. It fences what a holder writes: a claim that
	// was taken over is refused even where both have the same holder.
	Number int64
	// From is when the lease began, by this process's clock, or a moment before: it does not
	// last longer than its time from then.
	From time.Time
}

// On is the claim on the store as it is now. It goes over to the job that is wanted of the store now.
func (c Claim) On(st Store) Claim {
	c.Store = st
	if c.Job.Kind.Exclusive() {
		c.Job = st.Job
	}
	return c
}

// Concurrency bounds how many jobs are done at once, over all replicas, and which ones. A job
// counts while a process holds its claim.
type Concurrency struct {
	Cluster    string // only stores that are placed in it; empty for any
	Global     int    // stores that are opened or changed; zero for no limit
	PerCluster int    // of those, in one cluster; zero for no limit
	Removals   int    // stores that are removed, up to the removal of their namespace; zero for no limit
	Checks     int    // stores that are checked; zero for none
}

// Claim takes the next job that is due, of a store that nobody holds, for the time of the lease.
// ok is false when there is none. What was begun comes first, then removals, then the teams with
// the least work going on, then what a person waits for, then whatever waited longest, and last the
// checks. While the database is known to be unusable it waits for it.
func (db *DB) Claim(ctx context.Context, holder string, lease time.Duration, limit Concurrency) (claim Claim, ok bool, err error) {
	if err := db.health.wait(ctx); err != nil {
		return Claim{}, false, err
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
			if claim, ok, err = t.take(ctx, id, Claim{Holder: holder, Number: number, From: claim.From}, lease); err != nil {
				return err
			}
		}
		return nil
	})
	return claim, ok && err == nil, err
}

// nextToClaim is the id of the job to do next, empty when there is none.
func (t tx) nextToClaim(ctx context.Context, limit Concurrency) (id string, err error) {
	if id, err = t.nextInQueue(ctx, limit); errors.Is(err, sql.ErrNoRows) {
		id, err = t.nextCheck(ctx, limit)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("look into the queue: %w", err)
	}
	return id, nil
}

// take claims the job if it is still free. On Postgres its holder may have renewed the lease
// after the job was found and before its row could be locked; ok is false then.
func (t tx) take(ctx context.Context, id string, c Claim, lease time.Duration) (_ Claim, ok bool, err error) {
	result, err := t.ExecContext(ctx, `
		UPDATE jobs SET holder = $2, claim_number = $3, claim_until = $4 WHERE id = $1 AND claim_until <= $5 AND ended_at = 0`,
		id, c.Holder, c.Number, t.now+lease.Microseconds(), t.now)
	if err = expectOne(result, err, "claim job "+id); errors.Is(err, ErrStale) {
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
// long: it does not count. A store that is held is nobody else's, whatever is done to it.
func (t tx) nextInQueue(ctx context.Context, limit Concurrency) (id string, err error) {
	err = t.QueryRowContext(ctx, `
		WITH held AS (
			SELECT j.kind, j.step, j.cluster_id, s.team_id FROM jobs j JOIN stores s ON s.id = j.store_id WHERE j.claim_until > $1 AND j.ended_at = 0
		), busy AS (
			SELECT team_id, cluster_id FROM held WHERE kind IN ('open', 'change')
		)
		SELECT j.id FROM jobs j JOIN stores s ON s.id = j.store_id
		WHERE j.kind IN ('open', 'change', 'remove') AND j.ended_at = 0 AND j.due <= $1 AND ($4 = '' OR j.cluster_id = $4)
			AND NOT EXISTS (SELECT 1 FROM jobs other WHERE other.store_id = j.store_id AND other.claim_until > $1) AND
			CASE WHEN j.kind = 'remove' THEN j.step = 'remove' OR $5 = 0 OR (SELECT COUNT(*) FROM held WHERE kind = 'remove' AND step <> 'remove') < $5
			ELSE ($2 = 0 OR (SELECT COUNT(*) FROM busy) < $2) AND
				($3 = 0 OR (SELECT COUNT(*) FROM busy WHERE busy.cluster_id = j.cluster_id) < $3) END
		ORDER BY
			CASE WHEN j.began_at > 0 THEN 0 WHEN j.kind = 'remove' THEN 1 ELSE 2 END,
			(SELECT COUNT(*) FROM busy WHERE busy.team_id = s.team_id),
			j.priority, j.asked_at, j.id
		LIMIT 1`, t.now, limit.Global, limit.PerCluster, limit.Cluster, limit.Removals).Scan(&id)
	return id, err
}

// nextCheck is the check that has been due for the longest time, those first that somebody asked
// for, unless so many are made already.
func (t tx) nextCheck(ctx context.Context, limit Concurrency) (id string, err error) {
	err = t.QueryRowContext(ctx, `
		SELECT j.id FROM jobs j
		WHERE j.kind = 'check' AND j.ended_at = 0 AND j.due <= $1 AND ($3 = '' OR j.cluster_id = $3)
			AND NOT EXISTS (SELECT 1 FROM jobs other WHERE other.store_id = j.store_id AND other.claim_until > $1)
			AND (SELECT COUNT(*) FROM jobs held WHERE held.claim_until > $1 AND held.kind = 'check' AND held.ended_at = 0) < $2
		ORDER BY j.priority, j.due, j.id LIMIT 1`, t.now, limit.Checks, limit.Cluster).Scan(&id)
	return id, err
}

// Renew prolongs the lease and writes down the time worked so far. ErrStale says that the
// claim is lost: the holder must stop at once.
func (db *DB) Renew(ctx context.Context, c Claim, lease, worked time.Duration) error {
	err := db.renew(ctx, c, lease, worked)
	if errors.Is(err, ErrStale) { // Postgres does not see a job to which the claim has just gone over
		err = db.renew(ctx, c, lease, worked)
	}
	return err
}

// renew finds the job by the claim: it may have gone over to another one of the store.
func (db *DB) renew(ctx context.Context, c Claim, lease, worked time.Duration) error {
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
func (db *DB) Release(ctx context.Context, c Claim) error {
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
func (db *DB) PutOff(ctx context.Context, c Claim, after time.Duration) error {
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

// ReleaseAll gives back the claims of processes that are gone. Only whoever knows that no
// other process works on these records may call it.
func (db *DB) ReleaseAll(ctx context.Context) error {
	if _, err := db.write.ExecContext(ctx, `UPDATE jobs SET holder = '', claim_until = 0 WHERE claim_until > 0`); err != nil {
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
// new to say about the step it is at.
func (db *DB) Advance(ctx context.Context, c Claim, p Progress) (Store, error) {
	p.Finished, p.Message = kept(p.Finished), kept(p.Message)
	return db.work(ctx, c, func(_ tx, st *Store) ([]Event, error) {
		st.Job.Message = p.Message
		if p.Step == st.Job.Step {
			return []Event{told(storeEvent(*st, Actor{}, StepProgressed), p.Message)}, nil
		}
		events := st.finishStep(p.Finished)
		if st.Job.Step = p.Step; !st.Job.Begun() {
			st.Job.BeganAt = st.UpdatedAt
		}
		return append(events, told(storeEvent(*st, Actor{}, StepStarted), p.Message)), nil
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
		st.Status, st.Job.Step, st.Job.Message = Ready, StepReady, ""
		st.Job.end(JobDone, st.UpdatedAt)
		st.ObservedGeneration, st.URL, st.AdminURL, st.Volumes = st.Generation, o.URL, o.AdminURL, o.Volumes
		st.Health.opened(o.Check.kept(), st.UpdatedAt)
		if st.ReadyAt.IsZero() {
			st.ReadyAt = st.UpdatedAt
		}
		st.Sold = st.Revision
		events = append(events, changeEvent(*st, Actor{}, StoreReady, st.Job.Change))
		if err := t.settleRevision(ctx, *st, RevisionDeployed, Failure{}); err != nil {
			return nil, err
		}
		if err := t.prune(ctx, *st); err != nil {
			return nil, err
		}
		return events, t.checkIn(ctx, st, o.Next)
	})
}

// Fail records why the work on a claimed store cannot go on. A change that failed is undone
// if it may be: the store is then to go back to the revision that sold, at once. Otherwise a
// person has to do something.
func (db *DB) Fail(ctx context.Context, c Claim, f Failure) (Store, error) {
	f = f.kept()
	return db.work(ctx, c, func(t tx, st *Store) ([]Event, error) {
		f.Step, f.At = st.Job.Step, st.UpdatedAt
		if err := t.settleRevision(ctx, *st, RevisionFailed, f); err != nil {
			return nil, err
		}
		goesBack := st.goesBack(f)
		st.Job.Failure = f
		st.Job.end(JobFailed, st.UpdatedAt)
		if goesBack {
			failed := st.Job
			events := st.goBack(f)
			return events, t.replaceJob(ctx, failed, st)
		}
		st.Status, st.ObservedGeneration = Failed, st.Generation
		return []Event{failureEvent(*st, StoreFailed, f)}, nil
	})
}

// Archive records that nothing is left of a claimed store in its cluster. From then on its
// name, namespace and host are free.
func (db *DB) Archive(ctx context.Context, c Claim, finished string) (Store, error) {
	return db.work(ctx, c, func(_ tx, st *Store) ([]Event, error) {
		events := st.finishStep(finished)
		st.Status, st.Job.Step, st.ObservedGeneration, st.DeletedAt = Deleted, StepGone, st.Generation, st.UpdatedAt
		st.Job.end(JobDone, st.UpdatedAt)
		return append(events, storeEvent(*st, Actor{}, StoreDeleted)), nil
	})
}

// work changes a claimed store and the job that is done to it, and records their events in one
// transaction, if the claim holds and nobody asked for something else meanwhile; otherwise it
// returns ErrStale.
func (db *DB) work(ctx context.Context, c Claim, apply func(tx, *Store) ([]Event, error)) (Store, error) {
	var st Store
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
func (t tx) saveWithEvents(ctx context.Context, st Store, events []Event) error {
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
func (t tx) lockClaimed(ctx context.Context, c Claim) (Store, error) {
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
// check.
func (t tx) replaceJob(ctx context.Context, before Job, st *Store) error {
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
	return t.saveStore(ctx, *st)
}

func queryJob(ctx context.Context, q querier, id string) (j Job, err error) {
	err = q.QueryRowContext(ctx, `SELECT `+jobColumns.list("")+` FROM jobs WHERE id = $1`, id).Scan(jobColumns.of(&j)...)
	if err != nil {
		return Job{}, fmt.Errorf("read job %s: %w", id, err)
	}
	return j, nil
}

func (t tx) insertJob(ctx context.Context, j *Job) error {
	_, err := t.ExecContext(ctx, `INSERT INTO jobs (`+jobColumns.list("")+`, exclusive) VALUES (`+jobColumns.marks()+fmt.Sprintf(", $%d)", len(jobColumns)+1),
		append(jobColumns.of(j), j.Kind.Exclusive())...)
	if err != nil {
		return fmt.Errorf("insert job %s: %w", j.ID, err)
	}
	return nil
}

// saveJob writes what may change about a job of a locked store.
func (t tx) saveJob(ctx context.Context, j *Job) error {
	_, err := t.ExecContext(ctx, `UPDATE jobs SET `+jobChanging.sets(2)+` WHERE id = $1`, append([]any{j.ID}, jobChanging.of(j)...)...)
	if err != nil {
		return fmt.Errorf("save job %s: %w", j.ID, err)
	}
	return nil
}

// finishStep tells that the present step has ended, if there is one.
func (s Store) finishStep(message string) []Event {
	if s.Job.Step == "" {
		return nil
	}
	return []Event{told(storeEvent(s, Actor{}, StepFinished), message)}
}

func isUniqueViolation(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23505"
	}
	lite, ok := errors.AsType[*sqlite.Error](err)
	return ok && (lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
