package database_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

func (p points) startDue(t *testing.T, want bool, when string) store.Drill {
	t.Helper()
	d, begun, err := p.db.UnguardedStartDueDrill(t.Context(), p.cluster.ID)
	if begun != want || err != nil {
		t.Errorf("%s a drill begins: %t, %v", when, begun, err)
	}
	return d
}

func TestDrillsBeginOnSchedule(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		p.startDue(t, false, "without a point")
		point := p.made(t, wholeManifest())
		if next := p.drills(t).Next; next.Before(point.EndedAt) || next.After(point.EndedAt.Add(24*time.Hour)) {
			t.Errorf("the first is at %s", next)
		}
		change(t, url, `UPDATE restore_points SET ended_at = ended_at - 86400000000`) // a day
		if d, begun, err := p.db.UnguardedStartDueDrill(t.Context(), "another"); begun || err != nil {
			t.Errorf("in another cluster %+v begins, %v", d, err)
		}
		for changed, back := range map[string]string{
			`UPDATE stores SET status = 'failed'`: `UPDATE stores SET status = 'ready'`, `UPDATE stores SET desired = 'absent'`: `UPDATE stores SET desired = 'present'`,
			`UPDATE plans SET drill_every = 0`: `UPDATE plans SET drill_every = 7`, `UPDATE restore_points SET expired_at = 1`: `UPDATE restore_points SET expired_at = 0`,
			`UPDATE restore_points SET manifest = '{"simulated":true}'`: `UPDATE restore_points SET manifest = '{"snapshot":"c"}'`,
		} {
			change(t, url, changed)
			p.startDue(t, false, "after "+changed)
			change(t, url, back)
		}
		d := p.startDue(t, true, "a day after the first point")
		if told := p.toldOfDrills(t); d.StoreID != p.ready.ID || kinds(told) != "drill.scheduled/" || told[0].Audit || p.store(t, d.ID).CreatedBy != p.ready.CreatedBy {
			t.Errorf("the drill is %+v, told is %+v", d, told)
		}
		p.startDue(t, false, "while one goes on")
		p.passDrill(t)
		p.startDue(t, false, "just after one")
		change(t, url, `UPDATE drills SET began_at = began_at - 604800000000, ended_at = ended_at - 604800000000`) // a week
		p.startDue(t, true, "a week later")
	})
}

// Several processes that look at the same time begin one drill in a cluster, that of the store that has waited for
// longest; the others have their turn when it has ended.
func TestOneDrillGoesOnInACluster(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p, _ := setupDrills(t, url)
		fill(t, url, p.bundle, 8)
		change(t, url, `INSERT INTO restore_points (id, store_id, target_id, reason, manifest, began_at, ended_at)
			SELECT 'point-' || s.id, s.id, t.id, 'manual', '{"snapshot":"c"}', 1, s.created_at FROM stores s CROSS JOIN backup_targets t WHERE s.id LIKE 'store-%'`)
		change(t, url, `UPDATE restore_points SET ended_at = 9000000 WHERE ended_at > 9000000`)
		seen := map[string]bool{}
		for range 4 {
			var all sync.WaitGroup
			for range 4 {
				db := storetest.Open(t, url, sealing(t, 1))
				all.Go(func() {
					for range 3 {
						if _, _, err := db.UnguardedStartDueDrill(t.Context(), p.cluster.ID); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
			if n := countRows(t, url, "drills WHERE ended_at = 0"); n != 1 {
				t.Fatalf("%d drills go on", n)
			}
			c := p.claim(t, "one")
			seen[c.Store.Origin.StoreID] = true
			st, err := p.db.Complete(t.Context(), c, store.Opened{})
			if err == nil {
				_, err = p.db.Archive(t.Context(), c.On(st), store.Note{})
			}
			if err := errors.Join(err, p.db.Release(t.Context(), c)); err != nil {
				t.Fatal(err)
			}
		}
		for _, id := range []string{"store-2", "store-3", "store-4", "store-5"} { // the first one has failed
			if !seen[id] {
				t.Errorf("%s has not had its turn: %v", id, seen)
			}
		}
	})
}

// Nobody waits for a drill: it begins where there is a place and nothing else to do, and takes nobody's place then.
func TestDrillsGiveWay(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p, _ := setupDrills(t, url)
		limit := store.Concurrency{Global: 1, PerCluster: 1}
		take := func(want string) store.Claim {
			t.Helper()
			c, ok, err := p.db.Claim(t.Context(), "one", time.Minute, limit)
			if err != nil || c.Store.Name != want || ok != (want != "") {
				t.Fatalf("claimed is %q, want %q, %v", c.Store.Name, want, err)
			}
			return c
		}
		p.drill(t)
		p.create(t, "Pressed")
		pressed := take("Pressed")
		take("") // the drill finds no place
		if _, err := p.db.Complete(t.Context(), pressed, store.Opened{}); err != nil {
			t.Fatal(err)
		}
		drill := take("Drill of Tea & Tonic")
		p.advance(t, &drill, store.Progress{Step: store.StepNamespace})

		other := p.create(t, "Other")
		held := take("Other") // beside the drill
		change(t, url, `INSERT INTO restore_points (id, store_id, target_id, reason, manifest, began_at, ended_at)
			SELECT 'another', '`+other.ID+`', t.id, 'manual', '{"snapshot":"c"}', 1, 2 FROM backup_targets t`)
		if _, err := p.db.StartDrill(t.Context(), p.actor, other.ID, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := p.db.Complete(t.Context(), held, store.Opened{}); err != nil {
			t.Fatal(err)
		}
		limit = store.Concurrency{Global: 9, PerCluster: 9}
		take("") // one drill at a time
		limit = store.Concurrency{Global: 1, PerCluster: 1}
		if err := p.db.Release(t.Context(), drill); err != nil {
			t.Fatal(err)
		}
		p.create(t, "Third")
		take("Third")
		drill = take("Drill of Tea & Tonic") // one that was begun goes on, whatever else does
		if _, err := p.db.Complete(t.Context(), drill, store.Opened{}); err != nil {
			t.Fatal(err)
		}
		limit = store.Concurrency{Global: 3, PerCluster: 3}
		take("Drill of Other")
	})
}
