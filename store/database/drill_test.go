package database_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// setupDrills is setupPoints with a target and a restore point.
func setupDrills(t *testing.T, url string) (points, store.RestorePoint) {
	t.Helper()
	p := setupPoints(t, url)
	p.target(t, "off-site")
	return p, p.made(t, wholeManifest())
}

func (p points) drill(t *testing.T) store.Drill {
	t.Helper()
	d, err := p.db.StartDrill(t.Context(), p.actor, p.ready.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (p points) drills(t *testing.T) store.Drills {
	t.Helper()
	d, err := p.db.Drills(t.Context(), p.actor, p.ready.ID)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// passDrill works on the drill that is claimed next until it has passed, and its store is gone.
func (p points) passDrill(t *testing.T) {
	t.Helper()
	c := p.claim(t, "one")
	p.advance(t, &c, store.Progress{Step: store.StepNamespace})
	st, err := p.db.Complete(t.Context(), c, store.Opened{Check: store.Check{OK: true, Order: "7"}, Next: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.db.Archive(t.Context(), c.On(st), store.Note{}); err != nil {
		t.Fatal(err)
	}
	if err := p.db.Release(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// toldOfDrills are the events that tell the rehearsed store of its drills.
func (p points) toldOfDrills(t *testing.T) (of []store.Event) {
	t.Helper()
	events, err := p.db.StoreEvents(t.Context(), p.actor, p.ready.ID)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(events, func(e store.Event) bool { return !strings.HasPrefix(string(e.Kind), "drill.") })
}

// In the transaction in which the restored shop has sold, the drill has passed and the removal begins, for the same
// holder. Nobody else is told of its store.
func TestDrillPasses(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p, point := setupDrills(t, url)
		p.wantMail(t)
		drill := p.drill(t)
		from, st := p.store(t, p.ready.ID), p.store(t, drill.ID)
		want := store.Drill{ID: st.ID, StoreID: from.ID, PointID: point.ID, MadeAt: point.EndedAt, BeganAt: st.CreatedAt}
		if got := p.drills(t); len(got.Newest) != 1 || !drillsEqual(got.Newest[0], want) || !drillsEqual(got.Running(), want) || got.Last().ID != "" || !got.Next.IsZero() {
			t.Errorf("drills are %+v, want %+v", got, want)
		}
		if st.Purpose != store.ForDrill || from.Purpose != store.ForCustomers || st.OwnerEmail != "" || st.Origin.Point != point.ID || st.Name != "Drill of Tea & Tonic" ||
			!strings.HasPrefix(st.Slug, "drill-") || st.TeamID != from.TeamID || st.ClusterID != from.ClusterID || st.Plan != from.Plan {
			t.Errorf("its store is %+v", st)
		}
		c := p.claim(t, "one")
		if c.Store.ID != drill.ID || c.Job.Kind != store.DrillJob {
			t.Fatalf("claimed is %+v", c.Job)
		}
		p.advance(t, &c, store.Progress{Step: store.StepNamespace})
		after, err := p.db.Complete(t.Context(), c, store.Opened{Check: store.Check{OK: true, Order: "7"}, Next: time.Hour})
		if err != nil || after.Status != store.Deleting || after.Desired != store.Absent || after.Job.Kind != store.RemoveJob || !after.CheckDue.IsZero() {
			t.Fatalf("afterwards it is %+v, %v", after, err)
		}
		want.EndedAt, want.Order = after.UpdatedAt, "7"
		if got := p.drills(t); !drillsEqual(got.Last(), want) || got.Running().ID != "" || !got.Last().Passed() || got.Overdue || !got.Next.Equal(want.BeganAt.Add(7*24*time.Hour)) {
			t.Errorf("drills are %+v, want %+v", got, want)
		}
		if other, ok, err := p.db.Claim(t.Context(), "two", time.Minute, store.Concurrency{}); ok || err != nil {
			t.Errorf("another holder gets %+v, %v", other.Job, err)
		}
		if gone, err := p.db.Archive(t.Context(), c.On(after), store.Note{}); err != nil || gone.Living() {
			t.Errorf("removed it is %+v, %v", gone, err)
		}
		told := p.toldOfDrills(t)
		if kinds(told) != "drill.asked/ drill.passed/" || told[0].Actor != "mara" || told[0].JobID != drill.ID || told[1].Data.Note.Code != store.OrderPlaced || told[1].ActorID != "" {
			t.Errorf("told is %+v", told)
		}
		p.wantMail(t)
		var of int
		err = raw(t, url).QueryRowContext(t.Context(), `SELECT COUNT(*) FROM events WHERE store_id = $1 AND kind NOT IN ('step.started', 'step.finished')`, drill.ID).Scan(&of)
		if err != nil || of != 0 {
			t.Errorf("%d events tell of its store, %v", of, err)
		}
	})
}

func drillsEqual(a, b store.Drill) bool { return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b) }

// A store that is made for a drill is in no list and counts for no limit; what it takes of its cluster does count.
func TestDrillIsInNoListAndCountsForNoLimit(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p, _ := setupDrills(t, url)
		limits := store.Limits{Stores: 9, StoresPerUser: 9, Creates: store.Rate{Times: 9, Within: time.Hour}}
		look := func() string {
			list, err := p.db.ListStores(t.Context(), p.actor, store.Query{Limit: 9, Search: "tea"})
			n, failed := p.db.CountStores(t.Context(), p.actor)
			quotas, refused := p.db.Quotas(t.Context(), p.actor, p.team, limits)
			pace, slow := p.db.Pace(t.Context(), p.actor, limits.Creates)
			team, lost := p.db.FindTeam(t.Context(), p.actor, p.team)
			users, _, hidden := p.db.Users(t.Context(), p.admin, store.Page{Search: "mara", Limit: 9})
			teams, _, unseen := p.db.AllTeams(t.Context(), p.admin, store.Page{Search: "mara", Limit: 9})
			versions, old := p.db.Versions(t.Context(), p.admin)
			clusters, away := p.db.Clusters(t.Context(), p.admin)
			deleted, kept := p.db.DeletedStores(t.Context(), p.actor)
			activity, silent := p.db.Activity(t.Context(), p.actor, 0, 9)
			if err := errors.Join(err, failed, refused, slow, lost, hidden, unseen, old, away, kept, silent); err != nil {
				t.Fatal(err)
			}
			var used []int
			for _, q := range quotas {
				used = append(used, q.Used)
			}
			activity = slices.DeleteFunc(activity, func(e store.Event) bool { return strings.HasPrefix(string(e.Kind), "drill.") })
			return fmt.Sprint(names(list.Stores), list.Counts, n, used, pace.Used, team.Stores, users[0].Stores, teams[0].Stores, versions.Charts,
				clusters[0].Stores, clusters[0].Troubled, names(deleted), kinds(activity))
		}
		before := look()
		drill := p.drill(t)
		clusters, err := p.db.Clusters(t.Context(), p.admin)
		if err != nil || clusters[0].Promised.Pods != 2*20 {
			t.Errorf("promised are %+v, %v", clusters[0].Promised, err)
		}
		if now := look(); now != before {
			t.Errorf("while it goes on there are\n%s, before there were\n%s", now, before)
		}
		if living, err := p.db.LivingStores(t.Context(), p.actor, []string{drill.ID}); err != nil || living[drill.ID] {
			t.Errorf("it is linked to: %v, %v", living, err)
		}
		if places, err := p.db.UnguardedPlaces(t.Context(), p.cluster.ID); err != nil || len(places) != 2 || places[0].Drill == places[1].Drill {
			t.Errorf("the keeper sees %+v, %v", places, err)
		}
		if st, err := p.db.FindStore(t.Context(), p.actor, drill.ID); err != nil || st.ID != drill.ID {
			t.Errorf("by its id there is %+v, %v", st, err)
		}
		for what, do := range map[string]func() error{
			"retried":   func() error { return errOf(p.db.Retry(t.Context(), p.actor, drill.ID)) },
			"backed up": func() error { return errOf(p.db.BackUp(t.Context(), p.actor, drill.ID, "")) },
			"checked":   func() error { return errOf(p.db.CheckNow(t.Context(), p.actor, drill.ID)) },
			"repaired":  func() error { return errOf(p.db.Repair(t.Context(), p.actor, drill.ID)) },
			"upgraded":  func() error { return errOf(p.db.Upgrade(t.Context(), p.actor, drill.ID, store.UpgradeRequest{})) },
			"rehearsed": func() error { return errOf(p.db.StartDrill(t.Context(), p.actor, drill.ID, "")) },
			"given away": func() error {
				return errOf(p.db.ChangeOwner(t.Context(), p.actor, drill.ID, store.OwnerRequest{Email: "mara@example.com"}))
			},
		} {
			if err := do(); store.ErrorCode(err) != store.Conflict {
				t.Errorf("it is %s: %v", what, err)
			}
		}
		p.passDrill(t)
		if now := look(); now != before {
			t.Errorf("afterwards there are\n%s, before there were\n%s", now, before)
		}
	})
}

// Owners are told of a drill that has failed. What failed of the removal is tried again by the platform.
func TestDrillFails(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p, _ := setupDrills(t, url)
		p.add(t, "vera", store.Viewer)
		p.wantMail(t)
		drill := p.drill(t)
		c := p.claim(t, "one")
		p.advance(t, &c, store.Progress{Step: store.StepData})
		st, err := p.db.Fail(t.Context(), c, store.Failure{Code: store.RestoreOverdue, Facts: store.Facts{Doing: "files"}, HelmLog: []string{"line"}})
		if err != nil || st.Status != store.Deleting || st.Job.Kind != store.RemoveJob {
			t.Fatalf("afterwards it is %+v, %v", st, err)
		}
		got := p.drills(t).Last()
		if got.Passed() || got.Failure.Code != store.RestoreOverdue || got.Failure.Step != store.StepData || len(got.Failure.HelmLog) != 1 || got.EndedAt.IsZero() || got.Order != "" {
			t.Errorf("it ended as %+v", got)
		}
		if next := p.drills(t).Next; !next.Equal(got.EndedAt.Add(24 * time.Hour)) {
			t.Errorf("the next is at %s", next)
		}
		if told := p.toldOfDrills(t); kinds(told) != "drill.asked/ drill.failed/data" || told[1].Data.Failure.Code != store.RestoreOverdue || told[1].Data.Failure.HelmLog != nil {
			t.Errorf("told is %+v", told)
		}
		p.wantMail(t, "mara: drill.failed of Tea & Tonic")

		c = c.On(st)
		if st, err = p.db.Fail(t.Context(), c, store.Failure{Code: store.LabelLost}); err != nil || st.Status != store.Failed {
			t.Fatalf("its removal failed: %+v, %v", st, err)
		}
		if err := p.db.Release(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		p.wantMail(t)
		again := func(want int) {
			t.Helper()
			if n, err := p.db.UnguardedRemoveDrillsAgain(t.Context(), p.cluster.ID); n != want || err != nil {
				t.Errorf("%d removals begin again, want %d, %v", n, want, err)
			}
		}
		again(0)
		change(t, url, `UPDATE jobs SET ended_at = 1 WHERE kind = 'remove'`)
		again(1)
		again(0)
		if c = p.claim(t, "two"); c.Store.ID != drill.ID || c.Job.Kind != store.RemoveJob || c.Job.Attempt != 2 {
			t.Errorf("claimed is %+v", c.Job)
		}
		if last := p.drills(t).Last(); !drillsEqual(last, got) {
			t.Errorf("its result is %+v now", last)
		}
	})
}

func TestDrillIsCancelled(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p, _ := setupDrills(t, url)
		viewer := p.add(t, "vera", store.Viewer)
		p.wantMail(t)
		drill := p.drill(t)
		c := p.claim(t, "one")
		p.advance(t, &c, store.Progress{Step: store.StepData})
		if _, err := p.db.RequestDelete(t.Context(), viewer, drill.ID, store.DeleteRequest{}); store.ErrorCode(err) != store.Forbidden {
			t.Errorf("a viewer is answered with %v", err)
		}
		for range 2 { // twice is no error
			st, err := p.db.RequestDelete(t.Context(), p.actor, drill.ID, store.DeleteRequest{Backup: true})
			if err != nil || st.Status != store.Deleting || st.Job.Kind != store.RemoveJob || st.Job.Waits() {
				t.Fatalf("deleted it is %+v, %v", st, err)
			}
		}
		if _, err := p.db.Complete(t.Context(), c, store.Opened{Check: store.Check{OK: true}}); !errors.Is(err, store.ErrStale) {
			t.Errorf("it passes nevertheless: %v", err)
		}
		if got := p.drills(t).Last(); got.Passed() || got.Failure.Code != store.DrillWasCancelled || got.Failure.Facts.Person != "mara" || got.Failure.Step != store.StepData {
			t.Errorf("it ended as %+v", got)
		}
		if told := p.toldOfDrills(t); kinds(told) != "drill.asked/ drill.cancelled/data" || told[1].Actor != "mara" {
			t.Errorf("told is %+v", told)
		}
		p.wantMail(t)
		if _, err := p.db.Archive(t.Context(), c.On(p.store(t, drill.ID)), store.Note{}); err != nil {
			t.Error(err)
		}

		second := p.drill(t)
		if _, err := p.db.RequestDelete(t.Context(), p.actor, p.ready.ID, store.DeleteRequest{}); err != nil {
			t.Fatal(err)
		}
		if st := p.store(t, second.ID); st.Status != store.Deleting {
			t.Errorf("with the store that is rehearsed it is %s", st.Status)
		}
		if got := p.drills(t); got.Running().ID != "" || got.Newest[0].ID != second.ID || got.Newest[0].Failure.Code != store.DrillWasCancelled || !got.Next.IsZero() {
			t.Errorf("drills are %+v", got)
		}
	})
}

func TestDrillIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		viewer := p.add(t, "vera", store.Viewer)
		stranger, _ := storetest.Actor(t, p.db, "sasha")
		want := func(who store.Actor, point string, code store.Code, sentence string) {
			t.Helper()
			if _, err := p.db.StartDrill(t.Context(), who, p.ready.ID, point); store.ErrorCode(err) != code || err != nil && !strings.Contains(err.Error(), sentence) {
				t.Errorf("the answer is %v, want %s: %s", err, code, sentence)
			}
		}
		want(p.actor, "", store.Conflict, "This store has no restore point. Back it up first.")
		p.made(t, store.Manifest{Simulated: true})
		want(p.actor, "", store.Conflict, "no restore point")
		want(p.actor, p.backups(t).Points[0].ID, store.Conflict, "simulated")
		first := p.made(t, wholeManifest())
		p.made(t, wholeManifest())
		want(stranger, "", store.NotFound, "")
		want(viewer, "", store.Forbidden, "")
		want(p.actor, "none", store.NotFound, "")
		if _, err := p.db.Drills(t.Context(), stranger, p.ready.ID); store.ErrorCode(err) != store.NotFound {
			t.Errorf("a stranger sees its drills: %v", err)
		}
		if d, err := p.db.StartDrill(t.Context(), p.actor, p.ready.ID, first.ID); err != nil || d.PointID != first.ID {
			t.Errorf("with the older point it is %+v, %v", d, err)
		}
		want(p.actor, "", store.Conflict, "A restore drill of this store is already in progress.")
		p.passDrill(t)
		if _, err := p.db.RequestDelete(t.Context(), p.actor, p.ready.ID, store.DeleteRequest{}); err != nil {
			t.Fatal(err)
		}
		want(p.actor, "", store.Conflict, "This store is deleting.")
	})
}

