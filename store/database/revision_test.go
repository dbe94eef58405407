package database_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// release brings a claimed store to the end of its present change.
func (b bundle) release(t *testing.T, c *store.Claim, revision int, chart string) {
	t.Helper()
	st, err := b.db.RecordRelease(t.Context(), *c, store.Released{Number: revision, ChartVersion: chart, Offer: "offer of " + chart})
	if err != nil {
		t.Fatal(err)
	}
	*c = c.On(st)
}

func (b bundle) complete(t *testing.T, c store.Claim) store.Store {
	t.Helper()
	st, err := b.db.Complete(t.Context(), c, store.Opened{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.db.Release(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return st
}

// sells opens a store with its first revision.
func (b bundle) sells(t *testing.T) store.Store {
	t.Helper()
	b.create(t, "Shop")
	c := b.claim(t, "one")
	b.release(t, &c, 1, "1.0.0")
	return b.complete(t, c)
}

func (b bundle) upgrade(t *testing.T, st store.Store, r store.UpgradeRequest) store.Claim {
	t.Helper()
	st, err := b.db.Upgrade(t.Context(), b.actor, st.ID, r)
	if err != nil {
		t.Fatal(err)
	}
	if st.Status != store.Upgrading || st.Job.Change.From != 1 {
		t.Fatalf("asked to upgrade, it is %s: %+v", st.Status, st.Job.Change)
	}
	return b.claim(t, "one")
}

// history is that of the store in a line, newest first.
func (b bundle) history(t *testing.T, id string) string {
	t.Helper()
	revisions, err := b.db.Revisions(t.Context(), b.actor, id)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range revisions {
		lines = append(lines, fmt.Sprintf("%d %s %s %s by %q", r.Number, r.ChartVersion, r.State, phrase.Change(r.Change), r.Actor))
	}
	return strings.Join(lines, ", ")
}

func TestUpgradeIsWrittenDown(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.sells(t)
		images := map[string]string{"app": "2"}
		c := b.upgrade(t, st, store.UpgradeRequest{Chart: "1.1.0", Images: images})
		if _, err := b.db.Upgrade(t.Context(), b.actor, st.ID, store.UpgradeRequest{}); store.ErrorCode(err) != store.Conflict {
			t.Errorf("a second upgrade meanwhile: %v", err)
		}
		b.release(t, &c, 2, "1.1.0")
		b.release(t, &c, 2, "1.1.0") // as somebody does who goes on
		if got := b.store(t, st.ID); got.Revision != 2 || got.Sold != 1 || got.ChartVersion != "1.1.0" || got.Job.Change.Images["app"] != "2" {
			t.Errorf("while it is upgraded: %+v", got)
		}
		if st = b.complete(t, c); st.Status != store.Ready || st.Sold != 2 {
			t.Errorf("upgraded, it is %s, sold %d", st.Status, st.Sold)
		}
		want := `2 1.1.0 deployed Chart 1.0.0 → 1.1.0, app 2 by "mara", 1 1.0.0 superseded Opened by "mara"`
		if got := b.history(t, st.ID); got != want {
			t.Errorf("the history is\n%s, want\n%s", got, want)
		}
	})
}

func TestFailedUpgradeGoesBackByItself(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		c := b.upgrade(t, b.sells(t), store.UpgradeRequest{Chart: "1.1.0"})
		b.release(t, &c, 2, "1.1.0")
		b.advance(t, &c, store.Progress{Step: store.StepCheck})
		st, err := b.db.Fail(t.Context(), c, store.Failure{Code: store.OrderFailed})
		if err != nil {
			t.Fatal(err)
		}
		undone := st.Job.Change.Undone
		if st.Status != store.Upgrading || st.Job.Change.Kind != store.Rollback || st.Job.Change.To != 1 || st.Generation != 3 || st.Job.Failure.Code != "" || undone.Code != store.OrderFailed || undone.Step != store.StepCheck {
			t.Fatalf("after the failure it is %s at generation %d: %+v", st.Status, st.Generation, st.Job.Change)
		}
		c = c.On(st)
		b.release(t, &c, 3, "1.0.0")
		if st = b.complete(t, c); st.Status != store.Ready || st.ChartVersion != "1.0.0" || st.Sold != 3 || st.Job.Change.Undone.Code == "" {
			t.Errorf("gone back, it is %s on chart %s, sold %d", st.Status, st.ChartVersion, st.Sold)
		}
		want := `3 1.0.0 deployed Back to revision 1 by "", 2 1.1.0 failed Chart 1.0.0 → 1.1.0 by "mara", 1 1.0.0 superseded Opened by "mara"`
		if got := b.history(t, st.ID); got != want {
			t.Errorf("the history is\n%s, want\n%s", got, want)
		}
		events, err := b.db.StoreEvents(t.Context(), b.actor, st.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got := kinds(events); !strings.Contains(got, "store.undone/check step.started/release step.progressed/release") {
			t.Errorf("the events are %s", got)
		}
	})
}

