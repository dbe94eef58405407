package store_test

import (
	"errors"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
)

// signedIn is somebody of whom a provider says so much.
func signedIn(t *testing.T, db *store.DB, who store.Identity) store.Actor {
	t.Helper()
	id, err := db.SignIn(t.Context(), who, store.Browser{})
	if err != nil {
		t.Fatal(err)
	}
	session, err := db.Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return session.Actor
}

// Whoever names no owner is it, as far as a provider has verified an address that a shop takes.
func TestOwnerIsWhoCreatesTheStore(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		for want, who := range map[string]store.Identity{
			"noor@example.org": {Provider: "p", Subject: "1", Name: "Noor", Email: "Noor@Example.org", Verified: true},
			"":                 {Provider: "p", Subject: "2", Name: "Ona", Email: "ona@example.org"},
			" ":                {Provider: "p", Subject: "3", Name: "Özlem", Email: "özlem@example.org", Verified: true},
		} {
			actor := signedIn(t, b.db, who)
			n := b.request("Shop of " + who.Name)
			n.TeamID, n.OwnerEmail = actor.Teams(store.CreateStores)[0], " "
			st, err := b.db.CreateStore(t.Context(), actor, n)
			if err != nil {
				t.Fatal(err)
			}
			proposed, err := b.db.OwnerEmail(t.Context(), actor.UserID)
			if err != nil || proposed != strings.TrimSpace(want) || b.store(t, st.ID).OwnerEmail != proposed {
				t.Errorf("%s: proposed is %q, %v; kept %q; want %q", who.Name, proposed, err, b.store(t, st.ID).OwnerEmail, want)
			}
		}
		second := store.Identity{Provider: "a", Subject: "1", Name: "Mara", Email: "first@example.com", Verified: true}
		if err := b.db.AddIdentity(t.Context(), b.actor, second); err != nil {
			t.Fatal(err)
		}
		if got, err := b.db.OwnerEmail(t.Context(), b.actor.UserID); err != nil || got != "mara@example.com" {
			t.Errorf("of two addresses %q is proposed, %v", got, err)
		}
	})
}

func TestOwnersAddress(t *testing.T) {
	t.Parallel()
	b := setup(t, "sqlite:"+t.TempDir()+"/shopwright.db")
	for typed, want := range map[string]string{
		" Mara.O'Neil+shop@Mail.Example.co.uk ": "mara.o'neil+shop@mail.example.co.uk",
		"m@xn--bcher-kva.example":               "m@xn--bcher-kva.example",
		"mara":                                  "", "mara@": "", "@example.com": "", "mara@localhost": "", "mara@-x.com": "", "mara@ex ample.com": "",
		"Mara <mara@example.com>": "", "a@example.com, b@example.com": "", "mara@bücher.example": "", "özlem@example.com": "", "a..b@example.com": "",
		"a&b@example.com": "", "mara@example.com\r\nBcc: x@example.com": "", strings.Repeat("m", 89) + "@example.com": "", "mara@[192.0.2.1]": "",
	} {
		n := b.request("Shop")
		n.OwnerEmail = typed
		st, err := b.db.CreateStore(t.Context(), b.actor, n)
		refused, ok := errors.AsType[*store.Error](err)
		if want == "" && (!ok || refused.Field != "owner_email" || refused.Code != store.Invalid) || want != "" && (err != nil || st.OwnerEmail != want) {
			t.Errorf("%q is kept as %q, %v; want %q", typed, st.OwnerEmail, err, want)
		}
	}
}
