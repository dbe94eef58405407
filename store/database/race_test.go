package database_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// processes are several handles on the same records, where several processes may share
// them, and the same one several times where not.
func (b bundle) processes(t *testing.T, url string, n int) []*database.DB {
	t.Helper()
	var all []*database.DB
	for len(all) < n {
		db := b.db
		if b.db.SharedByProcesses() {
			db = storetest.Open(t, url, database.AnswerWithin(15*time.Minute)) // however busy the machine is
		}
		all = append(all, db)
	}
	return all
}

func TestProcessesRaceForOneAddress(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		processes := b.processes(t, url, 3)
		for round := range 5 {
			asked := b.request("Shop")
			asked.Slug = fmt.Sprint("shop-", round, "-x")
			results := make([]error, 12)
			made := make([]store.Store, len(results))
			var all sync.WaitGroup
			for i := range results {
				all.Go(func() { made[i], results[i] = processes[i%3].CreateStore(t.Context(), b.actor, asked) })
			}
			all.Wait()
			won := 0
			for i, err := range results {
				if err == nil {
					won++
					if made[i].Namespace != "store-"+asked.Slug || made[i].Host != asked.Slug+".localhost" {
						t.Errorf("made %+v", made[i])
					}
					continue
				}
				wantError(t, err, store.Conflict, "slug")
			}
			if won != 1 {
				t.Errorf("%d stores have the address", won)
			}
		}
	})
}

// Names that lead to the same address get addresses of their own, however fast they come.
func TestProcessesRaceForProposedAddresses(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		processes := b.processes(t, url, 3)
		results := make([]store.Store, 12)
		var all sync.WaitGroup
		for i := range results {
			all.Go(func() {
				var err error
				if results[i], err = processes[i%3].CreateStore(t.Context(), b.actor, b.request("Shop")); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		seen := map[string]bool{}
		for _, st := range results {
			if seen[st.Slug] || seen[st.Host] || seen[st.Namespace] {
				t.Errorf("%s is there twice", st.Slug)
			}
			seen[st.Slug], seen[st.Host], seen[st.Namespace] = true, true, true
		}
	})
}

// Retry and delete are pressed by many at once while a worker fails the store again and
// again. It must end deleted, and the story must be whole.
func TestRetryAndDeletePressedByMany(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		processes := b.processes(t, url, 3)
		told := story{sub: b.db.Subscribe()}
		defer told.sub.Close()
		st := b.create(t, "Shop")
		working := make(chan struct{})
		var worker sync.WaitGroup
		worker.Go(func() { b.failUntil(t, processes[1], working) })
		var all sync.WaitGroup
		retried := make(chan struct{})
		first := sync.OnceFunc(func() { close(retried) })
		for i := range 6 {
			all.Go(func() { b.pressRetry(t, processes[i%3], st.ID, first) })
			all.Go(func() { b.pressDelete(t, processes[i%3], st.ID, retried) })
		}
		all.Wait()
		close(working)
		worker.Wait()

		now, err := b.db.UnguardedStore(t.Context(), st.ID)
		if err != nil || now.Status != store.Deleting || now.Desired != store.Absent {
			t.Fatalf("ended as %+v, %v", now, err)
		}
		told.until(t, newest(t, b.db))
		b.wantOneStory(t, now)
		claim := b.claimWhenFree(t, "last")
		if _, err := processes[2].Archive(t.Context(), claim, store.Note{}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.db.Retry(t.Context(), b.actor, st.ID); store.ErrorCode(err) != store.NotFound {
			t.Errorf("a deleted store was retried: %v", err)
		}
		if c, ok, err := b.db.Claim(t.Context(), "nobody", lease, store.Concurrency{}); ok || err != nil {
			t.Errorf("there is work left on %+v, %v", c.Store, err)
		}
	})
}

// pressRetry presses until the store is to be removed.
func (b bundle) pressRetry(t *testing.T, db *database.DB, id string, first func()) {
	for t.Context().Err() == nil {
		_, err := db.Retry(t.Context(), b.actor, id)
		if err == nil {
			first()
		} else if store.ErrorCode(err) != store.Conflict {
			t.Errorf("retry: %v", err)
			return
		}
		if st, err := db.UnguardedStore(t.Context(), id); err != nil || st.Desired == store.Absent {
			return
		}
	}
}