// Whoever is first ends the drill, once, and the removal begins whatever came of it.
func TestDrillEndsOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p, _ := setupDrills(t, url)
		for i := range 10 {
			drill := p.drill(t)
			c := p.claim(t, "one")
			var all sync.WaitGroup
			all.Go(func() {
				if _, err := p.db.Complete(t.Context(), c, store.Opened{Check: store.Check{OK: true}}); err != nil && !errors.Is(err, store.ErrStale) {
					t.Error(err)
				}
			})
			all.Go(func() {
				if _, err := p.db.RequestDelete(t.Context(), p.actor, drill.ID, store.DeleteRequest{}); err != nil {
					t.Error(err)
				}
			})
			all.Go(func() {
				if _, err := p.db.StartDrill(t.Context(), p.actor, p.ready.ID, ""); err != nil && store.ErrorCode(err) != store.Conflict {
					t.Error(err)
				}
			})
			if i == 9 {
				all.Go(func() {
					if _, err := p.db.RequestDelete(t.Context(), p.actor, p.ready.ID, store.DeleteRequest{}); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			for _, id := range p.drillsGoingOn(t) { // that was begun meanwhile
				if _, err := p.db.RequestDelete(t.Context(), p.actor, id, store.DeleteRequest{}); err != nil {
					t.Error(err)
				}
			}
			if st := p.store(t, drill.ID); st.Status != store.Deleting || st.Job.Kind != store.RemoveJob || !st.Job.Pending() {
				t.Fatalf("its store is %s with %+v", st.Status, st.Job)
			}
			if n := countRows(t, url, "jobs WHERE ended_at = 0 AND store_id = '"+drill.ID+"'"); n != 1 {
				t.Errorf("%d jobs are to be done on its store", n)
			}
			if n := countRows(t, url, "events WHERE kind IN ('drill.passed', 'drill.cancelled') AND job_id = '"+drill.ID+"'"); n != 1 {
				t.Errorf("its end is told %d times", n)
			}
			p.removeDrills(t)
		}
	})
}

