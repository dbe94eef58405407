package database_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// made is a point of the store that is ready.
func (p points) made(t *testing.T, m store.Manifest) store.RestorePoint {
	t.Helper()
	c := p.backUp(t, "by hand")
	if err := errors.Join(p.db.RecordPoint(t.Context(), c, m), p.db.Release(t.Context(), c)); err != nil {
		t.Fatal(err)
	}
	return p.backups(t).Points[0]
}

// restore asks for a store that is opened with the point.
func (p points) restore(t *testing.T, actor store.Actor, team, point string) (store.Store, error) {
	t.Helper()
	return p.db.CreateStore(t.Context(), actor, store.NewStore{TeamID: team, Cluster: p.cluster, Name: "Restored", Engine: "medusa", Template: "none", Country: "JP", From: point})
}

func TestStoreIsOpenedWithARestorePoint(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		target := p.target(t, "off-site")
		manifest := wholeManifest()
		manifest.Repository = "beside"
		point := p.made(t, manifest)
		st, err := p.restore(t, p.actor, p.team, point.ID)
		if err != nil {
			t.Fatal(err)
		}
		from := p.store(t, p.ready.ID)
		want := store.Origin{Point: point.ID, StoreID: from.ID, Name: from.Name, URL: from.URL, MadeAt: point.EndedAt}
		if st.Origin != want || st.Engine != from.Engine || st.Template != from.Template || st.Country != from.Country || st.Currency != from.Currency || st.Name != "Restored" {
			t.Errorf("the store is %+v, want it with %+v", st, want)
		}
		if got := st.Job.Steps(); !slices.Equal(got[4:7], []store.Step{store.StepRelease, store.StepData, store.StepWorkloads}) {
			t.Errorf("its steps are %v", got)
		}
		c := p.claim(t, "two")
		got, repository, err := p.db.OriginRepository(t.Context(), c)
		if err != nil || got.ID != point.ID || got.Manifest != manifest || repository.Target.Secret != "hidden-off-site" || repository.URL() != "s3:"+target.Address()+"/beside" || repository.Password == "" {
			t.Errorf("its data are %+v in %+v, %v", got, repository, err)
		}
		if _, err := p.db.Fail(t.Context(), c, store.Failure{Code: store.RestoreOverdue}); err != nil {
			t.Fatal(err)
		}
		if err := p.db.Release(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if st, err = p.db.Retry(t.Context(), p.actor, st.ID); err != nil || st.Job.Data != point.ID || !st.Origin.Pending() {
			t.Errorf("tried again it is %+v, %v", st, err)
		}
		c = p.claim(t, "two")
		if st, err = p.db.RecordData(t.Context(), c, []string{"files"}); err != nil || st.Origin.Pending() || len(st.Volumes) != 1 {
			t.Errorf("with its data it is %+v, %v", st, err)
		}
		if _, err := p.db.RecordData(t.Context(), store.Claim{Store: st, Job: st.Job, Holder: "somebody else"}, nil); !errors.Is(err, store.ErrStale) {
			t.Errorf("another holder is answered with %v", err)
		}
		if st := p.store(t, st.ID); st.Origin.Pending() || st.Origin.Point != point.ID {
			t.Errorf("kept is %+v", st.Origin)
		}
		if _, err := p.db.Fail(t.Context(), c, store.Failure{Code: store.DataLost}); err != nil {
			t.Fatal(err)
		}
		if st, err = p.db.Rebuild(t.Context(), p.actor, st.ID, ""); err != nil || st.Origin != (store.Origin{}) || st.Job.Data != "" {
			t.Errorf("rebuilt it comes from %+v, %v", st.Origin, err)
		}
	})
}

