package database_test

import (
	"sync"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// now returns the person as the database has it now.
func (b bundle) now(t *testing.T, name string) store.Actor {
	t.Helper()
	actor, _ := storetest.Actor(t, b.db, name)
	return actor
}

func (b bundle) add(t *testing.T, name string, role store.Role) store.Actor {
	t.Helper()
	if err := b.db.AddMember(t.Context(), b.actor, b.team, b.now(t, name).UserID, role); err != nil {
		t.Fatalf("add %s: %v", name, err)
	}
	return b.now(t, name)
}

func TestMembersComeAndGo(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.create(t, "Shop")
		guest := b.add(t, "guest", store.Viewer)
		if _, err := b.db.FindStore(t.Context(), guest, st.ID); err != nil {
			t.Errorf("a member does not see the store: %v", err)
		}
		wantError(t, b.db.AddMember(t.Context(), b.actor, b.team, guest.UserID, store.Member), store.Conflict, "")
		if err := b.db.RemoveMember(t.Context(), b.actor, b.team, guest.UserID); err != nil {
			t.Fatal(err)
		}
		if _, err := b.db.FindStore(t.Context(), b.now(t, "guest"), st.ID); store.ErrorCode(err) != store.NotFound {
			t.Errorf("whoever was removed sees the store: %v", err)
		}
		wantError(t, b.db.RemoveMember(t.Context(), b.actor, b.team, guest.UserID), store.NotFound, "")

		events, err := b.db.Activity(t.Context(), b.actor, 0, 2)
		if err != nil || len(events) != 2 {
			t.Fatalf("%d lines of activity, %v", len(events), err)
		}
		for i, kind := range []store.Kind{store.MemberRemoved, store.MemberAdded} {
			e := events[i]
			if e.Kind != kind || !e.Audit || e.Object != "guest" || e.ActorID != b.actor.UserID || e.RightsOf() != guest.UserID || e.TeamID != b.team {
				t.Errorf("recorded as %+v", e)
			}
		}
	})
}

func TestWhoMayRemoveWhom(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		admin, member, viewer := b.add(t, "admin", store.TeamAdmin), b.add(t, "member", store.Member), b.add(t, "viewer", store.Viewer)
		stranger := b.now(t, "stranger")
		remove := func(by, whom store.Actor) error { return b.db.RemoveMember(t.Context(), by, b.team, whom.UserID) }

		wantError(t, remove(stranger, viewer), store.NotFound, "")
		wantError(t, remove(viewer, member), store.Forbidden, "")
		wantError(t, remove(member, viewer), store.Forbidden, "")
		wantError(t, remove(admin, b.actor), store.Forbidden, "")
		wantError(t, remove(b.actor, b.actor), store.Conflict, "")
		wantError(t, b.db.AddMember(t.Context(), member, b.team, stranger.UserID, store.Viewer), store.Forbidden, "")
		wantError(t, b.db.AddMember(t.Context(), admin, b.team, stranger.UserID, store.Owner), store.Forbidden, "")
		wantError(t, b.db.AddMember(t.Context(), stranger, b.team, stranger.UserID, store.Viewer), store.NotFound, "")
		wantError(t, b.db.AddMember(t.Context(), b.actor, b.team, stranger.UserID, "king"), store.Invalid, "role")
		wantError(t, b.db.AddMember(t.Context(), b.actor, b.team, "nobody", store.Viewer), store.NotFound, "")
		if err := remove(member, member); err != nil {
			t.Errorf("a member may not leave: %v", err)
		}
		if err := remove(admin, viewer); err != nil {
			t.Errorf("an admin may not remove a viewer: %v", err)
		}
		second := b.add(t, "second", store.Owner)
		if err := remove(second, b.actor); err != nil {
			t.Errorf("one of two owners cannot be removed: %v", err)
		}
		wantError(t, remove(second, second), store.Conflict, "")
	})
}

func TestTwoOwnersRemoveEachOtherAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		second := b.add(t, "second", store.Owner)
		results := make([]error, 2)
		var both sync.WaitGroup
		both.Go(func() { results[0] = b.db.RemoveMember(t.Context(), b.actor, b.team, second.UserID) })
		both.Go(func() { results[1] = b.db.RemoveMember(t.Context(), second, b.team, b.actor.UserID) })
		both.Wait()
		if (results[0] == nil) == (results[1] == nil) {
			t.Errorf("removed at once: %v", results)
		}
	})
}
