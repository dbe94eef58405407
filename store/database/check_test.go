package database_test

import (
	"fmt"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

// open brings a new store to its end, checked, with its next check due after that time.
func (b bundle) open(t *testing.T, name string, next time.Duration) store.Store {
	t.Helper()
	st := b.create(t, name)
	c := b.claim(t, "opener")
	b.advance(t, &c, store.Progress{Step: store.StepCheck})
	if _, err := b.db.Complete(t.Context(), c, store.Opened{Check: store.Check{OK: true, Order: "1"}, Next: next}); err != nil {
		t.Fatal(err)
	}
	if err := b.db.Release(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return b.store(t, st.ID)
}

// claimCheck takes the next store that is due, while no more than so many are checked.
func (b bundle) claimCheck(t *testing.T, atOnce int) (store.Claim, bool) {
	t.Helper()
	c, ok, err := b.db.Claim(t.Context(), "checker", lease, store.Concurrency{Checks: atOnce})
	if err != nil {
		t.Fatal(err)
	}
	return c, ok
}

// check makes the check that is due, with that outcome.
func (b bundle) check(t *testing.T, outcome store.Check, next time.Duration) {
	t.Helper()
	c, due := b.claimCheck(t, 1)
	if !due {
		t.Fatal("nothing is due")
	}
	if _, err := b.db.RecordCheck(t.Context(), c, outcome, next); err != nil {
		t.Fatal(err)
	}
	if err := b.db.Release(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func TestChecksThatAreDue(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.open(t, "Never", 0)
		b.open(t, "Later", time.Hour)
		first, second := b.open(t, "First", time.Nanosecond), b.open(t, "Second", time.Nanosecond)
		if _, ok := b.claimCheck(t, 0); ok {
			t.Error("checked while nothing may be")
		}
		c, ok := b.claimCheck(t, 1)
		if !ok || c.Store.ID != first.ID {
			t.Fatalf("due is %q", c.Store.Name)
		}
		if other, ok := b.claimCheck(t, 1); ok {
			t.Errorf("%s is checked beside it", other.Store.Name)
		}
		if other, ok := b.claimCheck(t, 2); !ok || other.Store.ID != second.ID {
			t.Errorf("then due is %q", other.Store.Name)
		}
		if _, ok := b.claimCheck(t, 9); ok {
			t.Error("something is checked before its time")
		}
		fresh := b.create(t, "Fresh")
		if next, ok := b.claimCheck(t, 9); !ok || next.Store.ID != fresh.ID {
			t.Error("a new store waits for checks")
		}
	})
}

func TestTwoFailedChecksMakeAStoreDegraded(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		opened := b.open(t, "Shop", time.Nanosecond)
		if last := opened.Health.Last; !last.OK || last.Order != "1" || last.At.IsZero() {
			t.Errorf("opened with %+v", last)
		}
		record := func(ok bool) store.Store {
			t.Helper()
			b.check(t, store.Check{OK: ok, Failed: "cart", Note: store.Quote("No.")}, time.Nanosecond)
			return b.store(t, opened.ID)
		}
		for n, c := range []struct {
			ok       bool
			status   store.Status
			failures int
		}{
			{false, store.Ready, 1}, {true, store.Ready, 0}, {false, store.Ready, 1}, {false, store.Degraded, 2}, {false, store.Degraded, 3}, {true, store.Ready, 0},
		} {
			if st := record(c.ok); st.Status != c.status || st.Health.Failures != c.failures || st.Generation != opened.Generation {
				t.Errorf("check %d: %s after %d failures", n, st.Status, st.Health.Failures)
			}
		}
	})
}

func TestCheckNow(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		young := b.create(t, "Young")
		_, err := b.db.CheckNow(t.Context(), b.actor, young.ID)
		wantError(t, err, store.Conflict, "")
		c := b.claim(t, "one")
		if _, err := b.db.Fail(t.Context(), c, store.Failure{Code: store.TimedOut}); err != nil {
			t.Fatal(err)
		}
		st := b.open(t, "Shop", time.Hour)
		viewer := store.Actor{UserID: b.actor.UserID, Roles: map[string]store.Role{b.team: store.Viewer}}
		_, err = b.db.CheckNow(t.Context(), viewer, st.ID)
		wantError(t, err, store.Forbidden, "")
		if _, err := b.db.CheckNow(t.Context(), b.actor, st.ID); err != nil {
			t.Fatal(err)
		}
		c, due := b.claimCheck(t, 1)
		if !due || c.Store.ID != st.ID || !c.Job.Place {
			t.Fatalf("due is %+v", c.Store)
		}
		if _, err := b.db.RequestDelete(t.Context(), b.actor, st.ID, store.DeleteRequest{}); err != nil {
			t.Fatal(err)
		}
		_, err = b.db.RecordCheck(t.Context(), c, store.Check{OK: true}, time.Hour)
		if err == nil || b.store(t, st.ID).Status != store.Deleting {
			t.Errorf("a store that is to go is called ready: %v", err)
		}
	})
}

