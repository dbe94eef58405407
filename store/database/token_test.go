package database_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

const someone = "192.0.2.7"

// token makes one for the bundle's actor, with those scopes.
func (b bundle) token(t *testing.T, scopes ...store.Scope) (store.Token, string) {
	t.Helper()
	k, secret, err := b.db.CreateToken(t.Context(), b.actor, store.NewToken{TeamID: b.team, Name: " build  server ", Scopes: scopes, Lifetime: time.Hour})
	if err != nil {
		t.Fatalf("make a token: %v", err)
	}
	return k, secret
}

func (b bundle) bearer(t *testing.T, secret string) store.Bearer {
	t.Helper()
	who, err := b.db.TokenActor(t.Context(), secret, someone)
	if err != nil {
		t.Fatalf("come with a token: %v", err)
	}
	return who
}

func (b bundle) wantRefused(t *testing.T, secret, why string) {
	t.Helper()
	if who, err := b.db.TokenActor(t.Context(), secret, someone); store.ErrorCode(err) != store.NotFound || who.User.ID != "" {
		t.Errorf("a token that is %s is good for %+v, %v", why, who.Actor, err)
	}
}

func TestTokenNarrowsItsUser(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.create(t, "Shop")
		made, secret := b.token(t, store.ReadStores, store.RemoveStores)
		if !regexp.MustCompile(`^shopwright_[a-z2-7]{32}[a-z2-7]{7}$`).MatchString(secret) {
			t.Errorf("a token looks like %q", secret)
		}
		who := b.bearer(t, secret)
		a := who.Actor
		if a.UserID != b.actor.UserID || a.Token != "build server" || a.TokenID != made.ID || a.Address != someone || who.Token.Team == "" {
			t.Errorf("who comes with the token is %+v", who)
		}
		for action, may := range map[store.Action]bool{
			store.ViewStores: true, store.DeleteStores: true, store.CreateStores: false, store.ViewCredentials: false, store.ManageMembers: false,
		} {
			if a.May(action, b.team) != may {
				t.Errorf("may it %s: %v", action, !may)
			}
		}
		if _, err := b.db.RequestDelete(t.Context(), a, st.ID, store.DeleteRequest{}); err != nil {
			t.Fatal(err)
		}
		events, err := b.db.Activity(t.Context(), b.actor, 0, 1)
		if err != nil || len(events) != 1 || events[0].Token != "build server" || events[0].Address != someone || events[0].ActorID != b.actor.UserID {
			t.Errorf("written down as %+v, %v", events, err)
		}
		if _, _, err := b.db.CreateToken(t.Context(), a, store.NewToken{TeamID: b.team, Name: "more", Scopes: store.Scopes(), Lifetime: time.Hour}); store.ErrorCode(err) != store.Forbidden {
			t.Errorf("a token makes another: %v", err)
		}
	})
}

func TestTokensEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		made, secret := b.token(t, store.ReadStores)
		b.bearer(t, secret)
		for _, other := range []string{"", "shopwright_", "x" + secret, secret + "a", strings.Replace(secret, secret[12:13], "-", 1), strings.ToUpper(secret)} {
			b.wantRefused(t, other, "mistyped")
		}
		for _, c := range []struct{ why, change, back string }{
			{"expired", `UPDATE api_tokens SET expires_at = 1`, `UPDATE api_tokens SET expires_at = 9000000000000000`},
			{"of a disabled user", `UPDATE users SET disabled = TRUE`, `UPDATE users SET disabled = FALSE`},
			{"of a team that its user has left", `UPDATE memberships SET user_id = user_id || 'x'`, `UPDATE memberships SET user_id = substr(user_id, 1, 36)`},
		} {
			// The last one needs a user of that id for the time being.
			if _, err := raw(t, url).ExecContext(t.Context(), `INSERT INTO users (id, name, email, admin, disabled, created_at, last_seen_at)
				SELECT id || 'x', '', '', admin, disabled, 0, 0 FROM users WHERE NOT EXISTS (SELECT 1 FROM users WHERE length(id) = 37)`); err != nil {
				t.Fatal(err)
			}
			if _, err := raw(t, url).ExecContext(t.Context(), c.change); err != nil {
				t.Fatal(err)
			}
			b.wantRefused(t, secret, c.why)
			if _, err := raw(t, url).ExecContext(t.Context(), c.back); err != nil {
				t.Fatal(err)
			}
			b.bearer(t, secret)
		}
		if err := b.db.RevokeToken(t.Context(), b.actor, made.ID); err != nil {
			t.Fatal(err)
		}
		b.wantRefused(t, secret, "revoked")
		wantError(t, b.db.RevokeToken(t.Context(), b.actor, made.ID), store.NotFound, "")
		events, err := b.db.Activity(t.Context(), b.actor, 0, 2)
		if err != nil || len(events) != 2 || events[0].Kind != store.TokenRevoked || events[1].Kind != store.TokenCreated {
			t.Fatalf("written down as %+v, %v", events, err)
		}
		if e := events[0]; !e.Audit || e.RightsOf() != b.actor.UserID || e.Object != "build server" {
			t.Errorf("the end is written down as %+v", e)
		}
	})
}

