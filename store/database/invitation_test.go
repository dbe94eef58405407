package database_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

func (b bundle) invite(t *testing.T, by store.Actor, team, email string, role store.Role) (store.Invitation, string) {
	t.Helper()
	inv, secret, err := b.db.Invite(t.Context(), by, store.NewInvitation{TeamID: team, Email: email, Role: role})
	if err != nil {
		t.Fatal(err)
	}
	return inv, secret
}

// age makes all invitations older by that.
func ageInvitations(t *testing.T, url string, by time.Duration) {
	t.Helper()
	if _, err := raw(t, url).ExecContext(t.Context(), `UPDATE invitations SET expires_at = expires_at - $1`, by.Microseconds()); err != nil {
		t.Fatal(err)
	}
}

func TestInvitationByAddress(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", nil)
		inv, secret := b.invite(t, mara, team, " Guest@Example.COM ", store.Member)
		if inv.Email != "guest@example.com" || inv.Team != "Nordlicht" || inv.InvitedBy != "mara" || inv.Expired || inv.ExpiresAt.Sub(inv.CreatedAt) != store.InvitationLifetime {
			t.Errorf("made as %+v", inv)
		}
		if e := b.newest(t); e.Kind != store.MemberInvited || e.Object != "guest@example.com" || e.Data.After != "member" || e.RightsOf() != "" {
			t.Errorf("recorded as %+v", e)
		}
		shown, err := b.db.OpenInvitation(t.Context(), secret)
		if err != nil || shown.ID != inv.ID || shown.Role != store.Member {
			t.Errorf("opened as %+v, %v", shown, err)
		}
		other, guest := b.now(t, "other"), b.now(t, "guest")
		_, err = b.db.AcceptInvitation(t.Context(), other, secret)
		wantError(t, err, store.Forbidden, "")
		joined, err := b.db.AcceptInvitation(t.Context(), guest, secret)
		if err != nil || joined.ID != team || joined.Role != store.Member || b.now(t, "guest").Roles[team] != store.Member {
			t.Fatalf("joined %+v, %v", joined, err)
		}
		if e := b.newest(t); e.Kind != store.SignedIn {
			t.Errorf("the last deed is %s", e.Kind)
		}
		_, err = b.db.AcceptInvitation(t.Context(), guest, secret)
		wantError(t, err, store.Conflict, "")
		_, err = b.db.OpenInvitation(t.Context(), secret)
		wantError(t, err, store.Conflict, "")
		_, err = b.db.OpenInvitation(t.Context(), "made-up")
		wantError(t, err, store.NotFound, "")
		_, err = b.db.AcceptInvitation(t.Context(), other, "made-up")
		wantError(t, err, store.NotFound, "")
		_, _, err = b.db.Invite(t.Context(), mara, store.NewInvitation{TeamID: team, Email: "guest@example.com", Role: store.Viewer})
		wantError(t, err, store.Conflict, "email")
	})
}

func TestWhoMayInviteWhom(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", map[string]store.Role{"admin": store.TeamAdmin, "member": store.Member})
		invite := func(by store.Actor, team, email string, role store.Role) error {
			_, _, err := b.db.Invite(t.Context(), by, store.NewInvitation{TeamID: team, Email: email, Role: role})
			return err
		}
		admin, member, stranger := b.now(t, "admin"), b.now(t, "member"), b.now(t, "stranger")
		wantError(t, invite(stranger, team, "", store.Viewer), store.NotFound, "")
		wantError(t, invite(member, team, "", store.Viewer), store.Forbidden, "")
		wantError(t, invite(admin, team, "", store.Owner), store.Forbidden, "")
		wantError(t, invite(mara, team, "", "king"), store.Invalid, "role")
		wantError(t, invite(mara, b.team, "", store.Viewer), store.Conflict, "")
		for _, wrong := range []string{"x", "a b@c", "Mara <m@example.com>", "a@b, c@d", strings.Repeat("x", 250) + "@example.com"} {
			wantError(t, invite(mara, team, wrong, store.Viewer), store.Invalid, "email")
		}
		inv, _ := b.invite(t, mara, team, "guest@example.com", store.Owner)
		wantError(t, invite(mara, team, "GUEST@example.com", store.Viewer), store.Conflict, "email")
		for _, by := range []store.Actor{stranger, member} {
			if _, err := b.db.Invitations(t.Context(), by, team); err == nil {
				t.Errorf("%s sees the invitations", by.Name)
			}
		}
		wantError(t, b.db.RevokeInvitation(t.Context(), admin, team, inv.ID), store.Forbidden, "")
		wantError(t, b.db.RevokeInvitation(t.Context(), stranger, team, inv.ID), store.NotFound, "")
		_, _, err := b.db.RenewInvitation(t.Context(), admin, team, inv.ID)
		wantError(t, err, store.Forbidden, "")
		other, _ := b.found(t, "Other", nil)
		wantError(t, b.db.RevokeInvitation(t.Context(), b.now(t, "mara"), other, inv.ID), store.NotFound, "")
	})
}

