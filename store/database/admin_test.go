package database_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/store/storetest"
)

// follow subscribes to what comes after this moment.
func (b bundle) follow(t *testing.T) (next func() store.Event) {
	t.Helper()
	last, err := b.db.LastEvent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sub := b.db.Subscribe()
	t.Cleanup(sub.Close)
	return func() store.Event {
		for {
			if e := <-sub.Events; e.Number > last {
				return e
			}
		}
	}
}

// all is a page of everything.
func all(search string) store.Page { return store.Page{Search: search, Limit: 100} }

// Everyone but administrators gets "not found", whether or not the object exists.
func TestOnlyAdministratorsAdminister(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		admin := storetest.Admin(t, b.db)
		narrow := admin
		narrow.Token, narrow.Scopes = "robot", []store.Scope{store.ReadStores, store.WriteTeam}
		plan := store.Plan{Name: "large", Label: "Large", CPU: 1, Memory: 1, Disk: 1, Pods: 1}
		for what, try := range map[string]func(store.Actor) error{
			"users":     func(a store.Actor) error { _, _, err := b.db.Users(t.Context(), a, all("")); return err },
			"disable":   func(a store.Actor) error { return b.db.SetDisabled(t.Context(), a, b.actor.UserID, true) },
			"promote":   func(a store.Actor) error { return b.db.MakeAdmin(t.Context(), a, b.actor.UserID) },
			"teams":     func(a store.Actor) error { _, _, err := b.db.AllTeams(t.Context(), a, all("")); return err },
			"plan":      func(a store.Actor) error { return b.db.SetTeamPlan(t.Context(), a, b.team, "pro") },
			"add plan":  func(a store.Actor) error { return b.db.AddPlan(t.Context(), a, plan) },
			"save plan": func(a store.Actor) error { return b.db.SavePlan(t.Context(), a, plan) },
			"queue":     func(a store.Actor) error { _, err := b.db.Queue(t.Context(), a); return err },
			"clusters":  func(a store.Actor) error { _, err := b.db.Clusters(t.Context(), a); return err },
			"versions":  func(a store.Actor) error { _, err := b.db.Versions(t.Context(), a); return err },
		} {
			for who, actor := range map[string]store.Actor{"an owner": b.actor, "a token without the scope": narrow, "nobody": {}} {
				if err := try(actor); store.ErrorCode(err) != store.NotFound {
					t.Errorf("%s by %s: %v", what, who, err)
				}
			}
		}
		if users, total, err := b.db.Users(t.Context(), admin, all("")); err != nil || total != 2 || users[1].Disabled || users[1].Admin {
			t.Errorf("there are %+v, %v", users, err)
		}
	})
}

func TestUsersAreFoundAndCounted(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		admin := storetest.Admin(t, b.db)
		other, _ := storetest.Actor(t, b.db, "100% Other")
		if err := b.db.AddMember(t.Context(), b.actor, b.team, other.UserID, store.Viewer); err != nil {
			t.Fatal(err)
		}
		b.create(t, "Shop")
		users, total, err := b.db.Users(t.Context(), admin, store.Page{Limit: 1, Offset: 2})
		if err != nil || total != 3 || len(users) != 1 || users[0].Name != "mara" || users[0].Stores != 1 || users[0].Teams != 1 ||
			!slices.Equal(users[0].Providers, []string{"test"}) || users[0].LastSeenAt.IsZero() || users[0].Email != "mara@example.com" {
			t.Errorf("the last of %d is %+v, %v", total, users, err)
		}
		for search, want := range map[string]int{"MARA@": 1, "0% o": 1, "_": 0, "": 3, "example.com": 2} {
			if users, total, err := b.db.Users(t.Context(), admin, all(search)); err != nil || total != want || len(users) != want {
				t.Errorf("%q finds %d, %v", search, total, err)
			}
		}
		if users, _, err := b.db.Users(t.Context(), admin, all("other")); err != nil || users[0].Stores != 0 || users[0].Teams != 2 {
			t.Errorf("a viewer of another's team is %+v, %v", users, err)
		}
		teams, total, err := b.db.AllTeams(t.Context(), admin, all("mara"))
		if err != nil || total != 1 || teams[0].Members != 2 || teams[0].Stores != 1 || teams[0].Plan != "standard" || teams[0].Chosen || !slices.Equal(teams[0].Owners, []string{"mara"}) {
			t.Errorf("the teams are %+v, %v", teams, err)
		}
	})
}

func TestDisabledUsersAreOutAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		admin := storetest.Admin(t, b.db)
		who := store.Identity{Provider: "test", Subject: "mara", Name: "mara"}
		id, err := b.db.SignIn(t.Context(), who, store.Browser{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = raw(t, url).ExecContext(t.Context(), `
			INSERT INTO api_tokens (id, user_id, team_id, name, token_hash, scopes, created_at, last_used_at, expires_at)
			VALUES ('t', $1, $2, 'ci', 'h', '', 0, 0, 0)`, b.actor.UserID, b.team)
		if err != nil {
			t.Fatal(err)
		}
		next := b.follow(t)
		if err := b.db.SetDisabled(t.Context(), admin, b.actor.UserID, true); err != nil {
			t.Fatal(err)
		}
		if e := next(); e.Kind != store.UserDisabled || e.RightsOf() != b.actor.UserID || e.Data.Before != "enabled" || e.Data.After != "disabled" ||
			!e.Audit || e.ActorID != admin.UserID || b.actor.Sees(e) || !admin.Sees(e) {
			t.Errorf("told is %+v", e)
		}
		if _, err := b.db.Session(t.Context(), id); store.ErrorCode(err) != store.NotFound {
			t.Errorf("the session goes on: %v", err)
		}
		var left int
		if err := raw(t, url).QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM api_tokens) + (SELECT COUNT(*) FROM sessions WHERE user_id = $1)`, b.actor.UserID).Scan(&left); err != nil || left != 0 {
			t.Errorf("%d sessions and tokens are left, %v", left, err)
		}
		_, err = b.db.SignIn(t.Context(), who, store.Browser{})
		wantError(t, err, store.Forbidden, "")
		if err := b.db.SetDisabled(t.Context(), admin, b.actor.UserID, false); err != nil {
			t.Fatal(err)
		}
		if _, err := b.db.SignIn(t.Context(), who, store.Browser{}); err != nil {
			t.Errorf("enabled again: %v", err)
		}
		wantError(t, b.db.SetDisabled(t.Context(), admin, admin.UserID, true), store.Conflict, "")
		wantError(t, b.db.SetDisabled(t.Context(), admin, "none-such", true), store.NotFound, "")
	})
}

// Two administrators who remove one another at once leave one.
func TestTheLastAdministratorStays(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		first := storetest.Admin(t, b.db)
		wantError(t, b.db.RevokeAdmin(t.Context(), first, first.UserID, store.Admission{}), store.Conflict, "")
		processes := b.processes(t, url, 2)
		for round := range 5 {
			if err := b.db.MakeAdmin(t.Context(), first, b.actor.UserID); err != nil {
				t.Fatal(err)
			}
			second := b.actor
			second.Admin = true
			results := make([]error, 2)
			var both sync.WaitGroup
			both.Go(func() { results[0] = processes[0].RevokeAdmin(t.Context(), first, second.UserID, store.Admission{}) })
			both.Go(func() {
				if round%2 == 0 {
					results[1] = processes[1].SetDisabled(t.Context(), second, first.UserID, true)
				} else {
					results[1] = processes[1].RevokeAdmin(t.Context(), second, first.UserID, store.Admission{})
				}
			})
			both.Wait()
			if (results[0] == nil) == (results[1] == nil) {
				t.Fatalf("both ended with %v", results)
			}
			if results[1] == nil { // back to where the round began
				if err := b.db.SetDisabled(t.Context(), second, first.UserID, false); err != nil {
					t.Fatal(err)
				}
				if err := b.db.MakeAdmin(t.Context(), second, first.UserID); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestPlans(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		admin := storetest.Admin(t, b.db)
		st := b.create(t, "Shop")
		if st.Plan != store.StandardPlan {
			t.Errorf("the plan is %q", st.Plan)
		}
		if plans, err := b.db.Plans(t.Context(), admin); err != nil || len(plans) != 3 {
			t.Errorf("an administrator sees the plans %+v, %v", plans, err)
		}
		_, err := b.db.Plans(t.Context(), b.actor)
		wantError(t, err, store.NotFound, "")
		_, err = b.db.Plan(t.Context(), b.actor, store.StandardPlan)
		wantError(t, err, store.NotFound, "")
		large := store.Plan{Name: "large", Label: " Large  one ", Stores: 2, CPU: 7500, Memory: 9216, Disk: 30720, Pods: 25, BackupEvery: 6, DrillEvery: 3, Keep: store.PointRetention{Hourly: 1, Daily: 2, Weekly: 3, Monthly: 4}}
		if err := b.db.AddPlan(t.Context(), admin, large); err != nil {
			t.Fatal(err)
		}
		wantError(t, b.db.AddPlan(t.Context(), admin, large), store.Conflict, "name")
		if err := b.db.SetTeamPlan(t.Context(), admin, b.team, "large"); err != nil {
			t.Fatal(err)
		}
		wantError(t, b.db.SetTeamPlan(t.Context(), admin, b.team, "none"), store.Invalid, "plan")
		wantError(t, b.db.SetTeamPlan(t.Context(), admin, "none", "large"), store.NotFound, "")
		if now := b.store(t, st.ID); now.Plan != "large" || now.Generation != st.Generation {
			t.Errorf("the store that lives has %q, generation %d", now.Plan, now.Generation)
		}
		if plan, err := b.db.TeamPlan(t.Context(), b.actor, b.team); err != nil || plan.Label != "Large one" || plan.CPU != 7500 || plan.BackupEvery != 6 || plan.DrillEvery != 3 || plan.Keep != large.Keep || plan.Position != 4 || b.create(t, "Second").Plan != "large" {
			t.Errorf("the plan of the team is %+v, %v", plan, err)
		}
		_, err = b.db.CreateStore(t.Context(), b.actor, b.request("Third"))
		if wantError(t, err, store.Limited, ""); !strings.Contains(err.Error(), "2 of 2 stores of its plan, Large one") {
			t.Errorf("beyond the plan: %v", err)
		}
		large.Label, large.Stores, large.BackupEvery, large.DrillEvery, large.Keep = "Larger", 3, 1, 14, store.PointRetention{Hourly: 5, Daily: 6, Weekly: 7, Monthly: 8}
		if err := b.db.SavePlan(t.Context(), admin, large); err != nil {
			t.Fatal(err)
		}
		b.create(t, "Third")
		if saved, err := b.db.Plan(t.Context(), admin, "large"); err != nil || saved.BackupEvery != 1 || saved.DrillEvery != 14 || saved.Keep != large.Keep {
			t.Errorf("saved is %+v, %v", saved, err)
		}
		wantError(t, b.db.SavePlan(t.Context(), admin, store.Plan{Name: "none", Label: "x", CPU: 1, Memory: 1, Disk: 1, Pods: 1}), store.NotFound, "")
		for field, spoil := range map[string]func(*store.Plan){
			"name": func(p *store.Plan) { p.Name = "Not A Name" }, "label": func(p *store.Plan) { p.Label = " " }, "stores": func(p *store.Plan) { p.Stores = -1 },
			"cpu": func(p *store.Plan) { p.CPU = 0 }, "memory": func(p *store.Plan) { p.Memory = 1 << 40 }, "disk": func(p *store.Plan) { p.Disk = 0 }, "pods": func(p *store.Plan) { p.Pods = 0 },
			"backup_every": func(p *store.Plan) { p.BackupEvery = -1 }, "drill_every": func(p *store.Plan) { p.DrillEvery = 91 }, "keep_hourly": func(p *store.Plan) { p.Keep.Hourly = -1 }, "keep_daily": func(p *store.Plan) { p.Keep.Daily = 1001 },
			"keep_weekly": func(p *store.Plan) { p.Keep.Weekly = -1 }, "keep_monthly": func(p *store.Plan) { p.Keep.Monthly = -1 },
		} {
			bad := large
			spoil(&bad)
			wantError(t, b.db.AddPlan(t.Context(), admin, bad), store.Invalid, field)
		}
	})
}

// The audit log records the actions of administrators with the previous values.
func TestAdministrationIsAudited(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		admin := storetest.Admin(t, b.db)
		admin.Address = "203.0.113.7"
		next := b.follow(t)
		standard, err := b.db.Plan(t.Context(), admin, "standard")
		if err != nil {
			t.Fatal(err)
		}
		standard.Pods = 21
		for _, try := range []error{
			b.db.MakeAdmin(t.Context(), admin, b.actor.UserID), b.db.MakeAdmin(t.Context(), admin, b.actor.UserID),
			b.db.SetTeamPlan(t.Context(), admin, b.team, "pro"), b.db.SetTeamPlan(t.Context(), admin, b.team, "pro"),
			b.db.SavePlan(t.Context(), admin, standard), b.db.SavePlan(t.Context(), admin, standard),
			b.db.RevokeAdmin(t.Context(), admin, b.actor.UserID, store.Admission{}),
		} {
			if try != nil {
				t.Fatal(try)
			}
		}
		for _, want := range []struct {
			kind          store.Kind
			before, after string
		}{
			{store.AdminMade, "user", "administrator"}, {store.TeamPlanSet, "", "pro"},
			{store.PlanChanged, "20 pods", "21 pods"}, {store.AdminUnmade, "administrator", "user"},
		} {
			e := next()
			line := phrase.Event(e)
			if e.Kind != want.kind || !strings.Contains(line.Before, want.before) || !strings.Contains(line.After, want.after) || !e.Audit || e.Actor != admin.Name || e.Address != admin.Address {
				t.Errorf("told is %+v", e)
			}
			if (e.Kind == store.TeamPlanSet) != b.actor.Sees(e) {
				t.Errorf("an owner sees %s: %t", e.Kind, b.actor.Sees(e))
			}
		}
	})
}

func TestQueueTellsWhatWaitsAndRuns(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		admin := storetest.Admin(t, b.db)
		first, second := b.create(t, "First"), b.create(t, "Second")
		claim := b.claim(t, "one")
		b.advance(t, &claim, store.Progress{Step: store.StepNamespace})
		b.advance(t, &claim, store.Progress{Step: store.StepRelease})
		queue, err := b.db.Queue(t.Context(), admin)
		if err != nil || len(queue) != 2 {
			t.Fatalf("the queue is %+v, %v", queue, err)
		}
		running, waiting := queue[0], queue[1]
		if running.Store.ID != first.ID || !running.Store.Job.Begun() || running.Store.Job.Step != store.StepRelease || running.Team != "mara" || running.Store.Job.AskedBy.Name != "mara" || !running.Held {
			t.Errorf("at work is %+v", running)
		}
		if waiting.Store.ID != second.ID || waiting.Store.Job.Begun() || waiting.Held || waiting.Store.Job.Kind != store.OpenJob {
			t.Errorf("waiting is %+v", waiting)
		}
		if _, err := b.db.RequestDelete(t.Context(), b.actor, second.ID, store.DeleteRequest{}); err != nil {
			t.Fatal(err)
		}
		if queue, err = b.db.Queue(t.Context(), admin); err != nil || queue[1].Store.Job.Kind != store.RemoveJob {
			t.Errorf("the queue is %+v, %v", queue, err)
		}
		if _, err := b.db.Complete(t.Context(), claim, store.Opened{}); err != nil {
			t.Fatal(err)
		}
		if queue, err = b.db.Queue(t.Context(), admin); err != nil || len(queue) != 1 {
			t.Errorf("the queue is %+v, %v", queue, err)
		}
		versions, err := b.db.Versions(t.Context(), admin)
		if err != nil || versions.Database == "" || len(versions.Charts) != 1 || versions.Charts[0].Stores != 2 {
			t.Errorf("the versions are %+v, %v", versions, err)
		}
		clusters, err := b.db.Clusters(t.Context(), admin)
		if err != nil || len(clusters) != 1 || clusters[0].Stores != 2 || clusters[0].Name != "local" || clusters[0].Promised != (store.Take{CPU: 10_000, Memory: 16_384, Disk: 40_960, Pods: 40}) {
			t.Errorf("the clusters are %+v, %v", clusters, err)
		}
	})
}

func TestDeletedTeamsAreNotAdministered(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		admin := storetest.Admin(t, b.db)
		team, mara := b.found(t, "Nordlicht", nil)
		if err := b.db.DeleteTeam(t.Context(), mara, team); err != nil {
			t.Fatal(err)
		}
		if teams, total, err := b.db.AllTeams(t.Context(), admin, all("nordlicht")); err != nil || total != 0 || len(teams) != 0 {
			t.Errorf("there are %+v, %v", teams, err)
		}
		wantError(t, b.db.SetTeamPlan(t.Context(), admin, team, "pro"), store.NotFound, "")
	})
}