// What cannot be undone, or shall not be, waits for a person.
func TestFailedUpgradeStays(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		for name, tt := range map[string]struct {
			request store.UpgradeRequest
			failure store.Failure
		}{
			"asked for":     {store.UpgradeRequest{Stay: true}, store.Failure{Code: store.TimedOut}},
			"data are lost": {store.UpgradeRequest{}, store.Failure{Code: store.DataLost}},
		} {
			b := setup(t, url)
			c := b.upgrade(t, b.sells(t), tt.request)
			b.release(t, &c, 2, "1.1.0")
			st, err := b.db.Fail(t.Context(), c, tt.failure)
			if err != nil || st.Status != store.Failed {
				t.Fatalf("%s: it is %s, %v", name, st.Status, err)
			}
			back, err := b.db.Rollback(t.Context(), b.actor, st.ID, 1)
			if err != nil {
				t.Fatalf("%s: there is no way back: %v", name, err)
			}
			c = c.On(back)
			if st, err = b.db.Fail(t.Context(), c, tt.failure); err != nil || st.Status != store.Failed {
				t.Fatalf("%s: the way back failed, and it is %s, %v", name, st.Status, err)
			}
			if st, err = b.db.Retry(t.Context(), b.actor, st.ID); err != nil || st.Status != store.Upgrading || st.Job.Change.Kind != store.Rollback {
				t.Errorf("%s: retried it is %s with %+v, %v", name, st.Status, st.Job.Change, err)
			}
		}
	})
}

func TestRollbackToWhatSold(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.sells(t)
		c := b.upgrade(t, st, store.UpgradeRequest{})
		b.release(t, &c, 2, "1.1.0")
		b.complete(t, c)
		for _, impossible := range []int{0, 2, 3} {
			if _, err := b.db.Rollback(t.Context(), b.actor, st.ID, impossible); store.ErrorCode(err) != store.Conflict {
				t.Errorf("back to %d: %v", impossible, err)
			}
		}
		st, err := b.db.Rollback(t.Context(), b.actor, st.ID, 1)
		if err != nil || st.Status != store.Upgrading || st.Job.Change.To != 1 || st.Job.Change.From != 2 {
			t.Fatalf("back to 1: %v, %+v", err, st.Job.Change)
		}
		c = b.claim(t, "one")
		b.release(t, &c, 3, "1.0.0")
		if st, err = b.db.Fail(t.Context(), c, store.Failure{Code: store.TimedOut}); err != nil || st.Job.Change.To != 2 {
			t.Errorf("a rollback that fails goes to %+v, %v", st.Job.Change, err)
		}
		c = c.On(st)
		if st, err = b.db.Fail(t.Context(), c, store.Failure{Code: store.TimedOut}); err != nil || st.Status != store.Failed {
			t.Errorf("going back has failed too: %s, %v", st.Status, err)
		}
	})
}

