package handlers_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"shopwright.dev/shopwright/handlers/provider/providertest"
)

func TestSignInWithProviders(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	for _, name := range []string{"work", "github"} {
		e.issuer.Be(providertest.Person{Subject: "1", Name: "Mara", Email: name + "@example.com", Verified: true}, providertest.Faults{})
		b := e.browser()
		if got := e.signIn(b, name, "/activity?page=2"); got.status != http.StatusSeeOther || got.location != "/activity?page=2" {
			t.Errorf("%s leads to %d %q", name, got.status, got.location)
		}
		e.wantSignedIn(b, name+"@example.com")
		if strings.Contains(e.get(b, "/account").body, "shown@example.com") {
			t.Error("the address is not the primary one")
		}
	}
	if strings.Contains(e.log.String(), "refused") {
		t.Errorf("the log tells of refusals:\n%s", e.log)
	}
}

func TestThinAndLargeTokens(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	for name, faults := range map[string]providertest.Faults{
		"thin": {Thin: true},
		"of 20 kB": {Claims: func(c map[string]any) {
			c["groups"] = strings.Split(strings.Repeat("group-of-people ", 1300), " ")
		}},
	} {
		e.issuer.Be(mara, faults)
		b := e.browser()
		got := e.signIn(b, "work", "")
		e.wantSignedIn(b, "mara@example.com")
		for _, cookie := range got.header.Values("Set-Cookie") {
			if len(cookie) > 1000 {
				t.Errorf("%s: a cookie of %d bytes", name, len(cookie))
			}
		}
	}
}

func TestTokensThatAreNotForUs(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	claim := func(name string, value any) providertest.Faults {
		return providertest.Faults{Claims: func(c map[string]any) { c[name] = value }}
	}
	for name, faults := range map[string]providertest.Faults{
		"wrong nonce":     claim("nonce", "another"),
		"no nonce":        claim("nonce", ""),
		"wrong audience":  claim("aud", "another client"),
		"for another one": claim("azp", "another client"),
		"wrong issuer":    claim("iss", "https://evil.example"),
		"expired":         claim("exp", 1),
		"no expiry":       {Claims: func(c map[string]any) { delete(c, "exp") }},
		"expiry as text":  claim("exp", "tomorrow"),
		"no subject":      claim("sub", ""),
		"wrong signature": {Forged: true},
		"no token":        {Answer: map[string]string{"/token": `{"access_token": "x", "token_type": "Bearer"}`}},
		"a number":        {Answer: map[string]string{"/token": `{"access_token": "x", "token_type": "Bearer", "id_token": 5}`}},
		"unsigned":        {Answer: map[string]string{"/token": `{"access_token": "x", "token_type": "Bearer", "id_token": "eyJhbGciOiJub25lIn0.e30."}`}},
		"no JSON":         {Garbage: "/token"},
		"over 1 MB":       {Answer: map[string]string{"/token": `{"access_token": "` + strings.Repeat("x", 2<<20) + `"}`}},
		"keys no JSON":    {Garbage: "/keys", Forged: true},
	} {
		b := e.browser()
		e.issuer.Be(mara, faults)
		got := e.signIn(b, "work", "")
		t.Run(name, func(t *testing.T) { e.in(t).wantRefused(b, got, "sent an invalid response") })
	}
}

func TestGitHubThatAnswersGarbage(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	for name, faults := range map[string]providertest.Faults{
		"token":        {Garbage: "/login/oauth/access_token"},
		"user":         {Garbage: "/api/v3/user"},
		"addresses":    {Garbage: "/api/v3/user/emails"},
		"nobody":       {Answer: map[string]string{"/api/v3/user": `{}`}},
		"a large user": {Answer: map[string]string{"/api/v3/user": `{"id": 1, "bio": "` + strings.Repeat("x", 2<<20) + `"}`}},
	} {
		b := e.browser()
		e.issuer.Be(mara, faults)
		got := e.signIn(b, "github", "")
		t.Run(name, func(t *testing.T) { e.in(t).wantRefused(b, got, "sent an invalid response") })
	}
}

func TestIssuerThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	const discovery = "/.well-known/openid-configuration"
	var all sync.WaitGroup
	for _, c := range []struct {
		name, sentence string
		faults         providertest.Faults
	}{
		{"hangs", "Work isn’t responding", providertest.Faults{Hang: discovery}},
		{"answers garbage", "sent an invalid response", providertest.Faults{Garbage: discovery}},
		{"answers too much", "sent an invalid response", providertest.Faults{Answer: map[string]string{discovery: `{"issuer": "` + strings.Repeat("x", 2<<20) + `"}`}}},
		{"is another", "sent an invalid response", providertest.Faults{Answer: map[string]string{discovery: `{"issuer": "https://evil.example"}`}}},
	} {
		all.Go(func() {
			e := openEntrance(t)
			e.issuer.Be(mara, c.faults)
			b := e.browser()
			e.wantRefused(b, e.get(b, "/sign-in/with/work?next=/activity"), c.sentence)
			e.issuer.Be(mara, providertest.Faults{})
			e.signIn(b, "work", "")
			e.wantSignedIn(b, "Mara")
		})
	}
	all.Wait()
}

