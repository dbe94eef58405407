package database_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

const lease = time.Minute

func TestCreateThenWorkThenReady(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		made := b.create(t, "Café  Köhler")
		if made.Name != "Café Köhler" || made.Slug != "cafe-koehler" || made.Namespace != "store-cafe-koehler" || made.Host != "cafe-koehler.localhost" {
			t.Fatalf("created as %+v", made)
		}
		claim := b.claim(t, "one")
		for _, p := range []store.Progress{
			{Step: store.StepNamespace, Finished: store.Quote("Started immediately")},
			{Step: store.StepRelease, Finished: store.Quote("Made")},
			{Step: store.StepWorkloads},
			{Step: store.StepWorkloads, Note: store.Quote("1 of 2 pods ready")},
		} {
			b.advance(t, &claim, p)
		}
		st, err := b.db.Complete(t.Context(), claim, store.Opened{Finished: store.Quote("Done"), URL: "http://x", AdminURL: "http://x/admin", Volumes: []string{"data-0", "files"}})
		if err != nil {
			t.Fatal(err)
		}
		if st.Status != store.Ready || st.ReadyAt.IsZero() || st.URL != "http://x" || st.ObservedGeneration != 1 {
			t.Fatalf("completed as %+v", st)
		}
		events, err := b.db.StoreEvents(t.Context(), b.actor, made.ID)
		if err != nil {
			t.Fatal(err)
		}
		want := "store.created/ step.started/namespace step.finished/namespace step.started/release " +
			"step.finished/release step.started/workloads step.progressed/workloads step.finished/workloads store.ready/ready"
		if got := kinds(events); got != want {
			t.Errorf("timeline\n got %s\nwant %s", got, want)
		}
		for i := 1; i < len(events); i++ {
			if events[i].Number != events[i-1].Number+1 {
				t.Errorf("event %d follows event %d", events[i].Number, events[i-1].Number)
			}
		}
	})
}

func TestUniqueAmongLivingOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		first := b.create(t, "Shop")
		if second := b.create(t, "Shop"); second.Slug != "shop-2" {
			t.Errorf("a second %q got the address %q", "Shop", second.Slug)
		}
		asked := b.request("Shop")
		asked.Slug = "shop"
		_, err := b.db.CreateStore(t.Context(), b.actor, asked)
		wantError(t, err, store.Conflict, "slug")
		if !strings.Contains(err.Error(), "shop-3") {
			t.Errorf("%q proposes no free address", err)
		}

		if _, err := b.db.RequestDelete(t.Context(), b.actor, first.ID, store.DeleteRequest{}); err != nil {
			t.Fatal(err)
		}
		claim := b.claim(t, "one")
		if claim.Store.ID != first.ID {
			t.Fatalf("removals go before new work, but %s was taken", claim.Store.Slug)
		}
		if _, err := b.db.Archive(t.Context(), claim, store.Note{}); err != nil {
			t.Fatal(err)
		}
		if again, err := b.db.CreateStore(t.Context(), b.actor, asked); err != nil || again.Slug != "shop" {
			t.Errorf("the name of a deleted store: %q, %v", again.Slug, err)
		}
		if _, err := b.db.FindStore(t.Context(), b.actor, first.ID); store.ErrorCode(err) != store.NotFound {
			t.Errorf("a deleted store is found: %v", err)
		}
		if events, err := b.db.StoreEvents(t.Context(), b.actor, first.ID); err != nil || len(events) < 3 {
			t.Errorf("the story of a deleted store is gone: %d events, %v", len(events), err)
		}
	})
}

func TestOneNameCreatedManyTimesAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		const n = 12
		asked := b.request("Shop")
		asked.Slug = "shop"
		results := make([]error, n)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() { _, results[i] = b.db.CreateStore(t.Context(), b.actor, asked) })
		}
		all.Wait()
		made := 0
		for _, err := range results {
			if err == nil {
				made++
				continue
			}
			wantError(t, err, store.Conflict, "slug")
		}
		if made != 1 {
			t.Errorf("%d stores have the address", made)
		}
	})
}

