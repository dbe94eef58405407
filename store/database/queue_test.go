package database_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

func (b bundle) claim(t *testing.T, holder string) store.Claim {
	t.Helper()
	c, ok, err := b.db.Claim(t.Context(), holder, lease, store.Concurrency{})
	if err != nil || !ok {
		t.Fatalf("claim by %s: %v, %v", holder, ok, err)
	}
	return c
}

func (b bundle) advance(t *testing.T, c *store.Claim, p store.Progress) {
	t.Helper()
	st, err := b.db.Advance(t.Context(), *c, p)
	if err != nil {
		t.Fatalf("advance to %s: %v", p.Step, err)
	}
	*c = c.On(st)
}

func TestDeleteWhileProvisioningWins(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.create(t, "Shop")
		claim := b.claim(t, "one")
		b.advance(t, &claim, store.Progress{Step: store.StepNamespace})
		if _, err := b.db.RequestDelete(t.Context(), b.actor, st.ID, store.DeleteRequest{}); err != nil {
			t.Fatal(err)
		}
		for what, try := range map[string]func() error{
			"complete": func() error { _, err := b.db.Complete(t.Context(), claim, store.Opened{}); return err },
			"fail":     func() error { _, err := b.db.Fail(t.Context(), claim, store.Failure{Code: store.TimedOut}); return err },
			"advance": func() error {
				_, err := b.db.Advance(t.Context(), claim, store.Progress{Step: store.StepLimits})
				return err
			},
		} {
			if err := try(); !errors.Is(err, store.ErrStale) {
				t.Errorf("%s over a deletion: %v", what, err)
			}
		}
		now, err := b.db.FindStore(t.Context(), b.actor, st.ID)
		if err != nil || now.Status != store.Deleting || now.Generation != 2 {
			t.Fatalf("after the deletion was asked for: %+v, %v", now, err)
		}
		claim = claim.On(now) // the holder reads again and goes on with what is wanted now
		if _, err := b.db.Archive(t.Context(), claim, store.Note{}); err != nil {
			t.Error(err)
		}
	})
}

func TestRetryAndDeleteAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		for i := range 10 {
			st := b.create(t, fmt.Sprint("Shop ", i))
			if _, err := b.db.Fail(t.Context(), b.claim(t, "one"), store.Failure{Code: store.TimedOut}); err != nil {
				t.Fatal(err)
			}
			var both sync.WaitGroup
			both.Go(func() { _, _ = b.db.Retry(t.Context(), b.actor, st.ID) })
			both.Go(func() {
				if _, err := b.db.RequestDelete(t.Context(), b.actor, st.ID, store.DeleteRequest{}); err != nil {
					t.Error(err)
				}
			})
			both.Wait()
			if now, err := b.db.FindStore(t.Context(), b.actor, st.ID); err != nil || now.Status != store.Deleting || now.Desired != store.Absent {
				t.Fatalf("ended as %s, %v", now.Status, err)
			}
		}
	})
}

// Who works on one cluster takes no store that is placed in another: there it would find
// nothing, and call that gone.
func TestStoresOfAnotherClusterAreLeftAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.create(t, "Shop")
		elsewhere := store.Concurrency{Cluster: "another", Checks: 1}
		if c, ok, err := b.db.Claim(t.Context(), "one", time.Hour, elsewhere); ok || err != nil {
			t.Fatalf("it is taken as %+v, %v", c, err)
		}
		c, ok, err := b.db.Claim(t.Context(), "one", time.Hour, store.Concurrency{Cluster: st.ClusterID})
		if !ok || err != nil {
			t.Fatalf("it is not taken at home: %v", err)
		}
		if _, err := b.db.Complete(t.Context(), c, store.Opened{Check: store.Check{OK: true}, Next: time.Nanosecond}); err != nil {
			t.Fatal(err)
		}
		if err := b.db.Release(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := b.db.Claim(t.Context(), "one", time.Hour, elsewhere); ok || err != nil {
			t.Fatalf("it is checked from elsewhere, %v", err)
		}
	})
}

