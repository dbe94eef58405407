package database_test

import (
	"errors"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

// signedIn returns the actor of an identity after its sign-in.
func signedIn(t *testing.T, db *database.DB, who store.Identity) store.Actor {
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

// Without a named owner, the store gets the creator's address, if it is verified and every shop accepts it.
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
			proposed, err := b.db.OwnerEmail(t.Context(), actor)
			if err != nil || proposed != strings.TrimSpace(want) || b.store(t, st.ID).OwnerEmail != proposed {
				t.Errorf("%s: proposed is %q, %v; kept %q; want %q", who.Name, proposed, err, b.store(t, st.ID).OwnerEmail, want)
			}
		}
		second := store.Identity{Provider: "a", Subject: "1", Name: "Mara", Email: "first@example.com", Verified: true}
		if err := b.db.AddIdentity(t.Context(), b.actor, second); err != nil {
			t.Fatal(err)
		}
		if got, err := b.db.OwnerEmail(t.Context(), b.actor); err != nil || got != "mara@example.com" {
			t.Errorf("of two addresses %q is proposed, %v", got, err)
		}
		ada := signedIn(t, b.db, store.Identity{Provider: "p", Subject: "4", Name: "Ada", Email: "åda@example.com", Verified: true})
		if err := b.db.AddIdentity(t.Context(), ada, store.Identity{Provider: "a", Subject: "2", Name: "Ada", Email: "ada@example.com", Verified: true}); err != nil {
			t.Fatal(err)
		}
		if got, err := b.db.OwnerEmail(t.Context(), ada); err != nil || got != "ada@example.com" {
			t.Errorf("of an address that shops refuse and one that they accept, %q is proposed, %v", got, err)
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

func (b bundle) changeOwner(t *testing.T, st store.Store, email string) store.Store {
	t.Helper()
	st, err := b.db.ChangeOwner(t.Context(), b.actor, st.ID, store.OwnerRequest{Email: email, InShop: true})
	if err != nil {
		t.Fatal(err)
	}
	if st.Status != store.Upgrading || st.OwnerEmail != email || st.Job.Change.To != st.Sold || st.Job.Change.From != st.Sold {
		t.Fatalf("asked to change its owner, it is %s of %s: %+v", st.Status, st.OwnerEmail, st.Job.Change)
	}
	return st
}

// Another owner's address comes with a revision like the one in place. When that fails, or is
// cancelled, the address of before comes back.
func TestOwnerIsChanged(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.changeOwner(t, b.sells(t), "noor@example.org")
		if again, err := b.db.ChangeOwner(t.Context(), b.actor, st.ID, store.OwnerRequest{Email: "Noor@example.org ", InShop: true}); err != nil || again.Generation != st.Generation {
			t.Errorf("the same address again: generation %d after %d, %v", again.Generation, st.Generation, err)
		}
		events, err := b.db.StoreEvents(t.Context(), b.actor, st.ID)
		if err != nil {
			t.Fatal(err)
		}
		if e := events[len(events)-1]; e.Kind != store.OwnerAsked || !e.Audit || e.Data.Before != "mara@example.com" || e.Data.After != "noor@example.org" || e.Actor != "mara" {
			t.Errorf("it is told as %+v", e)
		}
		c := b.claim(t, "one")
		if c.Store, err = b.db.RecordRelease(t.Context(), c, store.Released{Number: 2, ChartVersion: "1.0.0", Offer: "another", Like: 1}); err != nil {
			t.Fatal(err)
		}
		st = b.complete(t, c)
		revisions, err := b.db.Revisions(t.Context(), b.actor, st.ID)
		if err != nil || st.Status != store.Ready || st.Sold != 2 || st.OwnerEmail != "noor@example.org" || revisions[0].Offer != revisions[1].Offer {
			t.Errorf("it is %s of %s, sold %d, %+v, %v", st.Status, st.OwnerEmail, st.Sold, revisions, err)
		}

		b.changeOwner(t, st, "ona@example.net")
		c = b.claim(t, "one")
		b.release(t, &c, 3, "1.0.0")
		if st, err = b.db.Fail(t.Context(), c, store.Failure{Code: store.TimedOut}); err != nil || st.Status != store.Upgrading || st.Job.Change.Kind != store.Rollback || st.OwnerEmail != "noor@example.org" || st.CanCancel() {
			t.Fatalf("failed, it is %s of %s: %+v, %v", st.Status, st.OwnerEmail, st.Job.Change, err)
		}
		c = c.On(st)
		b.release(t, &c, 4, "1.0.0")
		st = b.changeOwner(t, b.complete(t, c), "ona@example.net")
		if st, err = b.db.Cancel(t.Context(), b.actor, st.ID); err != nil || st.OwnerEmail != "noor@example.org" || b.store(t, st.ID).OwnerEmail != "noor@example.org" || st.Job.Change.To != 4 {
			t.Errorf("cancelled, it is %s of %s: %+v, %v", st.Status, st.OwnerEmail, st.Job.Change, err)
		}
	})
}

// A shop that does not keep the address has no work of it.
func TestOwnerIsNoted(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		before := b.sells(t)
		for range 2 {
			st, err := b.db.ChangeOwner(t.Context(), b.actor, before.ID, store.OwnerRequest{Email: "noor@example.org"})
			if err != nil || st.OwnerEmail != "noor@example.org" || st.Status != store.Ready || st.Generation != before.Generation || b.store(t, st.ID).OwnerEmail != st.OwnerEmail {
				t.Errorf("it is %s of %s, generation %d after %d, %v", st.Status, st.OwnerEmail, st.Generation, before.Generation, err)
			}
		}
		events, err := b.db.StoreEvents(t.Context(), b.actor, before.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got := kinds(events); !strings.HasSuffix(got, "store.ready/ready store.owner_changed/ready") {
			t.Errorf("the events are %s", got)
		}
	})
}

func TestOwnerCannotBeChangedNow(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		ready := b.sells(t)
		viewer := b.add(t, "lio", store.Viewer)
		opening := b.create(t, "Opening")
		for _, inShop := range []bool{true, false} {
			r := store.OwnerRequest{Email: "noor@example.org", InShop: inShop}
			for what, c := range map[string]struct {
				actor store.Actor
				st    store.Store
				email string
				code  store.Code
			}{
				"a viewer":          {viewer, ready, r.Email, store.Forbidden},
				"of a new store":    {b.actor, opening, r.Email, store.Conflict},
				"to no address":     {b.actor, ready, " ", store.Invalid},
				"to a wrong one":    {b.actor, ready, "noor", store.Invalid},
				"of no such store":  {b.actor, store.Store{ID: "none"}, r.Email, store.NotFound},
				"a viewer, wrongly": {viewer, ready, "noor", store.Forbidden},
			} {
				r.Email = c.email
				if _, err := b.db.ChangeOwner(t.Context(), c.actor, c.st.ID, r); store.ErrorCode(err) != c.code {
					t.Errorf("%s: %v", what, err)
				}
			}
		}
	})
}
