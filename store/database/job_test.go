package database_test

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

// jobRow is what a row of work says of itself.
type jobRow struct {
	kind, state, holder string
	attempt             int
}

// jobs are those of the store, oldest first.
func (b bundle) jobs(t *testing.T, url, storeID string) (all []jobRow) {
	t.Helper()
	rows, err := raw(t, url).QueryContext(t.Context(), `SELECT kind, state, holder, attempt FROM jobs WHERE store_id = $1 ORDER BY id`, storeID)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var j jobRow
		if err := rows.Scan(&j.kind, &j.state, &j.holder, &j.attempt); err != nil {
			t.Fatal(err)
		}
		all = append(all, j)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func wantJobs(t *testing.T, when string, got []jobRow, want ...jobRow) {
	t.Helper()
	same := len(got) == len(want)
	for i := 0; same && i < len(got); i++ {
		same = got[i] == want[i]
	}
	if !same {
		t.Errorf("%s the jobs are %+v, not %+v", when, got, want)
	}
}

// Each thing that is asked for is a job of its own, of which one at a time is not ended. The claim on
// the store goes over to the next one.
func TestEachWishIsAJob(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.create(t, "Shop")
		c := b.claim(t, "one")
		wantJobs(t, "opened,", b.jobs(t, url, st.ID), jobRow{"open", "pending", "one", 1})
		if _, err := b.db.Fail(t.Context(), c, store.Failure{Code: store.TimedOut}); err != nil {
			t.Fatal(err)
		}
		again, err := b.db.Retry(t.Context(), b.actor, st.ID)
		if err != nil || again.Job.ID == st.Job.ID || again.Job.Failure.Code != "" {
			t.Fatalf("retried, its job is %+v, %v", again.Job, err)
		}
		wantJobs(t, "retried,", b.jobs(t, url, st.ID), jobRow{"open", "failed", "", 1}, jobRow{"open", "pending", "one", 2})
		c = c.On(again)
		b.advance(t, &c, store.Progress{Step: store.StepRelease})
		if err := b.db.Renew(t.Context(), c, lease, time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := b.db.Complete(t.Context(), c, store.Opened{Next: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if st = b.store(t, st.ID); st.Job.State != store.JobDone || st.Job.Worked != time.Minute || !st.Job.Begun() || st.Job.EndedAt.IsZero() || st.CheckDue.IsZero() {
			t.Errorf("ready, its job is %+v, and a check is due %s", st.Job, st.CheckDue)
		}
		if _, err := b.db.RequestDelete(t.Context(), b.actor, st.ID, store.DeleteRequest{}); err != nil {
			t.Fatal(err)
		}
		wantJobs(t, "to be deleted,", b.jobs(t, url, st.ID),
			jobRow{"open", "failed", "", 1}, jobRow{"open", "done", "", 2}, jobRow{"check", "cancelled", "", 1}, jobRow{"remove", "pending", "one", 1})
		if due := b.store(t, st.ID).CheckDue; !due.IsZero() {
			t.Errorf("it is to be checked at %s", due)
		}
	})
}

// No mistake of ours gives a store two jobs that only one may do.
func TestOneExclusiveJobAtATime(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.create(t, "Shop")
		_, err := raw(t, url).ExecContext(t.Context(), `
			INSERT INTO jobs (id, store_id, cluster_id, kind, exclusive, state, priority, due, args, step, note, result, attempt, worked, asked_by, asked_by_name,
				asked_at, began_at, ended_at)
			SELECT 'another', store_id, cluster_id, 'change', TRUE, 'pending', 0, 0, '{}', '', '{}', '{}', 1, 0, '', '', 0, 0, 0 FROM jobs WHERE store_id = $1`, st.ID)
		if err == nil {
			t.Error("a store that is opened is changed too")
		}
	})
}

// A lease that is renewed while the claim goes over to another job is not lost.
func TestRenewalMeetsTheNextJob(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.create(t, "Shop")
		c := b.claim(t, "one")
		if _, err := b.db.RequestDelete(t.Context(), b.actor, st.ID, store.DeleteRequest{}); err != nil {
			t.Fatal(err)
		}
		if err := b.db.Renew(t.Context(), c, lease, time.Hour); err != nil {
			t.Fatalf("the holder has lost the store: %v", err)
		}
		now := b.store(t, st.ID)
		if now.Job.Worked != 0 {
			t.Errorf("the removal has worked %s before it was begun", now.Job.Worked)
		}
		if _, err := b.db.Archive(t.Context(), c, store.Note{}); !errors.Is(err, store.ErrStale) {
			t.Errorf("what was cancelled is finished: %v", err)
		}
		if _, err := b.db.Archive(t.Context(), c.On(now), store.Note{}); err != nil {
			t.Errorf("the removal is not the holder’s: %v", err)
		}
	})
}

