package handlers_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"shopwright.dev/shopwright/handlers"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// site is the pages on real records, without a cluster: stores wait in the queue.
type site struct {
	t    *testing.T
	db   *database.DB
	file string // of the database
	app  *handlers.App
	url  string
	log  *strings.Builder
}

func serve(t *testing.T) site {
	t.Helper()
	return open(prepare(t))
}

// open serves the site until the test ends.
func open(s site) site {
	s.t.Helper()
	server := httptest.NewServer(s.app.Handler())
	s.url = server.URL
	s.t.Cleanup(func() { s.app.Drain(); server.Close() })
	return s
}

// prepare is a site that nobody serves yet.
func prepare(t *testing.T) site {
	t.Helper()
	return prepareWith(t, func(*handlers.Config) {})
}

// prepareWith is prepare with a configuration that the test has changed.
func prepareWith(t *testing.T, change func(*handlers.Config)) site {
	t.Helper()
	s := site{t: t, file: filepath.Join(t.TempDir(), "shopwright.db"), log: &strings.Builder{}}
	keys := [][]byte{[]byte(strings.Repeat("k", 32))}
	sealer, err := store.NewSealer(keys)
	if err != nil {
		t.Fatal(err)
	}
	db := storetest.Open(t, "sqlite:"+s.file, database.WithSealer(sealer))
	s.db = db
	log := slog.New(slog.NewTextHandler(s.log, nil))
	config := handlers.Config{
		DB: db, Engines: engine.Offered(), SessionKeys: keys, BaseURL: "http://127.0.0.1",
		Limits: store.Limits{StoresPerUser: 3}, DevLogin: true, Version: "test", Log: log,
		Provisioner: provisioner.New(provisioner.Config{
			DB: db, Cluster: storetest.Cluster(t, db), Engines: engine.Offered(), Site: engine.Spec{TLS: engine.TLS{Mode: engine.TLSNone}}, Log: log,
		}),
	}
	change(&config)
	s.app = handlers.New(config)
	return s
}

// browser is a client with cookies that follows no redirect.
func (s site) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (s site) developer() *http.Client {
	s.t.Helper()
	b := s.browser()
	if answer := s.post(b, "/sign-in/dev", nil); answer.status != http.StatusSeeOther {
		s.t.Fatalf("sign in: %+v", answer)
	}
	return b
}

type answer struct {
	status   int
	location string
	body     string
	header   http.Header
}

func (s site) do(b *http.Client, r *http.Request) answer {
	s.t.Helper()
	response, err := b.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = response.Body.Close()
	return answer{response.StatusCode, response.Header.Get("Location"), string(body), response.Header}
}

func (s site) request(method, path string, form url.Values) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func (s site) get(b *http.Client, path string) answer {
	s.t.Helper()
	return s.do(b, s.request(http.MethodGet, path, nil))
}

func (s site) post(b *http.Client, path string, form url.Values) answer {
	s.t.Helper()
	return s.do(b, s.request(http.MethodPost, path, form))
}

// submit posts the form, and returns the page to which that leads.
func (s site) submit(b *http.Client, path string, form url.Values) answer {
	s.t.Helper()
	posted := s.post(b, path, form)
	if posted.status != http.StatusSeeOther {
		return posted
	}
	return s.get(b, posted.location)
}

func (s site) create(b *http.Client, name string) string {
	s.t.Helper()
	made := s.post(b, "/stores", url.Values{"name": {name}, "engine": {"woocommerce"}})
	if made.status != http.StatusSeeOther {
		s.t.Fatalf("create %q: %d %s", name, made.status, made.body)
	}
	return made.location
}

// foreign makes a store of another user.
func (s site) foreign() string {
	s.t.Helper()
	actor, team := storetest.Actor(s.t, s.db, "somebody else")
	st, err := s.db.CreateStore(s.t.Context(), actor, store.NewStore{TeamID: team, Cluster: storetest.Cluster(s.t, s.db), Name: "Theirs", Engine: "woocommerce"})
	if err != nil {
		s.t.Fatal(err)
	}
	return "/stores/" + st.ID
}

func TestNobodyIsSentToSignIn(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.browser()
	for _, path := range []string{"/stores", "/stores/new", "/stores/x", "/stores/x/pods", "/activity", "/account"} {
		if got := s.get(b, path); got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/sign-in") {
			t.Errorf("GET %s without a session: %d to %q", path, got.status, got.location)
		}
	}
	if got := s.get(b, "/events?view=stores"); got.status != http.StatusUnauthorized {
		t.Errorf("a stream without a session: %d", got.status)
	}
	if got := s.post(b, "/stores", url.Values{"name": {"x"}}); got.status != http.StatusUnauthorized {
		t.Errorf("create without a session: %d", got.status)
	}
}