func TestInvitationsEndAndAreRenewed(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", nil)
		inv, first := b.invite(t, mara, team, "guest@example.com", store.Viewer)
		ageInvitations(t, url, store.InvitationLifetime)
		guest := b.now(t, "guest")
		_, err := b.db.AcceptInvitation(t.Context(), guest, first)
		wantError(t, err, store.Conflict, "")
		if pending, err := b.db.Invitations(t.Context(), mara, team); err != nil || len(pending) != 1 || !pending[0].Expired {
			t.Errorf("pending: %+v, %v", pending, err)
		}
		renewed, second, err := b.db.RenewInvitation(t.Context(), mara, team, inv.ID)
		if err != nil || renewed.ID != inv.ID || renewed.Expired || second == first {
			t.Fatalf("renewed as %+v, %v", renewed, err)
		}
		_, err = b.db.AcceptInvitation(t.Context(), guest, first)
		wantError(t, err, store.NotFound, "")
		if err := b.db.RevokeInvitation(t.Context(), mara, team, inv.ID); err != nil {
			t.Fatal(err)
		}
		_, err = b.db.AcceptInvitation(t.Context(), guest, second)
		wantError(t, err, store.Conflict, "")
		wantError(t, b.db.RevokeInvitation(t.Context(), mara, team, inv.ID), store.NotFound, "")
		_, _, err = b.db.RenewInvitation(t.Context(), mara, team, inv.ID)
		wantError(t, err, store.NotFound, "")

		b.invite(t, mara, team, "guest@example.com", store.Viewer)
		ageInvitations(t, url, store.InvitationLifetime)
		_, third := b.invite(t, mara, team, "guest@example.com", store.Member)
		if pending, err := b.db.Invitations(t.Context(), mara, team); err != nil || len(pending) != 1 || pending[0].Role != store.Member {
			t.Errorf("beside one that was too old: %+v, %v", pending, err)
		}
		if _, err := b.db.AcceptInvitation(t.Context(), guest, third); err != nil {
			t.Error(err)
		}
	})
}

// TestOneLinkIsUsedByManyAtOnce lets exactly one in.
func TestOneLinkIsUsedByManyAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", nil)
		_, secret := b.invite(t, mara, team, "", store.Viewer)
		people := []string{"one", "two", "three", "four", "five", "six"}
		results := make([]error, len(people))
		var all sync.WaitGroup
		for i, name := range people {
			actor := b.now(t, name)
			all.Go(func() { _, results[i] = b.db.AcceptInvitation(t.Context(), actor, secret) })
		}
		all.Wait()
		in := 0
		for _, err := range results {
			if err == nil {
				in++
				continue
			}
			wantError(t, err, store.Conflict, "")
		}
		members, err := b.db.Members(t.Context(), mara, team)
		if err != nil || in != 1 || len(members) != 2 {
			t.Errorf("%d were let in, %d are members, %v", in, len(members), err)
		}
	})
}

func TestLinkIsNotUsedUpByAMember(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", nil)
		_, secret := b.invite(t, mara, team, "", store.Viewer)
		_, err := b.db.AcceptInvitation(t.Context(), mara, secret)
		wantError(t, err, store.Conflict, "")
		if b.now(t, "mara").Roles[team] != store.Owner {
			t.Error("who follows a link of one's own is what the link says")
		}
		if _, err := b.db.AcceptInvitation(t.Context(), b.now(t, "guest"), secret); err != nil {
			t.Error(err)
		}
	})
}

// TestWhoWasRemovedDoesNotComeBackByALink of one's own.
func TestWhoWasRemovedDoesNotComeBackByALink(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", map[string]store.Role{"admin": store.TeamAdmin, "second": store.Owner})
		admin, second := b.now(t, "admin"), b.now(t, "second")
		_, byAdmin := b.invite(t, admin, team, "", store.TeamAdmin)
		_, asOwner := b.invite(t, second, team, "", store.Owner)
		_, asViewer := b.invite(t, second, team, "", store.Viewer)
		if err := b.db.RemoveMember(t.Context(), mara, team, admin.UserID); err != nil {
			t.Fatal(err)
		}
		if err := b.db.ChangeRole(t.Context(), mara, team, second.UserID, store.TeamAdmin); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{byAdmin, asOwner} {
			_, err := b.db.AcceptInvitation(t.Context(), b.now(t, "admin"), secret)
			wantError(t, err, store.Conflict, "")
		}
		if _, err := b.db.AcceptInvitation(t.Context(), b.now(t, "guest"), asViewer); err != nil {
			t.Errorf("an admin's invitation of a viewer: %v", err)
		}
		_, _, err := b.db.Invite(t.Context(), admin, store.NewInvitation{TeamID: team, Role: store.Viewer}) // whose roles were read before
		wantError(t, err, store.NotFound, "")
	})
}

func TestInvitationsGoWithTheirTeam(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", nil)
		_, secret := b.invite(t, mara, team, "", store.Viewer)
		if err := b.db.DeleteTeam(t.Context(), mara, team); err != nil {
			t.Fatal(err)
		}
		_, err := b.db.AcceptInvitation(t.Context(), b.now(t, "guest"), secret)
		wantError(t, err, store.Conflict, "")
	})
}
