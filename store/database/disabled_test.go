package database_test

import (
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// Invitations by a disabled user are invalid, even after the user is enabled again.
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

// An administrator names a new owner where no owner is left.
func TestAdministratorsAppointOwners(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		admin := storetest.Admin(t, b.db)
		team, mara := b.found(t, "Nordlicht", map[string]store.Role{"member": store.Member, "gone": store.TeamAdmin})
		member, gone, stranger := b.now(t, "member"), b.now(t, "gone"), b.now(t, "stranger")
		orphans := func() (found []store.TeamAccount) {
			t.Helper()
			teams, _, err := b.db.AllTeams(t.Context(), admin, all(""))
			if err != nil {
				t.Fatal(err)
			}
			for _, team := range teams {
				if len(team.Heirs) > 0 {
					found = append(found, team)
				}
			}
			return found
		}
		wantError(t, b.db.AppointOwner(t.Context(), mara, team, member.UserID), store.NotFound, "")
		wantError(t, b.db.AppointOwner(t.Context(), admin, team, member.UserID), store.Conflict, "")
		if got := orphans(); len(got) > 0 {
			t.Errorf("without an owner are %+v", got)
		}
		for _, id := range []string{gone.UserID, mara.UserID} {
			if err := b.db.SetDisabled(t.Context(), admin, id, true); err != nil {
				t.Fatal(err)
			}
		}
		if got := orphans(); len(got) != 1 || got[0].Name != "Nordlicht" || len(got[0].Heirs) != 1 || got[0].Heirs[0].UserID != member.UserID {
			t.Errorf("without an owner are %+v", got)
		}
		for _, id := range []string{gone.UserID, stranger.UserID, "none"} {
			wantError(t, b.db.AppointOwner(t.Context(), admin, team, id), store.NotFound, "")
		}
		wantError(t, b.db.AppointOwner(t.Context(), admin, "none", member.UserID), store.NotFound, "")
		if err := b.db.AppointOwner(t.Context(), admin, team, member.UserID); err != nil {
			t.Fatal(err)
		}
		if e := b.newest(t); e.Kind != store.RoleChanged || e.TeamID != team || e.ActorID != admin.UserID || e.Data.Before != "member" || e.Data.After != "owner" || e.RightsOf() != member.UserID {
			t.Errorf("recorded as %+v", e)
		}
		if b.now(t, "member").Roles[team] != store.Owner {
			t.Error("who was appointed is no owner")
		}
	})
}