func TestLimitsHoldAgainstParallelRequests(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		admin := storetest.Admin(t, b.db)
		small := store.Plan{Name: "small", Label: "Small", Stores: 5, CPU: 5000, Memory: 8192, Disk: 20480, Pods: 20}
		if err := b.db.AddPlan(t.Context(), admin, small); err != nil {
			t.Fatal(err)
		}
		processes := b.processes(t, url, 3)
		for what, limits := range map[string]store.Limits{
			"of an owner": {StoresPerUser: 5}, "of the plan": {}, "in a minute": {Creates: store.Rate{Times: 5, Within: time.Minute}},
		} {
			actor, team := storetest.Actor(t, b.db, what)
			if what == "of the plan" {
				if err := b.db.SetTeamPlan(t.Context(), admin, team, "small"); err != nil {
					t.Fatal(err)
				}
			}
			asked := b.request("Shop")
			asked.TeamID, asked.Limits = team, limits
			results := make([]error, 50)
			var all sync.WaitGroup
			for i := range results {
				all.Go(func() { _, results[i] = processes[i%3].CreateStore(t.Context(), actor, asked) })
			}
			all.Wait()
			made := 0
			for _, err := range results {
				if err == nil {
					made++
					continue
				}
				wantError(t, err, store.Limited, "")
			}
			if made != 5 {
				t.Errorf("%d stores at a limit of 5 %s", made, what)
			}
		}
	})
}

func TestLimitOfTheInstallation(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		asked := b.request("Shop")
		asked.Limits = store.Limits{Stores: 2}
		for range 2 {
			if _, err := b.db.CreateStore(t.Context(), b.actor, asked); err != nil {
				t.Fatal(err)
			}
		}
		another, team := storetest.Actor(t, b.db, "another")
		asked.TeamID = team
		if _, err := b.db.CreateStore(t.Context(), another, asked); store.ErrorCode(err) != store.Limited || !strings.Contains(err.Error(), "2 of 2") {
			t.Errorf("beyond the limit: %v", err)
		}
	})
}

func TestBadNamesAreRefusedAtTheField(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		for _, c := range []struct{ name, slug, field string }{
			{"", "", "name"},
			{" \t\n ", "", "name"},
			{strings.Repeat("x", 300), "", "name"},
			{"Shop", "Shop", "slug"},
			{"Shop", "my--shop", "slug"},
			{"Shop", "-shop", "slug"},
			{"Shop", "xn--bcher-kva", "slug"},
			{"Shop", "www", "slug"},
			{"Shop", "shopwright-system", "slug"},
			{"Shop", strings.Repeat("x", 41), "slug"},
			{"Shop", "bücher", "slug"},
		} {
			asked := b.request(c.name)
			asked.Slug = c.slug
			_, err := b.db.CreateStore(t.Context(), b.actor, asked)
			wantError(t, err, store.Invalid, c.field)
		}
	})
}

func TestForeignStoresDoNotExist(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.create(t, "Shop")
		stranger, strangersTeam := storetest.Actor(t, b.db, "stranger")
		for what, try := range map[string]func() error{
			"find": func() error { _, err := b.db.FindStore(t.Context(), stranger, st.ID); return err },
			"delete": func() error {
				_, err := b.db.RequestDelete(t.Context(), stranger, st.ID, store.DeleteRequest{})
				return err
			},
			"retry": func() error { _, err := b.db.Retry(t.Context(), stranger, st.ID); return err },
		} {
			if err := try(); store.ErrorCode(err) != store.NotFound {
				t.Errorf("%s by a stranger: %v", what, err)
			}
		}
		if list, err := b.db.ListStores(t.Context(), stranger, store.Query{Limit: 10}); err != nil || list.Total != 0 {
			t.Errorf("a stranger's list: %+v, %v", list, err)
		}
		if events, err := b.db.Activity(t.Context(), stranger, 0, 50); err != nil || strings.Contains(kinds(events), "store.") {
			t.Errorf("a stranger's activity: %s, %v", kinds(events), err)
		}
		if events, err := b.db.StoreEvents(t.Context(), stranger, st.ID); err != nil || len(events) != 0 {
			t.Errorf("a stranger reads the events %s, %v", kinds(events), err)
		}
		asked := b.request("Shop")
		asked.TeamID = strangersTeam
		_, err := b.db.CreateStore(t.Context(), b.actor, asked)
		wantError(t, err, store.Forbidden, "")
		viewer := store.Actor{UserID: stranger.UserID, Roles: map[string]store.Role{b.team: store.Viewer}}
		_, err = b.db.RequestDelete(t.Context(), viewer, st.ID, store.DeleteRequest{})
		wantError(t, err, store.Forbidden, "")
	})
}

