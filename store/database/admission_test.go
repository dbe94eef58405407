package database_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

var everybody = store.Admission{Domains: []string{store.Everybody}, Admins: []string{"root@example.com"}, Authorities: []string{"a", "google"}}

func person(provider, subject, email string, verified bool) store.Identity {
	return store.Identity{Provider: provider, Subject: subject, Name: "Mara", Email: email, Verified: verified}
}

// enter signs the person in and returns who it is.
func enter(t *testing.T, db *database.DB, who store.Identity, rules store.Admission) store.Session {
	t.Helper()
	id, err := db.SignInWith(t.Context(), who, store.Browser{}, rules)
	if err != nil {
		t.Fatalf("sign in %+v: %v", who, err)
	}
	session, err := db.Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func TestWhoGetsIn(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		storetest.Actor(t, db, "who was here before")
		domain := store.Admission{Domains: []string{"Example.com"}}
		for name, c := range map[string]struct {
			who   store.Identity
			rules store.Admission
			in    bool
		}{
			"nobody is named":               {person("a", "1", "mara@example.com", true), store.Admission{}, false},
			"of a domain":                   {person("a", "2", "Mara2@EXAMPLE.com", true), domain, true},
			"of a domain, not verified":     {person("a", "3", "mara@example.com", false), domain, false},
			"of a subdomain":                {person("a", "4", "mara@evil.example.com", true), domain, false},
			"of a longer domain":            {person("a", "5", "mara@example.com.evil.net", true), domain, false},
			"of two domains":                {person("a", "6", "mara@evil.net@example.com", true), domain, false},
			"without an address":            {person("a", "7", "", true), domain, false},
			"everybody":                     {person("a", "8", "", false), everybody, true},
			"invited":                       {person("a", "9", "", false), store.Admission{Invited: true}, true},
			"an administrator":              {person("a", "10", "Root@example.com", true), store.Admission{Admins: []string{"root@example.com"}, Authorities: []string{"a"}}, true},
			"of another provider":           {person("b", "13", "boss@example.com", true), store.Admission{Admins: []string{"boss@example.com"}, Authorities: []string{"a"}}, false},
			"not verified as administrator": {person("a", "11", "root@example.com", false), store.Admission{Admins: []string{"root@example.com"}, Authorities: []string{"a"}}, false},
			"with a Kelvin sign":            {person("a", "12", "\u212aate@example.com", true), store.Admission{Admins: []string{"kate@example.com"}, Authorities: []string{"a"}}, false},
		} {
			id, err := db.SignInWith(t.Context(), c.who, store.Browser{}, c.rules)
			if c.in != (err == nil) || c.in != (id != "") || !c.in && !errors.Is(err, store.ErrStranger) {
				t.Errorf("%s: %q, %v", name, id, err)
			}
		}
	})
}

func TestWhoAdministrates(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		open := store.Admission{Domains: []string{"example.com"}}
		var admins atomic.Int32
		var all sync.WaitGroup
		for _, subject := range []string{"1", "2", "3", "4"} {
			all.Go(func() {
				if enter(t, db, person("a", subject, subject+"@example.com", true), open).Actor.Admin {
					admins.Add(1)
				}
			})
		}
		all.Wait()
		if admins.Load() != 1 {
			t.Errorf("%d of the first are administrators", admins.Load())
		}
		if enter(t, db, person("a", "5", "root@example.com", false), everybody).User.Admin {
			t.Error("an address that nobody verified makes an administrator")
		}
		if !enter(t, db, person("a", "5", "root@example.com", true), everybody).User.Admin {
			t.Error("an address that is named makes no administrator")
		}
		if !enter(t, db, person("a", "5", "other@example.com", true), everybody).User.Admin {
			t.Error("an administrator is none any more")
		}
	})
}

func TestNamedAdministratorsAreTheOnlyOnes(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		if enter(t, storetest.Open(t, url), person("a", "1", "mara@example.com", true), everybody).User.Admin {
			t.Error("the first one is administrator although others are named")
		}
	})
}

// owned is a person of a provider that gives out the addresses of the domain.
func owned(provider, email string) store.Identity {
	who := person(provider, "1", email, true)
	who.OwnsDomain = true
	return who
}

// A second provider becomes an existing user by an address only where it gives that address out.
func TestSecondProviderWithTheSameAddress(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		mara := enter(t, db, person("google", "1", "Mara@example.com", true), everybody)
		for _, c := range []struct {
			name    string
			who     store.Identity
			refused bool
			same    bool
		}{
			{"known", person("google", "1", "mara@example.com", true), false, true},
			{"verified by the second only", person("github", "1", "mara@EXAMPLE.com", true), true, false},
			{"owner of the domain", owned("work", "mara@EXAMPLE.com"), false, true},
			{"not verified by the second", person("other", "1", "mara@example.com", false), false, false},
			{"without an address", person("other", "2", "", true), false, false},
			{"another account at the same provider", person("google", "2", "mara@example.com", true), false, false},
			{"owner of the domain, of two users", owned("third", "mara@example.com"), true, false},
		} {
			id, err := db.SignInWith(t.Context(), c.who, store.Browser{}, everybody)
			if c.refused != errors.Is(err, store.ErrAddressTaken) || !c.refused && err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if !c.refused && (session(t, db, id).User.ID == mara.User.ID) != c.same {
				t.Errorf("%s: the same user is %t", c.name, !c.same)
			}
		}
	})
}

func TestAddressThatTheFirstDidNotVerifyDoesNotLink(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		squatter := enter(t, db, person("google", "1", "mara@example.com", false), everybody)
		if enter(t, db, owned("work", "mara@example.com"), everybody).User.ID == squatter.User.ID {
			t.Error("a claim to an address opens its owner's account")
		}
	})
}

func TestDisabledUserIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		mara := enter(t, db, person("google", "1", "mara@example.com", true), everybody)
		if _, err := raw(t, url).ExecContext(t.Context(), `UPDATE users SET disabled = $1 WHERE id = $2`, true, mara.User.ID); err != nil {
			t.Fatal(err)
		}
		for _, provider := range []string{"google", "work"} {
			_, err := db.SignInWith(t.Context(), owned(provider, "mara@example.com"), store.Browser{}, everybody)
			if !errors.Is(err, store.ErrDisabled) {
				t.Errorf("with %s: %v", provider, err)
			}
		}
		wantError(t, db.AddIdentity(t.Context(), mara.Actor, person("github", "1", "mara@example.com", true)), store.Forbidden, "")
		if linked, err := db.Identities(t.Context(), mara.Actor); err != nil || len(linked) != 1 {
			t.Errorf("a refused sign-in has linked %+v, %v", linked, err)
		}
	})
}

func TestStateIsGoodOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		var used atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				err := db.UseState(t.Context(), "a", time.Minute)
				if err == nil {
					used.Add(1)
				} else {
					wantError(t, err, store.Conflict, "")
				}
			})
		}
		all.Wait()
		if used.Load() != 1 {
			t.Errorf("a state was used %d times", used.Load())
		}
		if err := db.UseState(t.Context(), "b", -time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := db.UseState(t.Context(), "c", time.Minute); err != nil {
			t.Fatal(err)
		}
		var kept int
		if err := raw(t, url).QueryRowContext(t.Context(), `SELECT COUNT(*) FROM used_states`).Scan(&kept); err != nil || kept != 2 {
			t.Errorf("%d states are kept, %v", kept, err)
		}
	})
}