func TestForeignStoresAreNotFound(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	theirs, unknown := s.foreign(), "/stores/none-such"
	for _, path := range []string{"", "/pods", "/events", "/logs", "/logs/stream", "/logs/download", "/settings", "/delete"} {
		first, second := s.get(b, theirs+path), s.get(b, unknown+path)
		if first.status != http.StatusNotFound || second.status != http.StatusNotFound {
			t.Errorf("GET %s: %d for a foreign store, %d for an unknown one", path, first.status, second.status)
		}
	}
	for _, path := range []string{"/retry", "/rebuild", "/repair", "/credentials", "/delete"} {
		if got := s.post(b, theirs+path, url.Values{"confirm": {"Theirs"}}); got.status != http.StatusNotFound {
			t.Errorf("POST %s to a foreign store: %d", path, got.status)
		}
	}
	if got := s.get(b, "/events?view=store&id="+strings.TrimPrefix(theirs, "/stores/")); got.status != http.StatusNotFound {
		t.Errorf("the stream of a foreign store: %d", got.status)
	}
	for _, path := range []string{"/stores", "/activity"} {
		if got := s.get(b, path); strings.Contains(got.body, "Theirs") {
			t.Errorf("%s shows a foreign store", path)
		}
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	for name, header := range map[string][2]string{
		"by where it comes from": {"Sec-Fetch-Site", "cross-site"},
		"from a sibling":         {"Sec-Fetch-Site", "same-site"},
		"by its origin":          {"Origin", "http://evil.example"},
	} {
		r := s.request(http.MethodPost, "/stores", url.Values{"name": {"x"}, "engine": {"woocommerce"}})
		r.Header.Set(header[0], header[1])
		if got := s.do(b, r); got.status != http.StatusForbidden {
			t.Errorf("a request of another site, %s: %d", name, got.status)
		}
	}
	r := s.request(http.MethodGet, "/stores", nil)
	r.Host = "rebound.example"
	if got := s.do(b, r); got.status != http.StatusMisdirectedRequest {
		t.Errorf("another name that resolves to us: %d", got.status)
	}
}

// Proxies pass on another host than browsers see. The base URL tells what is ours.
func TestProxyThatChangesTheHost(t *testing.T) {
	t.Parallel()
	s := open(prepareWith(t, func(c *handlers.Config) { c.BaseURL = "http://shopwright.lan:19001" }))
	for _, host := range []string{"shopwright.lan:19001", "shopwright.lan" /* nginx's $host */, "127.0.0.1:18083" /* none set */} {
		for origin, want := range map[string]int{"http://shopwright.lan:19001": http.StatusSeeOther, "http://elsewhere.lan:19001": http.StatusForbidden} {
			r := s.request(http.MethodPost, "/sign-in/dev", url.Values{})
			r.Host = host
			r.Header.Set("Origin", origin)
			got := s.do(s.browser(), r)
			if got.status != want {
				t.Errorf("passed on as %s, asked by %s: %d", host, origin, got.status)
			}
			if want == http.StatusForbidden && !strings.Contains(got.body, "Open Shopwright at http://shopwright.lan:19001") {
				t.Errorf("it is refused by no page of ours: %s", got.body)
			}
		}
	}
}

func TestSignInLeadsOnlyHome(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for next, want := range map[string]string{
		"/activity":            "/activity",
		"//evil.example":       "/stores",
		"https://evil.example": "/stores",
		"/\\evil.example":      "/stores",
		"javascript:alert(1)":  "/stores",
		"":                     "/stores",
	} {
		if got := s.post(s.browser(), "/sign-in/dev", url.Values{"next": {next}}); got.location != want {
			t.Errorf("next %q leads to %q", next, got.location)
		}
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	cookie := s.post(s.browser(), "/sign-in/dev", nil).header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie is not %s: %s", want, cookie)
		}
	}
	stolen := s.request(http.MethodGet, "/stores", nil)
	home, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.Jar.Cookies(home) {
		stolen.AddCookie(c)
	}
	s.post(b, "/sign-out", nil)
	if got := s.do(s.browser(), stolen); got.status != http.StatusSeeOther {
		t.Errorf("a cookie that was taken before the sign-out still opens the pages: %d", got.status)
	}
}

func TestBadInputComesBackAtItsField(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	long := strings.Repeat("ü", 300)
	for _, c := range []struct{ name, slug, says string }{
		{"", "", "Enter a name"},
		{long, "", "at most 120"},
		{"My <b>shop</b>", "my--shop", "single hyphens"},
		{"Shop", "www", "reserved"},
		{"Shop", "Ümlaut 🦄", "lowercase letters"},
	} {
		got := s.post(b, "/stores", url.Values{"name": {c.name}, "slug": {c.slug}, "engine": {"woocommerce"}})
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, c.says) {
			t.Errorf("%.20q at %q: %d without %q", c.name, c.slug, got.status, c.says)
		}
		for _, typed := range []string{c.name, c.slug} {
			kept := `value="` + strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(typed) + `"`
			if !strings.Contains(got.body, kept) {
				t.Errorf("what was typed is lost: %.40q", typed)
			}
		}
	}
	for _, name := range []string{"Café & Söhne", "🦄🦄", "24 Hours"} {
		s.create(b, name)
	}
	if got := s.post(b, "/stores", url.Values{"name": {"One more"}, "engine": {"woocommerce"}}); got.status != http.StatusTooManyRequests || !strings.Contains(got.body, "You have 3 of 3 stores.") || !strings.Contains(got.body, `value="One more"`) {
		t.Errorf("beyond the limit: %d", got.status)
	}
	if got := s.post(b, "/stores", url.Values{"name": {strings.Repeat("x", 100_000)}}); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body of 100 kB: %d", got.status)
	}
}