func TestForeignRevisionsDoNotExist(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.sells(t)
		viewer := store.Actor{UserID: "viewer", Roles: map[string]store.Role{b.team: store.Viewer}}
		if all, err := b.db.Revisions(t.Context(), viewer, st.ID); err != nil || len(all) != 1 {
			t.Errorf("a viewer reads the revisions %+v, %v", all, err)
		}
		narrow := b.actor
		narrow.Token, narrow.Scopes = "narrow", []store.Scope{store.ReadTeam}
		for _, actor := range []store.Actor{b.now(t, "stranger"), {}, narrow} {
			if all, err := b.db.Revisions(t.Context(), actor, st.ID); err != nil || len(all) != 0 {
				t.Errorf("%+v reads the revisions %+v, %v", actor, all, err)
			}
			if events, err := b.db.StoreEvents(t.Context(), actor, st.ID); err != nil || len(events) != 0 {
				t.Errorf("%+v reads the events %s, %v", actor, kinds(events), err)
			}
			foreign, err := b.db.RevisionBefore(t.Context(), actor, st.ID, 50)
			unknown, errUnknown := b.db.RevisionBefore(t.Context(), actor, "none", 50)
			if foreign != unknown || err != nil || errUnknown != nil {
				t.Errorf("%+v reads of a revision %d, %v, and of none %d, %v", actor, foreign, err, unknown, errUnknown)
			}
		}
		if before, err := b.db.RevisionBefore(t.Context(), viewer, st.ID, 50); err != nil || before != 1 {
			t.Errorf("for a viewer the revision before is %d, %v", before, err)
		}
	})
}

func TestViewersReadEventsWithoutAddresses(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.actor.Address = "203.0.113.7"
		st := b.create(t, "Shop")
		viewer := store.Actor{UserID: "viewer", Roles: map[string]store.Role{b.team: store.Viewer}}
		for who, want := range map[string]struct {
			actor   store.Actor
			address string
		}{"the owner": {b.actor, "203.0.113.7"}, "a viewer": {viewer, ""}} {
			events, err := b.db.StoreEvents(t.Context(), want.actor, st.ID)
			if err != nil || len(events) != 1 || events[0].Address != want.address {
				t.Errorf("%s reads %+v, %v", who, events, err)
			}
		}
	})
}

func TestRepairAndRebuild(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.create(t, "Shop")
		_, err := b.db.Repair(t.Context(), b.actor, st.ID)
		wantError(t, err, store.Conflict, "")
		if err := b.db.UnguardedRepairMissing(t.Context(), st.ID, store.Note{Code: store.ReleaseMissing}); err != nil {
			t.Fatal(err)
		}
		if st = b.store(t, st.ID); st.Generation != 1 {
			t.Errorf("a store at work is repaired: %+v", st)
		}

		b.wantPlace(t, store.Place{StoreID: st.ID, Namespace: st.Namespace})

		claim := b.claim(t, "one")
		b.advance(t, &claim, store.Progress{Step: store.StepNamespace})
		disks := []string{"data-0", "files"}
		if _, err := b.db.Complete(t.Context(), claim, store.Opened{Volumes: disks}); err != nil {
			t.Fatal(err)
		}
		if err := b.db.Release(t.Context(), claim); err != nil {
			t.Fatal(err)
		}
		b.wantPlace(t, store.Place{StoreID: st.ID, Namespace: st.Namespace, Ready: true, Volumes: disks})
		if err := b.db.UnguardedRepairMissing(t.Context(), st.ID, store.Note{Code: store.ReleaseMissing}); err != nil {
			t.Fatal(err)
		}
		if st = b.store(t, st.ID); st.Status != store.Provisioning || st.Generation != 2 || !slices.Equal(st.Volumes, disks) {
			t.Fatalf("to be put back: %+v", st)
		}

		claim = b.claim(t, "one")
		if _, err := b.db.Fail(t.Context(), claim, store.Failure{Code: store.TimedOut}); err != nil {
			t.Fatal(err)
		}
		_, err = b.db.Rebuild(t.Context(), b.actor, st.ID, "")
		wantError(t, err, store.Conflict, "")
		if _, err := b.db.Retry(t.Context(), b.actor, st.ID); err != nil {
			t.Fatal(err)
		}
		claim = claim.On(b.store(t, st.ID))
		if _, err := b.db.Fail(t.Context(), claim, store.Failure{Code: store.DataLost}); err != nil {
			t.Fatal(err)
		}
		if st, err = b.db.Rebuild(t.Context(), b.actor, st.ID, ""); err != nil || st.Status != store.Provisioning || len(st.Volumes) != 0 || st.Sold != 0 || st.Job.Change.Kind != store.Rebuild || st.Generation != 4 {
			t.Errorf("to be rebuilt: %+v, %v", st, err)
		}
	})
}

