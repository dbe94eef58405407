package database_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// change runs a statement that only a test may.
func change(t *testing.T, url, statement string) {
	t.Helper()
	if _, err := raw(t, url).ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// longAgo makes stores and targets so old that a backup of each store is due.
func longAgo(t *testing.T, url string) {
	t.Helper()
	change(t, url, `UPDATE stores SET ready_at = 1`)
	change(t, url, `UPDATE backup_targets SET updated_at = 1`)
}

func (p points) start(t *testing.T, want int, when string) {
	t.Helper()
	if begun, err := p.db.UnguardedStartScheduledBackups(t.Context(), p.cluster.ID); begun != want || err != nil {
		t.Errorf("%s %d backups begin, want %d, %v", when, begun, want, err)
	}
}

// fail claims the backup that is due and lets it fail.
func (p points) fail(t *testing.T) store.Claim {
	t.Helper()
	c, ok, err := p.db.Claim(t.Context(), "one", time.Minute, store.Concurrency{Backups: 1})
	if err != nil || !ok || c.Job.Kind != store.BackupJob {
		t.Fatalf("claimed %s %t, %v", c.Job.Kind, ok, err)
	}
	if err := p.db.FailBackup(t.Context(), c, store.Failure{Code: store.BackupStepFailed}); err != nil {
		t.Fatal(err)
	}
	if err := p.db.Release(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestScheduledBackups(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.start(t, 0, "without a target")
		p.target(t, "off-site")
		p.start(t, 0, "of a new store and target")
		readyAt := p.store(t, p.ready.ID).ReadyAt
		if b := p.backups(t); b.Every != 24 || !b.Next.After(readyAt) || b.Next.After(time.Now().Add(24*time.Hour)) {
			t.Errorf("the next is said to be every %d hours at %s", b.Every, b.Next)
		}
		change(t, url, `UPDATE stores SET ready_at = 1`)
		p.start(t, 0, "to a new target")
		change(t, url, fmt.Sprintf(`UPDATE stores SET ready_at = %d`, readyAt.UnixMicro()))
		change(t, url, `UPDATE backup_targets SET updated_at = 1`)
		p.start(t, 0, "of a new store")
		longAgo(t, url)
		if begun, err := p.db.UnguardedStartScheduledBackups(t.Context(), "another"); begun != 0 || err != nil {
			t.Errorf("in another cluster %d backups begin, %v", begun, err)
		}
		for changed, back := range map[string]string{
			`UPDATE stores SET status = 'failed'`: `UPDATE stores SET status = 'ready'`, `UPDATE stores SET desired = 'absent'`: `UPDATE stores SET desired = 'present'`,
			`UPDATE plans SET backup_every = 0`: `UPDATE plans SET backup_every = 24`, `UPDATE backup_targets SET in_use = FALSE`: `UPDATE backup_targets SET in_use = TRUE`,
		} {
			change(t, url, changed)
			p.start(t, 0, "after "+changed)
			if b := p.backups(t); !b.Next.IsZero() {
				t.Errorf("after %s the next is said to be at %s", changed, b.Next)
			}
			change(t, url, back)
		}
		p.start(t, 1, "of an old store")
		b := p.backups(t)
		if b.Job.Point.Reason != store.OnSchedule || b.Job.Priority != store.Scheduled || b.Job.AskedBy != (store.By{}) || !b.Next.After(b.Job.AskedAt) {
			t.Errorf("the backup is %+v, the next at %s", b.Job, b.Next)
		}
		p.start(t, 0, "during the backup")
		p.fail(t)
		p.start(t, 0, "after the failure")
		change(t, url, fmt.Sprintf(`UPDATE repositories SET scheduled_at = scheduled_at - %d`, (25*time.Hour).Microseconds()))
		p.start(t, 1, "in the next slot")
		p.fail(t)
		change(t, url, fmt.Sprintf(`UPDATE repositories SET scheduled_at = scheduled_at + %d`, time.Hour.Microseconds()))
		p.start(t, 0, "after the clock was set back")
		if got := p.told(t); got != "backup.scheduled/ backup.failed/ backup.scheduled/ backup.failed/" {
			t.Errorf("told are %s", got)
		}
	})
}

// What a person asks for goes before what is due by a plan.
func TestScheduledBackupsGiveWay(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		other := p.create(t, "Other")
		p.complete(t, p.claim(t, "one"))
		longAgo(t, url)
		change(t, url, `UPDATE stores SET desired = 'absent' WHERE id = '`+other.ID+`'`)
		p.start(t, 1, "of one store")
		change(t, url, `UPDATE stores SET desired = 'present' WHERE id = '`+other.ID+`'`)
		if _, err := p.db.BackUp(t.Context(), p.actor, other.ID, ""); err != nil {
			t.Fatal(err)
		}
		if c := p.fail(t); c.Store.ID != other.ID {
			t.Errorf("first comes %s", c.Store.Name)
		}
		if c := p.fail(t); c.Store.ID != p.ready.ID || c.Job.Point.Reason != store.OnSchedule {
			t.Errorf("then comes %+v", c.Job)
		}
	})
}

// Several processes that look at the same time begin one backup of each store, also when backups end as
// soon as they have begun.
func TestScheduledBackupsOfSeveralProcesses(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		fill(t, url, p.bundle, 20)
		longAgo(t, url)
		var all sync.WaitGroup
		for range 4 {
			db := storetest.Open(t, url, sealing(t, 1))
			all.Go(func() {
				for range 5 {
					if _, err := db.UnguardedStartScheduledBackups(t.Context(), p.cluster.ID); err != nil {
						t.Error(err)
					}
					if _, err := raw(t, url).ExecContext(t.Context(), `UPDATE jobs SET state = 'done', ended_at = asked_at WHERE kind = 'backup' AND ended_at = 0`); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		var jobs, stores int
		err := raw(t, url).QueryRowContext(t.Context(), `SELECT COUNT(*), COUNT(DISTINCT store_id) FROM jobs WHERE kind = 'backup'`).Scan(&jobs, &stores)
		if err != nil || jobs != 19 || stores != 19 { // of 21, two have failed
			t.Errorf("there are %d backups of %d stores, %v", jobs, stores, err)
		}
	})
}
