package database_test

import (
	"sync"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// point makes a restore point of the store.
func (p points) point(t *testing.T, note string) store.RestorePoint {
	t.Helper()
	c := p.backUp(t, note)
	if err := p.db.RecordPoint(t.Context(), c, wholeManifest()); err != nil {
		t.Fatal(err)
	}
	if err := p.db.Release(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return p.backups(t).Points[0]
}

func TestPointsAreReadPageByPage(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		for _, note := range []string{"one", "two", "three", "four", "five"} {
			p.point(t, note)
		}
		if _, err := raw(t, url).ExecContext(t.Context(), `UPDATE restore_points SET ended_at = 7 WHERE note IN ('two', 'three')`); err != nil {
			t.Fatal(err) // so that only their ids tell them apart
		}
		var got []string
		after := ""
		for range 4 {
			b, err := p.db.ListBackups(t.Context(), p.actor, p.ready.ID, store.PointQuery{After: after, Limit: 2})
			if err != nil || len(b.Points) > 2 || b.Target != "off-site" {
				t.Fatalf("a page is %+v, %v", b, err)
			}
			for _, point := range b.Points {
				got, after = append(got, point.Note), point.ID
			}
		}
		if all := p.backups(t).Points; len(got) != 5 || len(all) != 5 {
			t.Errorf("the pages have %v, of %d points", got, len(all))
		}
		seen := map[string]bool{}
		for _, note := range got {
			seen[note] = true
		}
		if len(seen) != 5 || got[0] != "five" || got[1] != "four" || got[2] != "one" {
			t.Errorf("the pages have %v", got)
		}
		_, err := p.db.ListBackups(t.Context(), p.actor, p.ready.ID, store.PointQuery{After: store.NewID()})
		wantError(t, err, store.Invalid, "after")
	})
}

// What another store has, and what a stranger asks for, is not there.
func TestPointsAndBackupsOfOneStore(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		want := p.point(t, "before the sale")
		other := p.create(t, "Other")
		stranger, _ := storetest.Actor(t, p.db, "noor")
		if got, err := p.db.Point(t.Context(), p.actor, p.ready.ID, want.ID); err != nil || got != want {
			t.Errorf("the point is %+v, %v", got, err)
		}
		job, events, err := p.db.Backup(t.Context(), p.actor, p.ready.ID, want.ID)
		if err != nil || job.State != store.JobDone || job.Point.Note != "before the sale" || kinds(events) != "backup.asked/ backup.done/" {
			t.Errorf("the backup is %+v with %s, %v", job, kinds(events), err)
		}
		for what, ask := range map[string]struct {
			actor store.Actor
			store string
			id    string
		}{
			"a stranger":          {stranger, p.ready.ID, want.ID},
			"of another store":    {p.actor, other.ID, want.ID},
			"none such":           {p.actor, p.ready.ID, store.NewID()},
			"no backup but a job": {p.actor, p.ready.ID, p.ready.Job.ID},
		} {
			if _, _, err := p.db.Backup(t.Context(), ask.actor, ask.store, ask.id); store.ErrorCode(err) != store.NotFound {
				t.Errorf("the backup, %s: %v", what, err)
			}
			if _, err := p.db.Point(t.Context(), ask.actor, ask.store, ask.id); store.ErrorCode(err) != store.NotFound {
				t.Errorf("the point, %s: %v", what, err)
			}
		}
		_, err = p.db.ListBackups(t.Context(), p.actor, other.ID, store.PointQuery{After: want.ID})
		wantError(t, err, store.Invalid, "after")
	})
}

func TestOneKeyMakesOneBackup(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		var (
			all sync.WaitGroup
			mu  sync.Mutex
			ids = map[string]int{}
		)
		for range 6 {
			all.Go(func() {
				id, err := p.db.BackUpOnce(t.Context(), p.actor, p.ready.ID, "nightly", once("a key", "nightly"))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				ids[id]++
			})
		}
		all.Wait()
		b := p.backups(t)
		if len(ids) != 1 || ids[b.Job.ID] != 6 {
			t.Errorf("the answers are %v, the backup is %+v", ids, b.Job)
		}
		_, err := p.db.BackUpOnce(t.Context(), p.actor, p.ready.ID, "other", once("a key", "other"))
		wantError(t, err, store.Invalid, "Idempotency-Key")
		_, err = p.db.BackUpOnce(t.Context(), p.actor, p.ready.ID, "", once("second", ""))
		wantError(t, err, store.Conflict, "")
		stranger, _ := storetest.Actor(t, p.db, "noor")
		_, err = p.db.BackUpOnce(t.Context(), stranger, p.ready.ID, "", once("a key", "nightly"))
		wantError(t, err, store.NotFound, "")
	})
}