// Helm numbers restart in a recreated namespace, so earlier revisions can't be rolled back to.
func TestRevisionsOfALostNamespace(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.sells(t)
		c := b.upgrade(t, st, store.UpgradeRequest{})
		b.release(t, &c, 2, "1.1.0")
		b.complete(t, c)
		if err := b.db.UnguardedRepairMissing(t.Context(), st.ID, store.Note{Code: store.ReleaseMissing}); err != nil {
			t.Fatal(err)
		}
		c = b.claim(t, "one")
		if c.Store.Job.Change.To != 2 {
			t.Errorf("put back to %d", c.Store.Job.Change.To)
		}
		b.release(t, &c, 1, "1.1.0")
		b.complete(t, c)
		revisions, err := b.db.Revisions(t.Context(), b.actor, st.ID)
		if err != nil {
			t.Fatal(err)
		}
		states := []store.RevisionState{}
		for _, r := range revisions {
			states = append(states, r.State)
		}
		if want := []store.RevisionState{store.RevisionDeployed, store.RevisionGone, store.RevisionGone}; !slices.Equal(states, want) {
			t.Errorf("the revisions are %q, want %q", states, want)
		}
	})
}

// kept are the numbers of the revisions that the cluster keeps, and of those with a way back.
func (b bundle) kept(t *testing.T, st store.Store) (all, back []int) {
	t.Helper()
	revisions, err := b.db.Revisions(t.Context(), b.actor, st.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range slices.Backward(revisions) {
		if r.Kept {
			all = append(all, r.Number)
		}
		if r.CanRollback(st.Revision) {
			back = append(back, r.Number)
		}
	}
	return all, back
}

func TestRevisionsThatAreKept(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.sells(t)
		to := func(st store.Store, err error) store.Store {
			if err != nil {
				t.Fatal(err)
			}
			c := b.claim(t, "one")
			b.release(t, &c, st.Revision+1, "1.0.0")
			return b.complete(t, c)
		}
		for st.Revision < 11 {
			st = to(b.db.Upgrade(t.Context(), b.actor, st.ID, store.UpgradeRequest{}))
		}
		all, back := b.kept(t, st)
		if want := []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 11}; !slices.Equal(all, want) || !slices.Equal(back, want[:9]) {
			t.Errorf("kept are %d, with ways back to %d", all, back)
		}
		if _, err := b.db.Rollback(t.Context(), b.actor, st.ID, 1); store.ErrorCode(err) != store.Conflict {
			t.Errorf("back to a revision that is not kept: %v", err)
		}
		st = to(b.db.Rollback(t.Context(), b.actor, st.ID, 2)) // which is the eleventh then
		if all, _ := b.kept(t, st); all[0] != 2 || len(all) != 11 {
			t.Errorf("after the way back to 2 kept are %d", all)
		}
		for n, want := range map[int]int{1: 0, 2: 1, 3: 2, 12: 11} {
			if before, err := b.db.RevisionBefore(t.Context(), b.actor, st.ID, n); err != nil || before != want {
				t.Errorf("before %d is %d, want %d; %v", n, before, want, err)
			}
		}
	})
}

// Consecutive failed tries evict neither the verified revision before them nor each other.
func TestWayBackOutlastsFailedTries(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.sells(t)
		c := b.upgrade(t, st, store.UpgradeRequest{Stay: true})
		for n := 2; n < 16; n++ {
			b.release(t, &c, n, "1.1.0")
			if _, err := b.db.Fail(t.Context(), c, store.Failure{Code: store.TimedOut}); err != nil {
				t.Fatal(err)
			}
			if _, back := b.kept(t, b.store(t, st.ID)); !slices.Equal(back, []int{1}) {
				t.Fatalf("after %d tries there are ways back to %d", n-1, back)
			}
			again, err := b.db.Retry(t.Context(), b.actor, st.ID)
			if err != nil {
				t.Fatal(err)
			}
			c = c.On(again)
		}
		b.release(t, &c, 16, "1.1.0")
		b.release(t, &c, 17, "1.1.0") // applied once more in the same change, such as after a setup was removed
		st = b.complete(t, c)
		all, back := b.kept(t, st)
		if want := []int{1, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17}; !slices.Equal(all, want) || !slices.Equal(back, []int{1}) {
			t.Errorf("kept are %d, want %d, with ways back to %d", all, want, back)
		}
	})
}

