package database_test

import (
	"testing"

	"shopwright.dev/shopwright/store"
)

// lose has a store that is ready lose its data.
func (b bundle) lose(t *testing.T, id string) {
	t.Helper()
	if err := b.db.UnguardedRepairMissing(t.Context(), id, store.Note{Code: store.NamespaceMissing}); err != nil {
		t.Fatal(err)
	}
	c := b.claim(t, "one")
	if _, err := b.db.Fail(t.Context(), c, store.Failure{Code: store.DataLost}); err != nil {
		t.Fatal(err)
	}
	if err := b.db.Release(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func TestRebuildWithARestorePoint(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		point := p.made(t, wholeManifest())
		other := p.create(t, "Other")
		p.complete(t, p.claim(t, "one"))
		p.lose(t, other.ID)
		_, err := p.db.Rebuild(t.Context(), p.actor, other.ID, point.ID)
		wantError(t, err, store.NotFound, "")
		p.lose(t, p.ready.ID)
		st, err := p.db.Rebuild(t.Context(), p.actor, p.ready.ID, point.ID)
		if err != nil || !st.Returning() || !st.Origin.Pending() || st.Origin.Point != point.ID || st.Origin.URL != p.ready.URL || len(st.Volumes) != 0 {
			t.Fatalf("rebuilt it is %+v, %v", st, err)
		}
		if steps := st.Job.Steps(); len(steps) != len(store.RestoreSteps()) {
			t.Errorf("its steps are %v", steps)
		}
		c := p.claim(t, "one")
		if _, err := p.db.Fail(t.Context(), c, store.Failure{Code: store.PointGone}); err != nil {
			t.Fatal(err)
		}
		if st = p.store(t, st.ID); !st.CanRebuild() {
			t.Error("after the restore failed it can't be rebuilt empty")
		}
		if st, err = p.db.Retry(t.Context(), p.actor, st.ID); err != nil || st.Job.Data != point.ID || !st.Returning() {
			t.Errorf("tried again it is %+v, %v", st, err)
		}
	})
}
