package database_test

import (
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

// erasures are those of stores that were deleted an hour ago.
func (p points) erasures(t *testing.T) []store.Erasure {
	t.Helper()
	all, err := p.db.UnguardedBeginErasures(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPointsOfADeletedStoreAreErased(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "old")
		p.made(t, wholeManifest())
		p.target(t, "off-site")
		p.made(t, wholeManifest())
		p.archive(t, p.ready.ID)
		if due := p.erasures(t); len(due) != 0 {
			t.Errorf("at once %+v are erased", due)
		}
		if stores, err := p.db.DeletedStores(t.Context(), p.actor); err != nil || len(stores) != 1 {
			t.Errorf("deleted stores are %+v, %v", stores, err)
		}
		change(t, url, `UPDATE stores SET deleted_at = 1 WHERE deleted_at > 0`)
		if due := p.erasures(t); len(due) != 0 {
			t.Errorf("of a version that erased nothing %+v are erased at once", due)
		}
		change(t, url, `UPDATE counters SET value = 1 WHERE name = 'erasures'`)
		due := p.erasures(t)
		if len(due) != 2 || due[0].StoreID != p.ready.ID || !strings.HasPrefix(due[0].Target.Secret, "hidden-") {
			t.Fatalf("to be erased are %+v", due)
		}
		if stores, err := p.db.DeletedStores(t.Context(), p.actor); err != nil || len(stores) != 0 {
			t.Errorf("meanwhile %+v can be restored, %v", stores, err)
		}
		left := func(table string) (n int) {
			t.Helper()
			if err := raw(t, url).QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for i, e := range due {
			for range 2 { // by another replica, too
				if err := p.db.UnguardedErased(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			if points, passwords := left("restore_points"), left("repositories"); points != 1-i || passwords != 1-i {
				t.Errorf("after %d there are %d points and %d passwords", i+1, points, passwords)
			}
		}
		told := 0
		for _, e := range p.audit(t, p.admin, store.AuditQuery{}) {
			if e.Kind == store.PointsErased {
				told++
			}
		}
		if told != 2 {
			t.Errorf("the audit log tells it %d times", told)
		}
	})
}

// A point that is being restored is not erased, nor are the others of its store.
func TestErasureWaitsForARestore(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		point := p.made(t, wholeManifest())
		p.archive(t, p.ready.ID)
		if _, err := p.restore(t, p.actor, p.team, point.ID); err != nil {
			t.Fatal(err)
		}
		change(t, url, `UPDATE stores SET deleted_at = 1 WHERE deleted_at > 0`)
		change(t, url, `INSERT INTO counters (name, value) VALUES ('erasures', 1)`)
		if due := p.erasures(t); len(due) != 0 {
			t.Errorf("meanwhile %+v are erased", due)
		}
		if _, err := p.db.RecordData(t.Context(), p.claim(t, "one"), nil); err != nil {
			t.Fatal(err)
		}
		if due := p.erasures(t); len(due) != 1 {
			t.Errorf("afterwards %+v are erased", due)
		}
	})
}
