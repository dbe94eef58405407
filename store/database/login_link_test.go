package database_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

func TestLoginLinkIsGoodForOneSignIn(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		secret, err := b.db.CreateLoginLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var opened atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				id, err := b.db.SignInByLink(t.Context(), secret, store.Browser{})
				if err != nil {
					wantError(t, err, store.Forbidden, "")
					return
				}
				opened.Add(1)
				session, err := b.db.Session(t.Context(), id)
				if err != nil || session.User.Name != "Administrator" || len(session.Actor.Teams(store.CreateStores)) != 1 {
					t.Errorf("the session is %+v, %v", session, err)
				}
			})
		}
		all.Wait()
		if opened.Load() != 1 {
			t.Errorf("%d sessions were opened with one link", opened.Load())
		}
		_, err = b.db.SignInByLink(t.Context(), "guessed", store.Browser{})
		wantError(t, err, store.Forbidden, "")
	})
}

// The database, and so a backup, contains no usable sign-in link.
func TestLoginLinkIsKeptAsAHash(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		secret, err := b.db.CreateLoginLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var kept string
		var made, ends int64
		row := raw(t, url).QueryRowContext(t.Context(), `SELECT CAST(secret_hash AS TEXT), created_at, expires_at FROM login_links`)
		if err := row.Scan(&kept, &made, &ends); err != nil {
			t.Fatal(err)
		}
		if kept == "" || strings.Contains(kept, secret) {
			t.Errorf("of the secret %s is kept %s", secret, kept)
		}
		if lifetime := time.Duration(ends-made) * time.Microsecond; lifetime != 10*time.Minute {
			t.Errorf("it can be used for %s", lifetime)
		}
		_, err = b.db.SignInByLink(t.Context(), kept, store.Browser{})
		wantError(t, err, store.Forbidden, "")
	})
}

func TestLoginLinkExpires(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		secret, err := b.db.CreateLoginLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		made := store.LoginLinkLifetime.Microseconds()
		if _, err := raw(t, url).ExecContext(t.Context(), `UPDATE login_links SET expires_at = expires_at - $1`, made); err != nil {
			t.Fatal(err)
		}
		_, err = b.db.SignInByLink(t.Context(), secret, store.Browser{})
		wantError(t, err, store.Forbidden, "")
		if _, err := b.db.CreateLoginLink(t.Context()); err != nil {
			t.Fatal(err)
		}
		var kept int
		if err := raw(t, url).QueryRowContext(t.Context(), `SELECT COUNT(*) FROM login_links`).Scan(&kept); err != nil || kept != 1 {
			t.Errorf("%d links are kept, %v", kept, err)
		}
	})
}

func TestAnybodyKnown(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		if known, err := db.AnybodyKnown(t.Context()); err != nil || known {
			t.Errorf("somebody is known before anybody came: %v", err)
		}
		if _, err := db.SignIn(t.Context(), store.Identity{Provider: "test", Subject: "mara", Name: "Mara"}, store.Browser{}); err != nil {
			t.Fatal(err)
		}
		if known, err := db.AnybodyKnown(t.Context()); err != nil || !known {
			t.Errorf("nobody is known after somebody came: %v", err)
		}
	})
}
