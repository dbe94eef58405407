package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"shopwright.dev/shopwright/handlers"
	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/handlers/provider"
	"shopwright.dev/shopwright/handlers/provider/providertest"
	"shopwright.dev/shopwright/store"
)

// Where browsers come by HTTPS, no other host of the domain can set the cookie, and it goes
// nowhere in the clear.
func TestCookieOfASafeSite(t *testing.T) {
	t.Parallel()
	s := open(prepareWith(t, func(c *handlers.Config) { c.BaseURL = "https://shops.example.com" }))
	made := s.post(s.browser(), "/sign-in/dev", nil)
	cookie, err := http.ParseSetCookie(made.header.Get("Set-Cookie"))
	if err != nil {
		t.Fatalf("no cookie: %v", err)
	}
	if cookie.Name != "__Host-shopwright" || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("the cookie is %+v", cookie)
	}
}

// A provider that is away keeps nobody from signing in with another, and the pages from nothing.
func TestDeadIssuerBesideAnother(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	dead := e.issuer.OIDC()
	dead.Name, dead.Label, dead.URL = "dead", "Dead", "http://127.0.0.1:1"
	e.others = []provider.Config{dead}
	e = e.open(sessionKey)
	if page := e.get(e.browser(), "/sign-in").body; !strings.Contains(page, "/sign-in/with/dead") || !strings.Contains(page, "/sign-in/with/work") {
		t.Errorf("not all providers are offered: %s", page)
	}
	b := e.browser()
	e.wantRefused(b, e.get(b, "/sign-in/with/dead"), "Dead isn’t responding")
	e.signIn(b, "work", "")
	e.wantSignedIn(b, "Mara")
}

// Who has a code, its state and its verifier has nothing once the code was used.
func TestUsedCodeWithItsStateAndVerifier(t *testing.T) {
	t.Parallel()
	issuer := providertest.Start(t)
	issuer.Be(mara, providertest.Faults{})
	p := provider.New(issuer.OIDC(), "http://127.0.0.1/callback")
	t.Cleanup(p.Close)
	attempt := provider.Attempt{State: "state", Nonce: "nonce", Verifier: strings.Repeat("v", 52)}
	address, err := p.Begin(t.Context(), attempt)
	if err != nil {
		t.Fatal(err)
	}
	s := site{t: t}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(s.do(s.browser(), r).location)
	if err != nil {
		t.Fatal(err)
	}
	code := back.Query().Get("code")
	if who, err := p.Finish(t.Context(), attempt, code); err != nil || who.Email != mara.Email {
		t.Fatalf("the first use: %+v, %v", who, err)
	}
	if who, err := p.Finish(t.Context(), attempt, code); err == nil {
		t.Errorf("the second use lets %+v in", who)
	}
}

// Whoever asks for many stores at once gets as many as are allowed.
func TestParallelProgramsStayWithinTheLimit(t *testing.T) {
	t.Parallel()
	s := open(prepareWith(t, func(c *handlers.Config) { c.Limits = store.Limits{StoresPerUser: 5} }))
	p := s.program(everyScope()...)
	answers := make(chan answer)
	for range 50 {
		go func() { answers <- p.call("POST", "/stores", v1.NewStore{Name: "Shop", Engine: "woocommerce"}) }()
	}
	became := map[int]int{}
	for range 50 {
		became[(<-answers).status]++
	}
	if became[http.StatusAccepted] != 5 || became[http.StatusTooManyRequests] != 45 {
		t.Errorf("50 at once are answered %v", became)
	}
	if list := read[v1.StoreList](t, p.call("GET", "/stores", nil), http.StatusOK); list.Total != 5 {
		t.Errorf("%d stores were made", list.Total)
	}
}

// A page of another host below the same domain is another site to us, also for browsers that
// tell only where it comes from.
func TestSiblingHostIsRefused(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	_, port, _ := strings.Cut(strings.TrimPrefix(s.url, "http://"), ":")
	for origin, want := range map[string]int{
		"http://shop.localhost:" + port: http.StatusForbidden, "http://localhost": http.StatusForbidden,
		"null": http.StatusForbidden, "http://localhost:" + port: http.StatusUnauthorized, // whose cookie is another host's
	} {
		r := s.request(http.MethodPost, "/stores", url.Values{"name": {"x"}, "engine": {"woocommerce"}})
		r.Host = "localhost:" + port
		r.Header.Set("Origin", origin)
		if got := s.do(b, r); got.status != want {
			t.Errorf("from %s: %d, want %d", origin, got.status, want)
		}
	}
}