func (p points) drillsGoingOn(t *testing.T) (ids []string) {
	t.Helper()
	if running := p.drills(t).Running(); running.ID != "" {
		ids = append(ids, running.ID)
	}
	return ids
}

// removeDrills removes the stores of all drills that have ended.
func (p points) removeDrills(t *testing.T) {
	t.Helper()
	for {
		c, ok, err := p.db.Claim(t.Context(), "one", time.Minute, store.Concurrency{})
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return
		}
		if _, err := p.db.Archive(t.Context(), c, store.Note{}); err != nil {
			t.Fatal(err)
		}
	}
}

// Ten drills of a store are kept, and the newest one that passed.
func TestOldDrillsAreForgotten(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p, _ := setupDrills(t, url)
		passed := p.drill(t)
		p.passDrill(t)
		for range 12 {
			p.drill(t)
			c := p.claim(t, "one")
			st, err := p.db.Fail(t.Context(), c, store.Failure{Code: store.RestoreOverdue})
			if err == nil {
				_, err = p.db.Archive(t.Context(), c.On(st), store.Note{})
			}
			if err := errors.Join(err, p.db.Release(t.Context(), c)); err != nil {
				t.Fatal(err)
			}
		}
		if got := p.drills(t); len(got.Newest) != 10 || slices.ContainsFunc(got.Newest, store.Drill.Passed) {
			t.Errorf("there are %+v", got)
		}
		if n := countRows(t, url, "drills WHERE id = '"+passed.ID+"'"); n != 1 || countRows(t, url, "drills") != 11 {
			t.Errorf("%d drills are kept, of those that passed %d", countRows(t, url, "drills"), n)
		}
		change(t, url, `UPDATE restore_points SET ended_at = 1`)
		change(t, url, `INSERT INTO counters (name, value) VALUES ('drills', 1)`)
		if p.drills(t).Overdue {
			t.Error("the newest that passed is forgotten")
		}
		change(t, url, `UPDATE drills SET ended_at = 2 WHERE id = '`+passed.ID+`'`)
		if !p.drills(t).Overdue {
			t.Error("it is not overdue")
		}
		p.wantMail(t)
		overdue := func(want int) {
			t.Helper()
			if told, err := p.db.UnguardedTellOverdueDrills(t.Context(), p.cluster.ID); told != want || err != nil {
				t.Errorf("people are told of %d overdue drills, want %d, %v", told, want, err)
			}
		}
		overdue(1)
		overdue(0)
		p.wantMail(t, "mara: drill.overdue of Tea & Tonic")
		now := time.Now().UnixMicro()
		change(t, url, fmt.Sprintf(`UPDATE drills SET ended_at = %d WHERE id = '%s'`, now, passed.ID))
		overdue(0)
		change(t, url, fmt.Sprintf(`UPDATE events SET created_at = %d WHERE kind = 'drill.overdue'`, now-30*24*time.Hour.Microseconds()))
		change(t, url, fmt.Sprintf(`UPDATE drills SET ended_at = %d WHERE id = '%s'`, now-20*24*time.Hour.Microseconds(), passed.ID))
		overdue(1)
		p.archive(t, p.ready.ID)
		change(t, url, `DELETE FROM restore_points`)
		change(t, url, `UPDATE stores SET deleted_at = 1 WHERE deleted_at > 0`)
		if _, err := p.db.Prune(t.Context(), store.Retention{Deleted: time.Nanosecond}); err != nil {
			t.Fatal(err)
		}
		if n := countRows(t, url, "drills"); n != 0 {
			t.Errorf("%d drills outlive their store", n)
		}
	})
}