// Who asks while a check is going on gets one of their own, with an order.
func TestCheckNowDuringACheck(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.open(t, "Shop", time.Nanosecond)
		c, due := b.claimCheck(t, 1)
		if !due {
			t.Fatal("nothing is due")
		}
		if _, err := b.db.CheckNow(t.Context(), b.actor, st.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := b.db.RecordCheck(t.Context(), c, store.Check{OK: true}, time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := b.db.Release(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if c, due = b.claimCheck(t, 1); !due || !c.Job.Place {
			t.Errorf("what was asked for is forgotten: %+v", b.store(t, st.ID).Health)
		}
	})
}

// A check that is asked for while somebody else changes the store is asked for all the same.
func TestChecksAreAskedForAmongOtherChanges(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		if !b.db.SharedByProcesses() { // one writer comes after another there
			return
		}
		st, records := b.open(t, "Shop", 0), raw(t, url)
		other, err := records.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.ExecContext(t.Context(), `UPDATE stores SET generation = generation + 1 WHERE id = $1`, st.ID); err != nil {
			t.Fatal(err)
		}
		asked := make(chan error, 1)
		go func() {
			_, err := b.db.CheckNow(t.Context(), b.actor, st.ID)
			asked <- err
		}()
		for waits := false; !waits; {
			err := records.QueryRowContext(t.Context(), `
				SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
					WHERE NOT l.granted AND a.datname = current_database() AND a.query LIKE '%UPDATE stores%')`).Scan(&waits)
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := other.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := <-asked; err != nil {
			t.Errorf("asked for, and told %v", err)
		}
		if now := b.store(t, st.ID); !now.CheckAsked || now.Generation != st.Generation+1 {
			t.Errorf("the store is %+v", now)
		}
	})
}

// A person who asked for a check waits for it: it comes before those that are due by the clock.
func TestChecksThatPeopleAskForComeFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		for i := range 3 {
			b.open(t, fmt.Sprint("Due ", i), time.Nanosecond)
		}
		var asked []store.Store
		for _, name := range []string{"Asked", "Asked next"} {
			st := b.open(t, name, time.Hour)
			if _, err := b.db.CheckNow(t.Context(), b.actor, st.ID); err != nil {
				t.Fatal(err)
			}
			asked = append(asked, st)
		}
		for _, st := range asked {
			c, due := b.claimCheck(t, 9)
			if !due || c.Store.ID != st.ID {
				t.Fatalf("%q comes before %q", c.Store.Name, st.Name)
			}
			if _, err := b.db.RecordCheck(t.Context(), c, store.Check{OK: true}, time.Nanosecond); err != nil {
				t.Fatal(err)
			}
			if err := b.db.Release(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		if c, due := b.claimCheck(t, 9); !due || c.Store.Name != "Due 0" {
			t.Errorf("then %q comes, which was checked a moment ago", c.Store.Name)
		}
	})
}

func TestUnguardedCheckSinceAsksOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.open(t, "Shop", time.Hour)
		ask := func(since time.Time) (due bool) {
			t.Helper()
			if can, err := b.db.UnguardedCheckSince(t.Context(), st.ID, since); err != nil || !can {
				t.Fatalf("it can be checked: %t, %v", can, err)
			}
			due = !b.store(t, st.ID).CheckDue.After(b.store(t, st.ID).UpdatedAt)
			return due
		}
		if ask(st.Health.Last.At.Add(-time.Minute)) {
			t.Error("it is checked although it was a moment ago")
		}
		if !ask(st.Health.Last.At) {
			t.Fatal("it is not checked")
		}
		failed := store.Check{Failed: "cart", Note: store.Quote("No."), Cause: store.Failure{Code: store.DiskFull}}
		b.check(t, failed, time.Nanosecond)
		b.check(t, failed, time.Hour)
		events, err := b.db.StoreEvents(t.Context(), b.actor, st.ID)
		if last := events[len(events)-1]; err != nil || last.Kind != store.StoreDegraded || last.Data.Note.Facts.Quote != "No." || last.Data.Failure.Code != store.DiskFull {
			t.Errorf("it ends with %s %+v, %v", last.Kind, last.Data, err)
		}
		if ask(st.Health.Last.At) {
			t.Error("it is checked again for the same")
		}
		for what, id := range map[string]string{"a store that is being opened": b.create(t, "Opening").ID, "one of other records": "none"} {
			if can, err := b.db.UnguardedCheckSince(t.Context(), id, time.Now()); can || err != nil {
				t.Errorf("%s can be checked: %t, %v", what, can, err)
			}
		}
	})
}
