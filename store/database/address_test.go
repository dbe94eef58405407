package database_test

import (
	"testing"

	"shopwright.dev/shopwright/store"
)

// A user whose address is unverified can't accept an invitation for that address.
func TestInvitationsAreForVerifiedAddresses(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", nil)
		inv, secret := b.invite(t, mara, team, "guest@example.com", store.Member)
		squatter := enter(t, b.db, person("google", "1", "guest@example.com", false), everybody)
		_, err := b.db.AcceptInvitation(t.Context(), squatter.Actor, secret)
		wantError(t, err, store.Forbidden, "")
		_, err = b.db.InvitationFor(t.Context(), squatter.Actor, secret)
		wantError(t, err, store.Forbidden, "")

		guest := enter(t, b.db, person("github", "1", "Guest@example.com", true), everybody)
		again := owned("gitlab", "guest@example.com")
		if enter(t, b.db, again, everybody).User.ID != guest.User.ID {
			t.Fatal("the guest is two")
		}
		again.Email = "other@example.com" // by which she is called from now on
		guest = enter(t, b.db, again, everybody)
		if shown, err := b.db.InvitationFor(t.Context(), guest.Actor, secret); err != nil || shown.ID != inv.ID {
			t.Errorf("shown %+v, %v", shown, err)
		}
		if _, err := b.db.AcceptInvitation(t.Context(), guest.Actor, secret); err != nil {
			t.Errorf("with one of two verified addresses: %v", err)
		}
	})
}

// An address that somebody in the team claims does not keep its owner from being invited.
func TestAClaimedAddressCanBeInvited(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", nil)
		squatter := enter(t, b.db, person("google", "1", "guest@example.com", false), everybody)
		_, secret := b.invite(t, mara, team, "", store.Member)
		if _, err := b.db.AcceptInvitation(t.Context(), squatter.Actor, secret); err != nil {
			t.Fatal(err)
		}
		b.invite(t, mara, team, "guest@example.com", store.Member)
	})
}

// Only ASCII letters lose their case, so that no other letter becomes one of them.
func TestInvitationsAreForNoLookalike(t *testing.T) {
	t.Parallel()
	const kelvin = "\u212aate@example.com"
	if err := (store.Invitation{Email: "kate@example.com"}).CheckFor(kelvin); err == nil {
		t.Error("an invitation to kate is for whoever has a Kelvin sign")
	}
	if err := (store.Invitation{Email: "kate@example.com"}).CheckFor("", "Kate@EXAMPLE.com"); err != nil {
		t.Error(err)
	}
	b := setup(t, "sqlite:"+t.TempDir()+"/records.db")
	team, mara := b.found(t, "Nordlicht", nil)
	inv, secret := b.invite(t, mara, team, kelvin, store.Member)
	if inv.Email != kelvin {
		t.Errorf("an invitation to a Kelvin sign is to %q", inv.Email)
	}
	kate := enter(t, b.db, person("google", "1", "kate@example.com", true), everybody)
	_, err := b.db.AcceptInvitation(t.Context(), kate.Actor, secret)
	wantError(t, err, store.Forbidden, "")
}