func TestLeaseIsHeldRenewedAndLost(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.create(t, "Shop")
		held := b.claim(t, "one")
		if _, ok, err := b.db.Claim(t.Context(), "two", lease, store.Concurrency{}); ok || err != nil {
			t.Fatalf("two hold one store: %v", err)
		}
		if err := b.db.Renew(t.Context(), held, time.Millisecond, time.Second); err != nil { // it ends soon
			t.Fatal(err)
		}
		taken := b.claimWhenFree(t, "two")
		if err := b.db.Renew(t.Context(), held, lease, 0); !errors.Is(err, store.ErrStale) {
			t.Errorf("renewed a lost claim: %v", err)
		}
		if _, err := b.db.Advance(t.Context(), held, store.Progress{Step: store.StepNamespace}); !errors.Is(err, store.ErrStale) {
			t.Errorf("worked under a lost claim: %v", err)
		}
		if err := b.db.Release(t.Context(), held); err != nil {
			t.Error(err)
		}
		if taken.Store.Job.Worked != time.Second {
			t.Errorf("the next holder knows of %v of work", taken.Store.Job.Worked)
		}
		b.advance(t, &taken, store.Progress{Step: store.StepNamespace})
	})
}

// claimWhenFree asks again until the lease has run out.
func (b bundle) claimWhenFree(t *testing.T, holder string) store.Claim {
	t.Helper()
	for t.Context().Err() == nil {
		c, ok, err := b.db.Claim(t.Context(), holder, lease, store.Concurrency{})
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			return c
		}
	}
	t.Fatal("the test's time is over")
	return store.Claim{}
}

func TestConcurrencyIsBoundedAndFair(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		other := b
		other.actor, other.team = storetest.Actor(t, b.db, "other")
		for _, name := range []string{"a1", "a2", "a3"} {
			b.create(t, name)
		}
		other.create(t, "b1")
		limit := store.Concurrency{Global: 3, PerCluster: 2}
		var order []string
		var claims []store.Claim
		for {
			c, ok, err := b.db.Claim(t.Context(), "one", lease, limit)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			b.advance(t, &c, store.Progress{Step: store.StepNamespace})
			order, claims = append(order, c.Store.Name), append(claims, c)
		}
		if got := fmt.Sprint(order); got != "[a1 b1]" {
			t.Fatalf("taken %s: two at a time a cluster, teams in turn", got)
		}
		if err := b.db.Release(t.Context(), claims[0]); err != nil {
			t.Fatal(err)
		}
		if c := b.claim(t, "two"); c.Store.Name != "a1" || c.Store.Job.Step != store.StepNamespace {
			t.Errorf("after a holder's end %s at %q goes on", c.Store.Name, c.Store.Job.Step)
		}
		if _, err := b.db.Complete(t.Context(), claims[1], store.Opened{}); err != nil {
			t.Fatal(err)
		}
		if c, ok, err := b.db.Claim(t.Context(), "one", lease, limit); err != nil || !ok || c.Store.Name != "a2" {
			t.Errorf("after one was done: %q, %v", c.Store.Name, err)
		}
	})
}

func TestEveryStoreIsClaimedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		const n = 30
		for i := range n {
			b.create(t, fmt.Sprint("Shop ", i))
		}
		taken := make(chan string, 2*n)
		var workers sync.WaitGroup
		for w := range 6 {
			workers.Go(func() {
				for {
					c, ok, err := b.db.Claim(t.Context(), fmt.Sprint("worker", w), lease, store.Concurrency{})
					if err != nil {
						t.Error(err)
					}
					if !ok {
						return
					}
					taken <- c.Store.ID
				}
			})
		}
		workers.Wait()
		close(taken)
		seen := map[string]bool{}
		for id := range taken {
			if seen[id] {
				t.Errorf("store %s was taken twice", id)
			}
			seen[id] = true
		}
		if len(seen) != n {
			t.Errorf("%d of %d stores were taken", len(seen), n)
		}
	})
}

