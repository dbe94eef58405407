package database_test

import (
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// signIn opens a session of that person from the browser.
func signIn(t *testing.T, db *database.DB, name string, from store.Browser) (id string) {
	t.Helper()
	id, err := db.SignIn(t.Context(), store.Identity{Provider: "test", Subject: name, Name: name}, from)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func session(t *testing.T, db *database.DB, id string) store.Session {
	t.Helper()
	s, err := db.Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wantOver(t *testing.T, db *database.DB, id string) {
	t.Helper()
	_, err := db.Session(t.Context(), id)
	wantError(t, err, store.NotFound, "")
}

// next waits for an event of that kind.
func next(t *testing.T, sub *database.Subscription, kind store.Kind) store.Event {
	t.Helper()
	for {
		select {
		case e := <-sub.Events:
			if e.Kind == kind {
				return e
			}
		case <-time.After(15 * time.Minute):
			t.Fatalf("no event %s within a minute", kind)
		}
	}
}

// age makes all sessions look as if so much time had passed.
func age(t *testing.T, url string, d time.Duration) {
	t.Helper()
	_, err := raw(t, url).ExecContext(t.Context(), `
		UPDATE sessions SET created_at = created_at - $1, last_seen_at = last_seen_at - $1, expires_at = expires_at - $1`, d.Microseconds())
	if err != nil {
		t.Fatal(err)
	}
}

func TestSessionEndsUnused(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		used, unused := signIn(t, db, "mara", store.Browser{}), signIn(t, db, "mara", store.Browser{})
		age(t, url, store.SessionIdle-time.Hour)
		before := session(t, db, used)
		if err := db.KeepSession(t.Context(), before); err != nil {
			t.Fatal(err)
		}
		if after := session(t, db, used); after.ExpiresAt.Sub(before.ExpiresAt) < 40*time.Hour {
			t.Errorf("used, it ends at %s, and before at %s", after.ExpiresAt, before.ExpiresAt)
		}
		age(t, url, 2*time.Hour)
		wantOver(t, db, unused)
		for range 3 {
			if err := db.KeepSession(t.Context(), session(t, db, used)); err != nil {
				t.Fatal(err)
			}
			age(t, url, store.SessionIdle-time.Hour)
		}
		wantOver(t, db, used)
	})
}

func TestLastUseIsWrittenOnceAMinute(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		id := signIn(t, db, "mara", store.Browser{})
		seen := func() (at int64) {
			if err := raw(t, url).QueryRowContext(t.Context(), `SELECT last_seen_at FROM sessions`).Scan(&at); err != nil {
				t.Fatal(err)
			}
			return at
		}
		first := seen()
		if err := db.KeepSession(t.Context(), session(t, db, id)); err != nil || seen() != first {
			t.Errorf("written within a minute, %v", err)
		}
		age(t, url, 2*time.Minute)
		if err := db.KeepSession(t.Context(), session(t, db, id)); err != nil || seen() < first {
			t.Errorf("not written after two minutes, %v", err)
		}
	})
}

func TestSignInEndsTheSessionOfThatBrowser(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		planted := signIn(t, db, "mallory", store.Browser{})
		sub := db.Subscribe()
		t.Cleanup(sub.Close)
		signIn(t, db, "mara", store.Browser{Session: planted})
		wantOver(t, db, planted)
		if e := next(t, sub, store.SignedOut); e.RightsOf() == "" || e.Actor != "mallory" {
			t.Errorf("the streams of the other session learn of %+v", e)
		}
	})
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		here := signIn(t, db, "mara", store.Browser{Device: "Firefox", Address: "192.0.2.1"})
		there, third := signIn(t, db, "mara", store.Browser{Device: "curl", Address: "192.0.2.2"}), signIn(t, db, "mara", store.Browser{})
		mallory := session(t, db, signIn(t, db, "mallory", store.Browser{})).Actor
		mara := session(t, db, here).Actor
		list, err := db.Sessions(t.Context(), mara, here)
		if err != nil || len(list) != 3 || list[2].Device != "Firefox" || list[2].Address != "192.0.2.1" || !list[2].Current || list[1].Current {
			t.Fatalf("the sessions are %+v, %v", list, err)
		}
		for _, id := range []string{list[1].ID, "unknown"} {
			wantError(t, db.EndSession(t.Context(), mallory, id), store.NotFound, "")
		}
		wantOver(t, db, list[1].ID) // the id of the list opens nothing
		sub := db.Subscribe()
		t.Cleanup(sub.Close)
		if err := db.EndSession(t.Context(), mara, list[1].ID); err != nil {
			t.Fatal(err)
		}
		wantOver(t, db, there)
		session(t, db, third)
		if e := next(t, sub, store.SessionEnded); e.RightsOf() != mara.UserID || !e.Audit {
			t.Errorf("the streams of the session learn of %+v", e)
		}
		if err := db.EndOtherSessions(t.Context(), mara, here); err != nil {
			t.Fatal(err)
		}
		wantOver(t, db, third)
		session(t, db, here)
	})
}

func TestTokensDoNotSeeSessions(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		actor := b.actor
		actor.Token, actor.Scopes = "ci", store.Scopes()
		_, err := b.db.Sessions(t.Context(), actor, "")
		wantError(t, err, store.Forbidden, "")
		_, err = b.db.Identities(t.Context(), actor)
		wantError(t, err, store.Forbidden, "")
		wantError(t, b.db.EndSession(t.Context(), actor, "x"), store.Forbidden, "")
		wantError(t, b.db.EndOtherSessions(t.Context(), actor, "x"), store.Forbidden, "")
	})
}