func TestDeleteAsksForTheName(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	page := s.create(b, "Shop")
	if got := s.post(b, page+"/delete", url.Values{"confirm": {"shop"}}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `value="shop"`) {
		t.Errorf("a wrong name: %d", got.status)
	}
	if got := s.get(b, page); strings.Contains(got.body, `data-status="deleting"`) {
		t.Error("deleted by a wrong name")
	}
	s.post(b, page+"/delete", url.Values{"confirm": {" Shop\u200e "}})
	if got := s.get(b, page); !strings.Contains(got.body, `data-status="deleting"`) {
		t.Error("not deleted by the right name")
	}
}

func TestErrorsAreToldPlainly(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	if got := s.get(b, "/none-such"); got.status != http.StatusNotFound || !strings.Contains(got.body, "Not found") {
		t.Errorf("an unknown address: %d", got.status)
	}
	page := s.create(b, "Shop")
	if got := s.post(b, page+"/retry", nil); got.status != http.StatusConflict || !strings.Contains(got.body, "Only a failed store") {
		t.Errorf("retry of a store at work: %d", got.status)
	}
	for _, path := range []string{"/rebuild", "/repair"} {
		if got := s.post(b, page+path, nil); got.status != http.StatusConflict || !strings.Contains(got.body, "This store is provisioning") {
			t.Errorf("%s of a store at work: %d", path, got.status)
		}
	}
	if got := s.submit(b, page+"/credentials", nil); got.status != http.StatusOK || !strings.Contains(got.body, "The cluster is unreachable") {
		t.Errorf("credentials without a cluster: %d", got.status)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200} {
		if got := s.get(s.browser(), path); got.status != want {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

// Whoever sends requests here learns that there is an end before it comes.
func TestNotReadyWhileItEnds(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.app.Drain()
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable} {
		if got := s.get(s.browser(), path); got.status != want {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

func TestAddressesThatAreNoTextAreNotFound(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	page := s.create(b, "Shop")
	for _, path := range []string{
		"/stores/%00", "/stores/%ff", page + "%00", "/stores?q=a%00b", "/stores?q=%ff", "/stores?engine=woo%00", "/stores/slug?name=x&slug=%00",
		"/events?view=store&id=%00", "/sign-in?next=/stores%00",
	} {
		if got := s.get(b, path); got.status != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, got.status)
		}
	}
	for _, path := range []string{"/stores?q=100%", "/stores?q=%D7%A9%D7%9C%D7%95%D7%9D"} {
		if got := s.get(b, path); got.status != http.StatusOK {
			t.Errorf("GET %s: %d", path, got.status)
		}
	}
	form := url.Values{"name": {"Shop \x00\xff\u202e two"}, "slug": {""}, "engine": {"woocommerce"}}
	if got := s.post(b, "/stores", form); got.status != http.StatusSeeOther {
		t.Errorf("a name of which something is no text: %d", got.status)
	}
	if got := s.get(b, "/stores"); !strings.Contains(got.body, ">Shop two<") {
		t.Error("the name is not what is left of it as text")
	}
	form = url.Values{"name": {"Shop"}, "slug": {"a\x00"}, "engine": {"woo\xff"}}
	if got := s.post(b, "/stores", form); got.status != http.StatusUnprocessableEntity {
		t.Errorf("an engine that is no text: %d", got.status)
	}
}

func TestNamesOfPeopleAreShownAsPlainText(t *testing.T) {
	t.Parallel()
	s := serve(t)
	const name = "\u202e<img src=x onerror=alert(1)>\x1b[31m \u2028Ann\" Example"
	identity := store.Identity{Provider: "development login", Subject: "developer", Name: name, Email: name}
	if _, err := s.db.SignIn(t.Context(), identity, store.Browser{}); err != nil {
		t.Fatal(err)
	}
	b := s.developer() // who has that name from the first time on
	s.create(b, "Shop")
	for _, path := range []string{"/stores", "/account", "/activity"} {
		page := s.get(b, path).body
		if !strings.Contains(page, "&lt;img src=x onerror=alert(1)&gt; Ann&#34; Example") || strings.ContainsAny(page, "\u202e\u2028\x1b") || strings.Contains(page, "<img") {
			t.Errorf("%s shows a hostile name as something else", path)
		}
	}
}

// What an installation does not give its stores stands on their pages.
func TestStoreTellsWhatIsOff(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	if got := s.get(b, s.create(b, "Silent")); !strings.Contains(got.body, "Order mail is off: this installation has no mail server for shops.") {
		t.Errorf("nothing is said of mail: %d", got.status)
	}
}