func TestFeedDeliversInOrderAcrossProcesses(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		writer := b
		if b.db.SharedByProcesses() {
			writer.db = storetest.Open(t, url)
		}
		sub := b.db.Subscribe()
		defer sub.Close()
		var writers sync.WaitGroup
		const n = 40
		for i := range n {
			writers.Go(func() { writer.create(t, fmt.Sprint("Shop ", i)) })
		}
		last := int64(0)
		for got := 0; got < n; {
			e := <-sub.Events
			if last != 0 && e.Number != last+1 {
				t.Fatalf("event %d after %d", e.Number, last)
			}
			last = e.Number
			if e.Kind == store.StoreCreated {
				got++
			}
		}
		writers.Wait()
	})
}

func TestLaggingSubscriberIsClosed(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		lagging, reading := b.db.Subscribe(), b.db.Subscribe()
		defer reading.Close()
		const more = 300 // than a subscription holds
		for i := range more {
			b.create(t, fmt.Sprint("Shop ", i))
			if _, open := <-reading.Events; !open {
				t.Fatal("a reading subscriber was closed")
			}
		}
		n := 0
		for range lagging.Events {
			n++
		}
		if n >= more {
			t.Errorf("the lagging subscriber got all %d events", n)
		}
		lagging.Close()
	})
}

// A team that deletes all its stores, or a process that ends in the midst of much work, starts no
// more at once than the limits allow. One that waits for its namespace to go takes no place.
func TestRemovalsAndBegunWorkAreBounded(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		limit := store.Concurrency{Global: 2, Removals: 2}
		var claims []store.Claim
		for i := range 5 {
			b.create(t, fmt.Sprint("Shop ", i))
			claims = append(claims, b.claim(t, "one"))
			b.advance(t, &claims[i], store.Progress{Step: store.StepNamespace})
		}
		for _, c := range claims { // as a process does that ends
			if err := b.db.Release(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		if claims = b.claimAll(t, limit); len(claims) != 2 {
			t.Errorf("%d stores that were begun are worked on at once", len(claims))
		}
		for i := range 5 {
			st, err := b.db.CreateStore(t.Context(), b.actor, b.request(fmt.Sprint("Unwanted ", i)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.db.RequestDelete(t.Context(), b.actor, st.ID, store.DeleteRequest{}); err != nil {
				t.Fatal(err)
			}
		}
		if claims = b.claimAll(t, limit); len(claims) != 2 {
			t.Fatalf("%d stores are removed at once", len(claims))
		}
		b.advance(t, &claims[0], store.Progress{Step: store.StepVolumes})
		if more := b.claimAll(t, limit); len(more) != 0 {
			t.Errorf("%d more are removed while disks go", len(more))
		}
		b.advance(t, &claims[0], store.Progress{Step: store.StepRemove})
		if more := b.claimAll(t, limit); len(more) != 1 {
			t.Errorf("%d more are removed while one namespace goes", len(more))
		}
		if err := b.db.Release(t.Context(), claims[0]); err != nil {
			t.Fatal(err)
		}
		if more := b.claimAll(t, limit); len(more) != 1 || more[0].Store.ID != claims[0].Store.ID {
			t.Errorf("after its holder ended, %d others are taken up", len(more))
		}
	})
}

// claimAll claims until nothing is given out.
func (b bundle) claimAll(t *testing.T, limit store.Concurrency) (all []store.Claim) {
	t.Helper()
	for {
		c, ok, err := b.db.Claim(t.Context(), "one", lease, limit)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return all
		}
		all = append(all, c)
	}
}

// Stores in an unreachable cluster take no queue slots from the others.
func TestStoresThatNobodyHoldsTakeNoPlace(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		away := b
		var err error
		if away.cluster, err = b.db.EnsureCluster(t.Context(), store.ClusterSettings{Name: "away", BaseDomain: "away.localhost"}); err != nil {
			t.Fatal(err)
		}
		var claims []store.Claim
		for i := range 3 {
			away.create(t, fmt.Sprint("Away ", i))
			claims = append(claims, b.claim(t, "one"))
			b.advance(t, &claims[i], store.Progress{Step: store.StepNamespace})
		}
		for _, c := range claims {
			if err := b.db.Release(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		b.create(t, "Here")
		if got := b.claimAll(t, store.Concurrency{Cluster: b.cluster.ID, Global: 2}); len(got) != 1 || got[0].Store.Name != "Here" {
			t.Errorf("%d stores of the cluster are worked on", len(got))
		}
	})
}