func TestIssuerThatHangsOnTheWayBack(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	b := e.browser()
	callback := e.begin(b, "work", "/activity")
	e.issuer.Be(mara, providertest.Faults{Hang: "/token"})
	got := e.get(b, callback)
	e.wantRefused(b, got, "Work isn’t responding")
	if !strings.Contains(got.location, "next=%2Factivity") {
		t.Errorf("where it should lead is lost: %s", got.location)
	}
}

func TestStateOfAnotherOne(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	const sentence = "or a newer one was started"
	mine, victim := e.browser(), e.browser()
	callback := e.begin(mine, "work", "")
	e.wantRefused(victim, e.get(victim, callback), sentence)
	e.begin(victim, "work", "")
	e.wantRefused(victim, e.get(victim, callback), sentence)
	e.wantRefused(mine, e.get(mine, strings.Replace(callback, "state=", "state=x", 1)), sentence)
	e.wantRefused(mine, e.get(mine, strings.Replace(callback, "/work/", "/github/", 1)), sentence)
	e.get(mine, callback)
	e.wantSignedIn(mine, "Mara")
}

func TestOtherSitesCannotBeginASignIn(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	for site, begins := range map[string]bool{"cross-site": false, "same-site": false, "same-origin": true, "none": true, "": true} {
		b := e.browser()
		r := e.request(http.MethodGet, "/sign-in/with/work?next=%2Fteams", nil)
		r.Header.Set("Sec-Fetch-Site", site)
		got := e.do(b, r)
		if leaves := strings.Contains(got.location, "code_challenge="); got.status != http.StatusSeeOther || leaves != begins {
			t.Errorf("%q leads to %d %s", site, got.status, got.location)
		}
		if !begins && (got.location != "/sign-in?next=%2Fteams" || len(e.cookies(b)) > 0) {
			t.Errorf("%q leads to %s, with cookies %v", site, got.location, e.cookies(b))
		}
	}
}

func TestStateIsGoodOnceOverProcesses(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	second := e.open(sessionKey) // another process on the same records
	b := e.browser()
	callback := e.begin(b, "work", "")
	before := e.cookies(b)
	e.get(b, callback)
	e.wantSignedIn(b, "Mara")
	for _, again := range []entrance{e, second} {
		got := again.withCookies(before, callback)
		again.wantRefused(again.browser(), got, "was already used")
	}
	e.wantRefused(e.browser(), e.get(b, callback), "or a newer one was started") // the cookie is gone
}

func TestCodeIsGoodOnce(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	first, second := e.browser(), e.browser()
	callback := e.begin(first, "work", "")
	e.get(first, callback)
	stolen, err := url.Parse(callback)
	if err != nil {
		t.Fatal(err)
	}
	mine, err := url.Parse(e.begin(second, "work", ""))
	if err != nil {
		t.Fatal(err)
	}
	query := mine.Query()
	query.Set("code", stolen.Query().Get("code"))
	e.wantRefused(second, e.get(second, mine.Path+"?"+query.Encode()), "sent an invalid response")
}

// A code that somebody else has got from the same provider is not taken: it was not made for
// the verifier of this browser.
func TestCodeOfAnotherSignIn(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	for _, name := range []string{"work", "github"} {
		attacker, victim := e.browser(), e.browser()
		fresh, err := url.Parse(e.begin(attacker, name, ""))
		if err != nil {
			t.Fatal(err)
		}
		mine, err := url.Parse(e.begin(victim, name, ""))
		if err != nil {
			t.Fatal(err)
		}
		query := mine.Query()
		query.Set("code", fresh.Query().Get("code"))
		e.wantRefused(victim, e.get(victim, mine.Path+"?"+query.Encode()), "sent an invalid response")
	}
}

func TestPersonWhoSaysNo(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	e.issuer.Be(mara, providertest.Faults{Denied: true})
	b := e.browser()
	e.wantRefused(b, e.signIn(b, "work", ""), "Sign-in with Work was cancelled")
	callback := e.begin(b, "work", "")
	e.wantRefused(b, e.get(b, strings.Replace(callback, "access_denied", "server_error", 1)), "Work refused the sign-in")
}

