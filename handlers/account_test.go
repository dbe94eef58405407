package handlers_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"shopwright.dev/shopwright/handlers"
)

// change writes into the database behind the program's back.
func (s site) change(statement string, args ...any) {
	s.t.Helper()
	if _, err := s.raw().ExecContext(context.Background(), statement, args...); err != nil {
		s.t.Fatal(err)
	}
}

func (s site) disable() {
	s.t.Helper()
	s.change(`UPDATE users SET disabled = 1`)
}

// A session that somebody has planted in the browser is not the one that a sign-in opens,
// and ends with it.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	attacker, victim := e.developer(), e.browser()
	planted := e.cookies(attacker)
	home, err := url.Parse(e.url)
	if err != nil {
		t.Fatal(err)
	}
	victim.Jar.SetCookies(home, planted)
	e.signIn(victim, "work", "")
	e.wantSignedIn(victim, "Mara")
	if got := e.withCookies(planted, "/account"); got.status != http.StatusSeeOther {
		t.Errorf("the planted session lives on: %d", got.status)
	}
	for _, cookie := range e.cookies(victim) {
		for _, old := range planted {
			if cookie.Name == old.Name && cookie.Value == old.Value {
				t.Error("the session has the planted cookie")
			}
		}
	}
}

func TestStolenCookieAfterSignOut(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	b := e.browser()
	e.signIn(b, "work", "")
	stolen := e.cookies(b)
	if got := e.withCookies(stolen, "/account"); got.status != http.StatusOK {
		t.Fatalf("the cookie opens nothing while it should: %d", got.status)
	}
	e.post(b, "/sign-out", nil)
	if got := e.withCookies(stolen, "/account"); got.status != http.StatusSeeOther {
		t.Errorf("a stolen cookie outlives the sign-out: %d", got.status)
	}
}

var sessionField = regexp.MustCompile(`name="session" value="([0-9a-f]{64})"`)

func TestSessionsAreEndedFromTheAccountPage(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	here, there, third := e.browser(), e.browser(), e.browser()
	for _, b := range []*http.Client{here, there, third} {
		e.signIn(b, "work", "")
	}
	live := e.follow(there, "view=frame", -1)
	page := e.get(here, "/account").body
	ids := sessionField.FindAllStringSubmatch(page, -1)
	if len(ids) != 2 || strings.Count(page, "this browser") != 1 {
		t.Fatalf("%d sessions can be ended in:\n%s", len(ids), page)
	}
	foreign := e.developer()
	for _, id := range []string{ids[0][1], "unknown"} {
		if got := e.post(foreign, "/account/sessions/end", url.Values{"session": {id}}); got.status != http.StatusNotFound {
			t.Errorf("another user ends the session %q: %d", id, got.status)
		}
	}
	if got := e.post(here, "/account/sessions/end", url.Values{"session": {ids[0][1]}}); got.status != http.StatusSeeOther {
		t.Errorf("end: %d", got.status)
	}
	if page := e.get(here, "/account").body; len(sessionField.FindAllString(page, -1)) != 1 {
		t.Error("the session was not ended")
	}
	if got := e.post(here, "/account/sessions/end-others", nil); got.status != http.StatusSeeOther {
		t.Errorf("end others: %d", got.status)
	}
	live.untilEnd()
	for _, b := range []*http.Client{there, third} {
		if got := e.get(b, "/account"); got.status != http.StatusSeeOther {
			t.Errorf("an ended session goes on: %d", got.status)
		}
	}
	e.wantSignedIn(here, "Mara")
	e.wantSignedIn(foreign, "Developer")
}

func TestOtherOriginsEndNoSessions(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	here, there := e.browser(), e.browser()
	e.signIn(here, "work", "")
	e.signIn(there, "work", "")
	for _, site := range []string{"cross-site", "same-site"} {
		for _, path := range []string{"/account/sessions/end-others", "/account/sessions/end", "/sign-out", "/sign-in/dev"} {
			r := e.request(http.MethodPost, path, nil)
			r.Header.Set("Sec-Fetch-Site", site)
			if got := e.do(here, r); got.status != http.StatusForbidden {
				t.Errorf("POST %s from %s: %d", path, site, got.status)
			}
		}
	}
	e.wantSignedIn(here, "Mara")
	e.wantSignedIn(there, "Mara")
}

func TestKeysAreReplaced(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	b := e.browser()
	e.signIn(b, "work", "")
	old := e.cookies(b)
	rotated, forgotten := e.open("n", sessionKey), e.open("n")
	if got := rotated.withCookies(old, "/account"); got.status != http.StatusOK {
		t.Errorf("what the old key signed is not taken: %d", got.status)
	}
	if got := forgotten.withCookies(old, "/account"); got.status != http.StatusSeeOther {
		t.Errorf("what a forgotten key signed is taken: %d", got.status)
	}
	fresh := rotated.browser()
	rotated.signIn(fresh, "work", "")
	if got := forgotten.withCookies(rotated.cookies(fresh), "/account"); got.status != http.StatusOK {
		t.Errorf("the new key does not sign: %d", got.status)
	}
	begun := e.browser()
	callback := e.begin(begun, "work", "")
	got := rotated.withCookies(e.cookies(begun), callback) // begun before the keys were replaced
	rotated.wantRefused(rotated.browser(), got, "sent an invalid response")
}

func TestUnusedSessionAsksToSignIn(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	b := e.browser()
	e.signIn(b, "work", "")
	const hour = int64(3600e6)
	e.change(`UPDATE sessions SET last_seen_at = last_seen_at - $1`, 47*hour)
	e.wantSignedIn(b, "Mara") // which is a use
	e.change(`UPDATE sessions SET last_seen_at = last_seen_at - $1`, 47*hour)
	e.wantSignedIn(b, "Mara")
	e.change(`UPDATE sessions SET last_seen_at = last_seen_at - $1`, 49*hour)
	if got := e.get(b, "/account"); got.status != http.StatusSeeOther {
		t.Errorf("after two days without use: %d", got.status)
	}
}

func TestDevicesInWords(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                     "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                            "Chrome on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0":                  "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":                      "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1":     "Chrome on iPhone",
		"Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
		"": "Unknown browser", "something": "Unknown browser", "curl/8.5.0": "curl",
	} {
		if got := handlers.Device(agent); got != want {
			t.Errorf("%q is %q, not %q", agent, got, want)
		}
	}
}