// pressDelete presses several times, once somebody has retried.
func (b bundle) pressDelete(t *testing.T, db *database.DB, id string, retried <-chan struct{}) {
	<-retried
	for range 4 {
		if _, err := db.RequestDelete(t.Context(), b.actor, id, store.DeleteRequest{}); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
}

// failUntil claims jobs and fails them, like a provisioner on a broken cluster.
func (b bundle) failUntil(t *testing.T, db *database.DB, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		c, ok, err := db.Claim(t.Context(), "worker", lease, store.Concurrency{})
		if err != nil {
			t.Errorf("claim: %v", err)
		}
		if !ok {
			continue
		}
		if c.Store.Desired == store.Present {
			if _, err := db.Fail(t.Context(), c, store.Failure{Code: store.TimedOut}); err != nil && !errors.Is(err, store.ErrStale) {
				t.Errorf("fail: %v", err)
			}
		}
		if err := db.Release(t.Context(), c); err != nil {
			t.Errorf("release: %v", err)
		}
	}
}

// wantOneStory expects that the store's events tell of one generation after the other, and
// of nothing but its removal once that was asked for.
func (b bundle) wantOneStory(t *testing.T, st store.Store) {
	t.Helper()
	events, err := b.db.StoreEvents(t.Context(), b.actor, st.ID)
	if err != nil {
		t.Fatal(err)
	}
	generation, removed := int64(0), 0
	for _, e := range events {
		switch e.Kind {
		case store.StoreCreated, store.StoreRetried, store.StoreDeleteAsked:
			if e.Data.Generation != generation+1 {
				t.Errorf("generation %d follows generation %d", e.Data.Generation, generation)
			}
		default:
			if e.Data.Generation != generation {
				t.Errorf("%s tells of generation %d in generation %d", e.Kind, e.Data.Generation, generation)
			}
		}
		generation = e.Data.Generation
		if removed += count(e.Kind == store.StoreDeleteAsked); removed > 0 && e.Data.Status != store.Deleting {
			t.Errorf("%s after the removal was asked for: %s", e.Kind, e.Data.Status)
		}
	}
	if removed != 1 || generation != st.Generation {
		t.Errorf("the removal was asked for %d times; generation %d of %d", removed, generation, st.Generation)
	}
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

func TestNoStoreIsHeldTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		const stores, rounds = 4, 15
		for i := range stores {
			b.create(t, fmt.Sprint("Shop ", i))
		}
		var held sync.Map
		var all sync.WaitGroup
		for i, db := range b.processes(t, url, 8) {
			all.Go(func() {
				holder := fmt.Sprint("worker", i)
				for range rounds {
					c, ok, err := db.Claim(t.Context(), holder, lease, store.Concurrency{})
					if err != nil {
						t.Error(err)
					}
					if !ok {
						continue
					}
					if other, taken := held.LoadOrStore(c.Store.ID, holder); taken {
						t.Errorf("%s and %s hold %s", holder, other, c.Store.Name)
					}
					if err := db.Renew(t.Context(), c, lease, 0); err != nil {
						t.Errorf("renew: %v", err)
					}
					held.Delete(c.Store.ID)
					if err := db.Release(t.Context(), c); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
	})
}

// The next holder may be the same process: a worker that was too slow for its lease, and another.
func TestHolderWhoseLeaseRanOutMayDoNothing(t *testing.T) {
	for _, next := range []string{"fresh", "old"} {
		t.Run("next holder "+next, func(t *testing.T) { lostClaimMayDoNothing(t, next) })
	}
}

func lostClaimMayDoNothing(t *testing.T, next string) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.create(t, "Shop")
		old, ok, err := b.db.Claim(t.Context(), "old", 50*time.Millisecond, store.Concurrency{})
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		fresh := b.claimWhenFree(t, next)
		b.advance(t, &fresh, store.Progress{Step: store.StepNamespace})
		before := newest(t, b.db)
		for what, try := range map[string]func() error{
			"renew": func() error { return b.db.Renew(t.Context(), old, lease, 0) },
			"advance": func() error {
				_, err := b.db.Advance(t.Context(), old, store.Progress{Step: store.StepLimits})
				return err
			},
			"complete": func() error { _, err := b.db.Complete(t.Context(), old, store.Opened{}); return err },
			"fail":     func() error { _, err := b.db.Fail(t.Context(), old, store.Failure{Code: store.TimedOut}); return err },
			"archive":  func() error { _, err := b.db.Archive(t.Context(), old, store.Note{}); return err },
		} {
			if err := try(); !errors.Is(err, store.ErrStale) {
				t.Errorf("%s under a lost claim: %v", what, err)
			}
		}
		if err := b.db.Release(t.Context(), old); err != nil {
			t.Error(err)
		}
		now, err := b.db.UnguardedStore(t.Context(), fresh.Store.ID)
		if err != nil || now.Job.Step != store.StepNamespace || now.Status != store.Provisioning || newest(t, b.db) != before {
			t.Errorf("the old holder left its mark: %+v, %v", now, err)
		}
		b.advance(t, &fresh, store.Progress{Step: store.StepLimits})
	})
}