func TestWhoIsNotLetIn(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	for _, person := range []providertest.Person{
		{Subject: "7", Name: "Mallory", Email: "mallory@evil.example", Verified: true},
		{Subject: "8", Name: "Mallory", Email: "mallory@example.com"},
	} {
		for _, name := range []string{"work", "github"} {
			e.issuer.Be(person, providertest.Faults{})
			b := e.browser()
			e.wantRefused(b, e.signIn(b, name, "/invitations/x"), "Ask a member to invite you")
		}
	}
	b := e.browser()
	e.wantRefused(b, e.signIn(b, "work", e.invitation("somebody@example.com")), "Ask a member to invite you")
	page := e.invitation("")
	if got := e.signIn(b, "work", page); got.location != page {
		t.Errorf("who is invited comes to %q", got.location)
	}
	e.wantSignedIn(b, "Mallory")
}

func TestUnverifiedAddressDoesNotLink(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	owner, thief := e.browser(), e.browser()
	e.signIn(owner, "work", "")
	e.create(owner, "Of the owner")
	e.issuer.Be(providertest.Person{Subject: "9", Name: "Thief", Email: mara.Email}, providertest.Faults{})
	e.signIn(thief, "github", e.invitation(""))
	e.wantSignedIn(thief, "Thief")
	if strings.Contains(e.get(thief, "/stores").body, "Of the owner") {
		t.Error("an address that nobody has verified opens its owner's stores")
	}
}

func TestDisabledUserComesNotIn(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	b := e.browser()
	e.signIn(b, "work", "")
	e.disable()
	if got := e.get(b, "/account"); got.status != http.StatusSeeOther {
		t.Errorf("the session of a disabled user goes on: %d", got.status)
	}
	e.wantRefused(b, e.signIn(b, "work", ""), "Your account is disabled")
	e.wantRefused(b, e.signIn(b, "github", ""), "An account with your address exists")
}

func TestNextLeadsOnlyHome(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	for next, want := range map[string]string{
		"//evil.example":                     "/stores",
		"https://evil.example":               "/stores",
		"/\\evil.example":                    "/stores",
		"/sign-in/..//evil.example":          "/sign-in/..//evil.example",
		"/" + strings.Repeat("long", 20_000): "/stores",
	} {
		if len(next) > 1<<16 {
			next = next[:1<<13]
		}
		b := e.browser()
		if got := e.signIn(b, "work", next); got.location != want {
			t.Errorf("next %.40q leads to %q", next, got.location)
		}
	}
}

func TestRefusalsAreLoggedOnceWithoutSecrets(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	for name, faults := range map[string]providertest.Faults{
		"nonce": {Claims: func(c map[string]any) { c["nonce"] = "another" }}, "forged": {Forged: true}, "garbage": {Garbage: "/token"},
	} {
		before := strings.Count(e.log.String(), "sign-in refused")
		e.issuer.Be(mara, faults)
		e.signIn(e.browser(), "work", "")
		if n := strings.Count(e.log.String(), "sign-in refused") - before; n != 1 {
			t.Errorf("%s is logged %d times", name, n)
		}
	}
	for _, secret := range e.issuer.Told() {
		if secret != "" && strings.Contains(e.log.String(), secret) {
			t.Errorf("the log has %.20q in it:\n%s", secret, e.log)
		}
	}
}

func TestUnknownProviderIsNotFound(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	for _, path := range []string{"/sign-in/with/none", "/sign-in/with/none/callback", "/sign-in/with/"} {
		if got := e.get(e.browser(), path); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

// An address is taken as it was verified, or not at all.
func TestAddressesAreNotRewritten(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	owner := e.browser()
	e.signIn(owner, "work", "")
	e.create(owner, "Of the owner")
	for i, email := range []string{"mara\u202e@example.com", "mara\x1b[0m@example.com", "mara@example.com\n", strings.Repeat("x", 300) + "@example.com"} {
		e.issuer.Be(providertest.Person{Subject: strconv.Itoa(20 + i), Name: "Thief", Email: email, Verified: true}, providertest.Faults{})
		thief := e.browser()
		e.wantRefused(thief, e.signIn(thief, "github", ""), "Ask a member to invite you")
		e.signIn(thief, "github", e.invitation(""))
		if page := e.get(thief, "/account"); page.status != http.StatusOK || strings.Contains(page.body, "@example.com") {
			t.Errorf("%q has an address: %d", email, page.status)
		}
		if strings.Contains(e.get(thief, "/stores").body, "Of the owner") {
			t.Errorf("%q opens the stores of mara", email)
		}
	}
}