// Generations are counted, and counted again after a restore from a backup. Changes are not.
func TestChangesAreNeverTheSame(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.sells(t)
		seen := map[string]bool{st.Job.ID: true}
		note := func(st store.Store, err error) {
			if err != nil || st.Job.ID == "" || seen[st.Job.ID] {
				t.Errorf("%s is the change %q, %v", phrase.Change(st.Job.Change), st.Job.ID, err)
			}
			seen[st.Job.ID] = true
		}
		c := b.upgrade(t, st, store.UpgradeRequest{})
		note(c.Store, nil)
		b.release(t, &c, 2, "1.1.0")
		undone, err := b.db.Fail(t.Context(), c, store.Failure{Code: store.TimedOut})
		note(undone, err)
		c = c.On(undone)
		failed, err := b.db.Fail(t.Context(), c, store.Failure{Code: store.TimedOut})
		if err != nil || failed.Job.ID != undone.Job.ID {
			t.Errorf("failed, it is another change: %+v, %v", failed.Job.Change, err)
		}
		note(b.db.Retry(t.Context(), b.actor, st.ID))
	})
}

// Requests for a store are published to its worker, which would otherwise see them only after its backoff.
func TestWorkersHearWhatPeopleAskFor(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.sells(t)
		for _, ask := range []func() (store.Store, error){
			func() (store.Store, error) { return b.db.CheckNow(t.Context(), b.actor, st.ID) },
			func() (store.Store, error) { return b.db.Upgrade(t.Context(), b.actor, st.ID, store.UpgradeRequest{}) },
			func() (store.Store, error) { return b.db.Cancel(t.Context(), b.actor, st.ID) },
			func() (store.Store, error) {
				return b.db.RequestDelete(t.Context(), b.actor, st.ID, store.DeleteRequest{})
			},
		} {
			events := b.db.Subscribe()
			before, err := b.db.LastEvent(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ask(); err != nil {
				t.Fatal(err)
			}
			e := <-events.Events
			for e.Number <= before { // it may begin with what was before it
				e = <-events.Events
			}
			if events.Close(); !e.Kind.Asks() {
				t.Errorf("nobody hears of %s", e.Kind)
			}
		}
	})
}

func TestCancelAChange(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.sells(t)
		cancel := func() (store.Store, error) { return b.db.Cancel(t.Context(), b.actor, st.ID) }
		if _, err := cancel(); store.ErrorCode(err) != store.Conflict {
			t.Errorf("nothing is under way, and is cancelled: %v", err)
		}
		c := b.upgrade(t, st, store.UpgradeRequest{Chart: "1.1.0", Stay: true})
		b.release(t, &c, 2, "1.1.0")
		now, err := cancel()
		if err != nil || now.Status != store.Upgrading || now.Job.Change.To != 1 || now.Job.Change.Undone.Code != store.ChangeWasCancelled || now.Job.AskedBy.Name != "mara" {
			t.Fatalf("cancelled, it is %s, %v: %+v", now.Status, err, now.Job.Change)
		}
		if _, err := b.db.Complete(t.Context(), c, store.Opened{}); !errors.Is(err, store.ErrStale) {
			t.Errorf("what was cancelled is completed: %v", err)
		}
		if _, err := cancel(); store.ErrorCode(err) != store.Conflict {
			t.Errorf("the way back is cancelled: %v", err)
		}
		c = c.On(now)
		b.release(t, &c, 3, "1.0.0")
		if st = b.complete(t, c); st.Status != store.Ready || st.ChartVersion != "1.0.0" {
			t.Errorf("gone back, it is %s on chart %s", st.Status, st.ChartVersion)
		}
		want := `3 1.0.0 deployed Back to revision 1 by "mara", 2 1.1.0 failed Chart 1.0.0 → 1.1.0 by "mara", 1 1.0.0 superseded Opened by "mara"`
		if got := b.history(t, st.ID); got != want {
			t.Errorf("the history is\n%s, want\n%s", got, want)
		}
	})
}
