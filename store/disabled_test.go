package store_test

import (
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// Whoever is shut out lets nobody in either, not even after having been let in again.
func TestInvitationsEndWithTheAccountOfWhoInvites(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		admin := storetest.Admin(t, b.db)
		team, mara := b.found(t, "Nordlicht", map[string]store.Role{"second": store.Owner})
		other, _ := b.found(t, "Südwind", map[string]store.Role{"second": store.TeamAdmin})
		second := b.now(t, "second")
		_, first := b.invite(t, second, team, "", store.Viewer)
		_, bound := b.invite(t, second, other, "guest@example.com", store.Viewer)
		_, good := b.invite(t, mara, team, "", store.Viewer)
		if err := b.db.SetDisabled(t.Context(), admin, second.UserID, true); err != nil {
			t.Fatal(err)
		}
		events, err := b.db.Audit(t.Context(), admin, store.AuditQuery{Limit: 3})
		if err != nil || events[1].Kind != store.InvitationEnded || events[2].Kind != store.InvitationEnded || events[1].ActorID != admin.UserID {
			t.Errorf("recorded as %+v, %v", events, err)
		}
		_, _, err = b.db.Invite(t.Context(), second, store.NewInvitation{TeamID: team, Role: store.Viewer})
		wantError(t, err, store.NotFound, "")
		if err := b.db.SetDisabled(t.Context(), admin, second.UserID, false); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{first, bound} {
			_, err := b.db.OpenInvitation(t.Context(), secret)
			wantError(t, err, store.Conflict, "")
			_, err = b.db.AcceptInvitation(t.Context(), b.now(t, "guest"), secret)
			wantError(t, err, store.Conflict, "")
		}
		if _, err := b.db.AcceptInvitation(t.Context(), b.now(t, "guest"), good); err != nil {
			t.Errorf("somebody else's invitation: %v", err)
		}
	})
}

// An owner who cannot sign in owns nothing.
func TestTheLastEnabledOwnerStays(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		admin := storetest.Admin(t, b.db)
		team, mara := b.found(t, "Nordlicht", map[string]store.Role{"second": store.Owner})
		second := b.now(t, "second")
		if err := b.db.SetDisabled(t.Context(), admin, second.UserID, true); err != nil {
			t.Fatal(err)
		}
		wantError(t, b.db.RemoveMember(t.Context(), mara, team, mara.UserID), store.Conflict, "")
		wantError(t, b.db.ChangeRole(t.Context(), mara, team, mara.UserID, store.Viewer), store.Conflict, "")
		if err := b.db.RemoveMember(t.Context(), mara, team, second.UserID); err != nil {
			t.Errorf("the disabled one of two owners cannot be removed: %v", err)
		}
	})
}