// A store is never checked and changed at the same time.
func TestCheckAndChangeExcludeEachOther(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.open(t, "Shop", time.Nanosecond)
		check, due := b.claimCheck(t, 1)
		if !due {
			t.Fatal("nothing is due")
		}
		if _, err := b.db.Repair(t.Context(), b.actor, st.ID); err != nil {
			t.Fatal(err)
		}
		if other, ok := b.claimCheck(t, 9); ok {
			t.Errorf("while it is checked, a %s is begun", other.Job.Kind)
		}
		if _, err := b.db.RecordCheck(t.Context(), check, store.Check{OK: true}, time.Hour); !errors.Is(err, store.ErrStale) {
			t.Errorf("a check in the middle of a change counts: %v", err)
		}
		if err := b.db.Release(t.Context(), check); err != nil {
			t.Fatal(err)
		}
		if next, ok := b.claimCheck(t, 9); !ok || next.Job.Kind != store.ChangeJob {
			t.Errorf("then a %s is begun", next.Job.Kind)
		}
		if other, ok := b.claimCheck(t, 9); ok {
			t.Errorf("beside the change a %s is begun", other.Job.Kind)
		}
	})
}

// What a person waits for goes before what the platform does by itself.
func TestPeopleGoFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		first, second := b.open(t, "Put back by itself", 0), b.open(t, "Pressed", 0)
		if err := b.db.UnguardedRepairMissing(t.Context(), first.ID, store.Note{Code: store.ReleaseMissing}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.db.Repair(t.Context(), b.actor, second.ID); err != nil {
			t.Fatal(err)
		}
		if c := b.claim(t, "one"); c.Store.ID != second.ID {
			t.Errorf("%q goes first", c.Store.Name)
		}
	})
}

// A check that a person asks for is that person's, also where one was to be made anyway.
func TestCheckIsThatOfWhoAsks(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.open(t, "Shop", time.Hour)
		if st.CheckAsked {
			t.Error("a check by the clock is somebody’s")
		}
		if _, err := b.db.CheckNow(t.Context(), b.actor, st.ID); err != nil {
			t.Fatal(err)
		}
		c, due := b.claimCheck(t, 1)
		if !due || c.Job.AskedBy.Name != "mara" || c.Job.Priority != store.Pressed || !c.Job.Place {
			t.Errorf("the check is %+v", c.Job)
		}
	})
}

// Work that is put off takes nobody's place, and comes back when it is due.
func TestPutOff(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.create(t, "Shop")
		if _, err := b.db.RequestDelete(t.Context(), b.actor, st.ID, store.DeleteRequest{}); err != nil {
			t.Fatal(err)
		}
		c := b.claim(t, "one")
		if err := b.db.PutOff(t.Context(), c, time.Hour); err != nil {
			t.Fatal(err)
		}
		if again, ok, err := b.db.Claim(t.Context(), "two", lease, store.Concurrency{}); ok || err != nil {
			t.Errorf("%s is taken up before it is due, %v", again.Store.Name, err)
		}
		if _, err := raw(t, url).ExecContext(t.Context(), `UPDATE jobs SET due = 1 WHERE id = $1`, c.Job.ID); err != nil {
			t.Fatal(err)
		}
		if again := b.claim(t, "two"); again.Job.ID != c.Job.ID {
			t.Errorf("due is %+v", again.Job)
		}
	})
}

// Jobs that have ended go after a time, and checks sooner, but never a store's newest.
func TestEndedJobsArePruned(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.open(t, "Shop", time.Nanosecond)
		b.check(t, store.Check{OK: true}, time.Nanosecond)
		if _, err := b.db.Repair(t.Context(), b.actor, st.ID); err != nil {
			t.Fatal(err)
		}
		c := b.claim(t, "one")
		if _, err := b.db.Complete(t.Context(), c, store.Opened{}); err != nil {
			t.Fatal(err)
		}
		age := func(days int) {
			t.Helper()
			day := (24 * time.Hour).Microseconds()
			for _, statement := range []string{`UPDATE jobs SET ended_at = ended_at - $1 WHERE ended_at > 0`, `UPDATE counters SET value = value - $1 WHERE name = 'pruned'`} {
				if _, err := raw(t, url).ExecContext(t.Context(), statement, int64(days)*day); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := b.db.Prune(t.Context(), store.Retention{Events: 90 * 24 * time.Hour}); err != nil {
				t.Fatal(err)
			}
		}
		age(8)
		wantJobs(t, "after a week", b.jobs(t, url, st.ID), jobRow{"open", "done", "", 1}, jobRow{"change", "done", "one", 1})
		age(90)
		wantJobs(t, "after months", b.jobs(t, url, st.ID), jobRow{"change", "done", "one", 1})
		if now := b.store(t, st.ID); now.Job.ID != c.Job.ID {
			t.Errorf("its job is %+v", now.Job)
		}
	})
}

// Every column of both tables is read and written by the lists of columns, or is one of those that
// others keep.
func TestColumnsAreAllOfTheTable(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.create(t, "Shop")
		for table, listed := range database.Columns() {
			there := columnsOf(t, raw(t, url), table)
			for _, name := range there {
				if !listed[name] {
					t.Errorf("%s.%s is in no list", table, name)
				}
			}
			if len(there) != len(listed) {
				t.Errorf("%s has %d columns, listed are %d", table, len(there), len(listed))
			}
		}
	})
}

func columnsOf(t *testing.T, db *sql.DB, table string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT * FROM `+table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil || rows.Err() != nil {
		t.Fatal(err, rows.Err())
	}
	return names
}
