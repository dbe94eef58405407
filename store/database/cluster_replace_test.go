package database_test

import (
	"errors"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
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

func TestReplacedClusterGetsItsStoresBack(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		if err := p.db.RecordClusterSeen(t.Context(), p.cluster.ID, "lost", "1.36", false); err != nil {
			t.Fatal(err)
		}
		p.target(t, "off-site")
		p.made(t, wholeManifest())
		newest := p.made(t, wholeManifest())
		bare := p.create(t, "Bare")
		p.complete(t, p.claim(t, "one"))
		going := p.create(t, "Going")
		p.complete(t, p.claim(t, "one"))
		if _, err := p.db.RequestDelete(t.Context(), p.actor, going.ID, store.DeleteRequest{}); err != nil {
			t.Fatal(err)
		}
		_, err := p.db.Replacement(t.Context(), p.actor, p.cluster.ID)
		wantError(t, err, store.NotFound, "")
		wantError(t, p.db.ReplaceCluster(t.Context(), p.actor, p.cluster.ID, "other"), store.NotFound, "")
		wantError(t, p.db.ReplaceCluster(t.Context(), p.admin, "none", "other"), store.NotFound, "")
		before, err := p.db.Replacement(t.Context(), p.admin, p.cluster.ID)
		if err != nil || !before.At.IsZero() || len(before.Stores) != 2 || before.Stores[0].Point.ID != newest.ID || before.Stores[1].Store.ID != bare.ID || before.Stores[1].CanReturn() {
			t.Fatalf("before there are %+v, %v", before, err)
		}
		replace := func(answering string) error {
			return p.db.ReplaceCluster(t.Context(), p.admin, p.cluster.ID, answering)
		}
		for _, answering := range []string{"", "lost"} {
			wantError(t, replace(answering), store.Conflict, "")
		}
		if err := replace("other"); err != nil {
			t.Fatal(err)
		}
		generation := p.store(t, p.ready.ID).Generation
		change(t, url, `UPDATE clusters SET uid = 'lost'`) // as after a failure halfway
		if err := replace("other"); err != nil {
			t.Fatal(err)
		}
		wantError(t, replace("other"), store.Conflict, "")
		if st := p.store(t, p.ready.ID); !st.Returning() || st.Origin.Point != newest.ID || st.Generation != generation || !st.Job.Change.Elsewhere {
			t.Errorf("it is %+v", st)
		}
		if err := p.db.RecordClusterSeen(t.Context(), p.cluster.ID, "lost", "1.36", false); !errors.Is(err, store.ErrStale) {
			t.Errorf("the lost cluster is worked with again: %v", err)
		}
		if err := p.db.RecordClusterSeen(t.Context(), p.cluster.ID, "other", "1.37", false); err != nil {
			t.Errorf("the other cluster is refused: %v", err)
		}
		p.wantReturn(t, store.Waits)
		p.lose(t, bare.ID)
		p.wantReturn(t, store.Waits)
		c := p.claim(t, "one")
		p.advance(t, &c, store.Progress{Step: store.StepData})
		p.wantReturn(t, store.Returns)
		if _, err := p.db.RecordData(t.Context(), c, nil); err != nil {
			t.Fatal(err)
		}
		p.complete(t, c)
		p.wantReturn(t, store.Returned)
		wantError(t, replace("other"), store.Conflict, "")
		if st := p.store(t, p.ready.ID); st.Status != store.Ready {
			t.Errorf("a store that is back is %s", st.Status)
		}
	})
}

// wantReturn checks how far the store with points is, and that the one without is lost.
func (p points) wantReturn(t *testing.T, with store.Return) {
	t.Helper()
	r, err := p.db.Replacement(t.Context(), p.admin, p.cluster.ID)
	if err != nil || r.At.IsZero() || len(r.Stores) != 2 {
		t.Fatalf("there are %+v, %v", r, err)
	}
	if a, b := r.Stores[0].State(), r.Stores[1].State(); a != with || b != store.ReturnsNot {
		t.Errorf("they are %s and %s, want %s and lost", a, b, with)
	}
}

// Stores of larger plans come first.
func TestStoresComeBackInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		p.made(t, wholeManifest())
		small := p.ready
		if _, err := storetest.Beside(t, url).ExecContext(t.Context(), `UPDATE stores SET plan = 'free' WHERE id = $1`, small.ID); err != nil {
			t.Fatal(err)
		}
		p.ready = p.create(t, "Large")
		p.complete(t, p.claim(t, "one"))
		p.made(t, wholeManifest())
		if err := p.db.RecordClusterSeen(t.Context(), p.cluster.ID, "wiped", "1.36", false); err != nil {
			t.Fatal(err)
		}
		back, lost, err := p.db.UnguardedReplaceClusters(t.Context())
		if err != nil || back != 2 || lost != 0 {
			t.Fatalf("%d come back, %d don't, %v", back, lost, err)
		}
		if c := p.claim(t, "one"); c.Store.ID != p.ready.ID {
			t.Errorf("%s is first", c.Store.Name)
		}
		if err := p.db.RecordClusterSeen(t.Context(), p.cluster.ID, "wiped", "1.36", false); err != nil {
			t.Errorf("the same cluster, wiped, can't take its place: %v", err)
		}
	})
}