func TestWhoMayRestoreAPoint(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		point := p.made(t, wholeManifest())
		stranger, theirs := storetest.Actor(t, p.db, "sasha")
		viewer, own := storetest.Actor(t, p.db, "vera")
		if err := p.db.AddMember(t.Context(), p.actor, p.team, viewer.UserID, store.Viewer); err != nil {
			t.Fatal(err)
		}
		viewer = p.now(t, "vera")
		want := func(who string, err error, code store.Code) {
			t.Helper()
			if store.ErrorCode(err) != code {
				t.Errorf("%s is answered with %v, want %s", who, err, code)
			}
		}
		try := func(actor store.Actor, team string) error { _, err := p.restore(t, actor, team, point.ID); return err }
		want("a stranger", try(stranger, theirs), store.NotFound)
		want("a viewer", try(viewer, own), store.Forbidden)
		want("somebody in another’s team", try(p.actor, theirs), store.Forbidden)
		_, err := p.restore(t, p.actor, p.team, "none")
		want("an unknown point", err, store.NotFound)
		if stores, err := p.db.DeletedStores(t.Context(), p.actor); err != nil || len(stores) != 0 {
			t.Errorf("before one is deleted there are %+v, %v", stores, err)
		}
		if has, err := p.db.HasDeletedStores(t.Context(), p.actor); has || err != nil {
			t.Errorf("before one is deleted there are some: %t, %v", has, err)
		}

		p.archive(t, p.ready.ID)
		if stores, err := p.db.DeletedStores(t.Context(), p.actor); err != nil || len(stores) != 1 || stores[0].ID != p.ready.ID {
			t.Errorf("deleted stores are %+v, %v", stores, err)
		}
		if st, points, err := p.db.DeletedStore(t.Context(), p.actor, p.ready.ID); err != nil || st.ID != p.ready.ID || len(points) != 1 {
			t.Errorf("of the deleted store there are %+v, %v", points, err)
		}
		if has, err := p.db.HasDeletedStores(t.Context(), p.actor); !has || err != nil {
			t.Errorf("afterwards there are none: %t, %v", has, err)
		}
		for who, actor := range map[string]store.Actor{"a stranger": stranger, "a viewer": viewer} {
			stores, err := p.db.DeletedStores(t.Context(), actor)
			_, _, refused := p.db.DeletedStore(t.Context(), actor, p.ready.ID)
			if err != nil || len(stores) != 0 || store.ErrorCode(refused) != store.NotFound {
				t.Errorf("%s sees %+v, %v, %v", who, stores, err, refused)
			}
		}
		if err := try(p.actor, p.team); err != nil {
			t.Errorf("a point of a deleted store is refused: %v", err)
		}
		change(t, url, `UPDATE restore_points SET expired_at = 1`)
		want("an expired point", try(p.actor, p.team), store.NotFound)
	})
}

func TestPointWithoutDataOpensNoRealStore(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		point := p.made(t, store.Manifest{Simulated: true})
		if _, err := p.restore(t, p.actor, p.team, point.ID); store.ErrorCode(err) != store.Conflict || !strings.Contains(err.Error(), "simulated") {
			t.Errorf("the answer is %v", err)
		}
		if err := p.db.RecordClusterSeen(t.Context(), p.cluster.ID, "uid", "v1", true); err != nil {
			t.Fatal(err)
		}
		if _, err := p.restore(t, p.actor, p.team, point.ID); err != nil {
			t.Errorf("on simulated nodes the answer is %v", err)
		}
	})
}

// A deleted store is forgotten after a time, but not before its points are gone.
func TestPointOfAStoreThatWasDeletedLongAgo(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		point := p.made(t, wholeManifest())
		p.archive(t, p.ready.ID)
		change(t, url, `UPDATE stores SET deleted_at = 1 WHERE deleted_at > 0`)
		if removed, err := p.db.Prune(t.Context(), store.Retention{Events: time.Nanosecond, Deleted: time.Nanosecond}); err != nil || removed == 0 {
			t.Fatalf("%d rows are removed, %v", removed, err)
		}
		if stores, err := p.db.DeletedStores(t.Context(), p.actor); err != nil || len(stores) != 1 {
			t.Errorf("deleted stores are %+v, %v", stores, err)
		}
		if _, err := p.restore(t, p.actor, p.team, point.ID); err != nil {
			t.Error(err)
		}
	})
}

// A point that a store is to be opened with is not deleted before its data are there.
func TestPointThatIsRestoredIsKept(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		p := setupPoints(t, url)
		p.target(t, "off-site")
		change(t, url, `UPDATE plans SET keep_hourly = 1, keep_daily = 0, keep_weekly = 0, keep_monthly = 0`)
		wanted := p.oldPoint(t, url, "", 9*time.Hour, store.CleanupResult{})
		other := p.oldPoint(t, url, "", 8*time.Hour, store.CleanupResult{})
		p.oldPoint(t, url, "", 7*time.Hour, store.CleanupResult{})
		change(t, url, `UPDATE restore_points SET expired_at = 0`)
		st, err := p.restore(t, p.actor, p.team, wanted)
		if err != nil {
			t.Fatal(err)
		}
		opening := p.claim(t, "two")
		c := p.backUp(t, "")
		p.wantCleanup(t, c, false, other)
		p.finish(t, c, store.CleanupResult{Forgotten: true})
		if _, err := p.db.RecordData(t.Context(), opening, nil); err != nil {
			t.Fatal(err)
		}
		if got, _, err := p.db.BeginCleanup(t.Context(), p.backUp(t, "")); err != nil || !slices.Contains(got.Points, wanted) {
			t.Errorf("once it is restored %+v are deleted, %v", got, err)
		}
		if got := p.store(t, st.ID).Origin; got.Point != wanted || got.Pending() {
			t.Errorf("the store comes from %+v", got)
		}
	})
}