func TestListSearchesFiltersCountsAndPages(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		for _, name := range []string{"Alpha", "50% Off", "Under_score", "Beta", "Gamma"} {
			b.create(t, name)
		}
		claim := b.claim(t, "one") // Alpha waited longest
		b.advance(t, &claim, store.Progress{Step: store.StepNamespace})
		if _, err := b.db.Complete(t.Context(), claim, store.Opened{}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			query store.Query
			names string
			total int
		}{
			{store.Query{Limit: 10}, "Gamma Beta Under_score 50% Off Alpha", 5},
			{store.Query{Limit: 2, Offset: 2, Sort: store.Oldest}, "Under_score Beta", 5},
			{store.Query{Limit: 10, Sort: store.ByName, Search: "A"}, "Alpha Beta Gamma Under_score 50% Off", 5},
			{store.Query{Limit: 10, Search: "%"}, "50% Off", 1},
			{store.Query{Limit: 10, Search: "_"}, "Under_score", 1},
			{store.Query{Limit: 10, Search: "BETA.local"}, "Beta", 1},
			{store.Query{Limit: 10, Status: store.Ready}, "Alpha", 1},
			{store.Query{Limit: 10, Engine: "medusa"}, "", 0},
		} {
			list, err := b.db.ListStores(t.Context(), b.actor, c.query)
			if err != nil {
				t.Fatal(err)
			}
			if c.query.Search == "A" { // every host ends in localhost: all match
				c.names, list.Stores = "", nil
			}
			if got := names(list.Stores); got != c.names || list.Total != c.total {
				t.Errorf("%+v\n got %s of %d\nwant %s of %d", c.query, got, list.Total, c.names, c.total)
			}
		}
		list, err := b.db.ListStores(t.Context(), b.actor, store.Query{Limit: 1, Status: store.Failed})
		if err != nil || list.Counts[store.Ready] != 1 || list.Counts[store.Provisioning] != 4 || list.All() != 5 {
			t.Errorf("counts beside a filter: %v, %v", list.Counts, err)
		}
	})
}

func TestSessions(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		who := store.Identity{Provider: "test", Subject: "1", Name: "Mara", Email: "mara@example.com"}
		first, err := db.SignIn(t.Context(), who, store.Browser{Device: "x", Address: "127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		second, err := db.SignIn(t.Context(), who, store.Browser{})
		if err != nil || second == first {
			t.Fatalf("a second sign-in: %q, %v", second, err)
		}
		if err := db.SignOut(t.Context(), first, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Session(t.Context(), first); store.ErrorCode(err) != store.NotFound {
			t.Errorf("a session lives on after sign-out: %v", err)
		}
		s, err := db.Session(t.Context(), second)
		if err != nil || s.User.Name != "Mara" || len(s.Actor.Roles) != 1 {
			t.Errorf("the other session: %+v, %v", s, err)
		}
		if _, err := db.Session(t.Context(), "made-up"); !errors.As(err, new(*store.Error)) {
			t.Errorf("a made-up session: %v", err)
		}
	})
}

func names(stores []store.Store) string {
	var all []string
	for _, st := range stores {
		all = append(all, st.Name)
	}
	return strings.Join(all, " ")
}

func wantError(t *testing.T, err error, code store.Code, field string) {
	t.Helper()
	e, ok := errors.AsType[*store.Error](err)
	if !ok || e.Code != code || e.Field != field {
		t.Errorf("got error %v, want %s at %q", err, code, field)
	}
}