func TestUseOfATokenIsNotedOnceAMinute(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		_, secret := b.token(t, store.ReadStores)
		used := func() time.Time {
			tokens, err := b.db.Tokens(t.Context(), b.actor)
			if err != nil || len(tokens) != 1 {
				t.Fatalf("%d tokens, %v", len(tokens), err)
			}
			return tokens[0].LastUsedAt
		}
		if !used().IsZero() {
			t.Error("used before it was")
		}
		b.bearer(t, secret)
		first := used()
		b.bearer(t, secret)
		if again := used(); first.IsZero() || !again.Equal(first) {
			t.Errorf("noted at %s and a moment later at %s", first, again)
		}
		if _, err := raw(t, url).ExecContext(t.Context(), `UPDATE api_tokens SET last_used_at = last_used_at - 60000000`); err != nil {
			t.Fatal(err)
		}
		b.bearer(t, secret)
		if later := used(); !later.After(first) {
			t.Error("a later use is not noted")
		}
	})
}

func TestWhatCannotBeAToken(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		stranger := b.now(t, "stranger")
		good := store.NewToken{TeamID: b.team, Name: "x", Scopes: []store.Scope{store.ReadStores}, Lifetime: time.Hour}
		for field, spoil := range map[string]func(*store.NewToken){
			"name":     func(n *store.NewToken) { n.Name = " \n " },
			"scopes":   func(n *store.NewToken) { n.Scopes = nil },
			"team":     func(n *store.NewToken) { n.TeamID = stranger.Teams(store.ViewStores)[0] },
			"lifetime": func(n *store.NewToken) { n.Lifetime = 400 * 24 * time.Hour },
		} {
			n := good
			spoil(&n)
			_, _, err := b.db.CreateToken(t.Context(), b.actor, n)
			wantError(t, err, store.Invalid, field)
		}
		n := good
		n.Scopes = []store.Scope{store.Administer}
		_, _, err := b.db.CreateToken(t.Context(), b.actor, n)
		wantError(t, err, store.Invalid, "scopes")
		for range 50 {
			if _, _, err = b.db.CreateToken(t.Context(), b.actor, good); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err = b.db.CreateToken(t.Context(), b.actor, good)
		wantError(t, err, store.Limited, "")
		for range 2 { // expired ones do not count, and the newest of them stay listed
			if _, err := raw(t, url).ExecContext(t.Context(), `UPDATE api_tokens SET expires_at = created_at`); err != nil {
				t.Fatal(err)
			}
			for range 50 {
				if _, _, err = b.db.CreateToken(t.Context(), b.actor, good); err != nil {
					t.Fatal(err)
				}
			}
		}
		if all, err := b.db.Tokens(t.Context(), b.actor); err != nil || len(all) != 100 {
			t.Errorf("listed are %d tokens, %v", len(all), err)
		}
	})
}

func TestWhoRevokesWhichToken(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		_, reader := b.token(t, store.ReadStores)
		_, writer := b.token(t, store.WriteTeam)
		third, _ := b.token(t, store.ReadStores)
		narrow, wide := b.bearer(t, reader), b.bearer(t, writer)
		wantError(t, b.db.RevokeToken(t.Context(), b.now(t, "stranger"), third.ID), store.NotFound, "")
		wantError(t, b.db.RevokeToken(t.Context(), narrow.Actor, third.ID), store.Forbidden, "")
		for _, c := range []struct {
			who store.Actor
			id  string
		}{{wide.Actor, third.ID}, {narrow.Actor, narrow.Token.ID}} {
			if err := b.db.RevokeToken(t.Context(), c.who, c.id); err != nil {
				t.Error(err)
			}
		}
		left, err := b.db.Tokens(t.Context(), b.actor)
		if err != nil || len(left) != 1 || left[0].ID != wide.Token.ID || !slices.Equal(left[0].Scopes, []store.Scope{store.WriteTeam}) {
			t.Errorf("left are %+v, %v", left, err)
		}
	})
}
