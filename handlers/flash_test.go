package handlers_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views/browsertest"
)

// A page that answers a POST sends it again when it is loaded again. So what succeeds leads to a
// page, and the address of a form that was refused leads to one, too.
func TestFormsLeadToPages(t *testing.T) {
	t.Parallel()
	s, table := serve(t), routes()
	for _, route := range slices.Sorted(maps.Keys(table)) {
		if !strings.HasPrefix(route, http.MethodPost) {
			continue
		}
		team, people := s.peopled()
		role := store.Owner
		if table[route].Installation {
			role = "administrator"
		}
		request := s.tryAt(route, table[route], people[role], team)
		got, path := s.head(people[role].browser, request), request.URL.RequestURI()
		if got.status != http.StatusSeeOther && (got.status < 400 || got.status >= 500) {
			t.Errorf("%s is answered with %d", route, got.status)
		}
		if back := s.get(people[role].browser, path); back.status != http.StatusSeeOther && back.status != http.StatusOK && !table[route].missing {
			t.Errorf("GET %s, whose form was answered with %d: %d", path, got.status, back.status)
		}
	}
	for path, want := range map[string]string{
		"/stores/x%2Fy/retry": "/stores/x%2Fy", "/stores/x/credentials": "/stores/x", "/account/tokens/x/revoke": "/account/tokens", "/account/sessions/end": "/account",
		"/account/sign-in-methods/remove": "/account", "/teams/x/members/y/remove": "/teams/x", "/teams/x/invitations/y/renew": "/teams/x", "/sign-in/dev": "/sign-in",
		"/sign-out": "/stores", "/admin/users/x/disable": "/admin/users", "/admin/teams/x/plan": "/admin/teams",
	} {
		if got := s.get(s.browser(), path); got.status != http.StatusSeeOther || got.location != want {
			t.Errorf("GET %s: %d to %q, want %q", path, got.status, got.location, want)
		}
	}
}

// What is shown once is shown to the session that asked for it, at one page, to a person.
func TestShownOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	mara, other := s.person("mara"), s.person("mara")
	team, another := s.team(mara, "Nordlicht"), s.team(mara, "Südlicht")
	invite := func() string {
		made := s.post(mara, team+"/invitations", url.Values{"role": {"viewer"}})
		if made.status != http.StatusSeeOther || made.location != team {
			t.Fatalf("invited: %d to %q", made.status, made.location)
		}
		set, err := http.ParseSetCookie(made.header.Get("Set-Cookie"))
		if err != nil || !set.HttpOnly || set.SameSite != http.SameSiteStrictMode || set.MaxAge != 60 || strings.Contains(made.header.Get("Set-Cookie"), "key") {
			t.Fatalf("the cookie is %v, %v", set, err)
		}
		return set.Name + "=" + set.Value
	}
	shows := func(b *http.Client, path string, header ...string) bool {
		r := s.request(http.MethodGet, path, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		return issuedLink.MatchString(s.do(b, r).body)
	}
	cookie := invite()
	if shows(other, team, "Cookie", cookie) {
		t.Error("another session is shown the link")
	}
	if shows(mara, team, "Sec-Fetch-Mode", "cors") || shows(mara, team, "HX-Request", "true") || shows(mara, another) {
		t.Error("a script, or another page, is shown the link")
	}
	if !shows(mara, team, "Sec-Fetch-Mode", "navigate") {
		t.Error("the page does not show the link")
	}
	if shows(mara, team) {
		t.Error("the link is shown twice")
	}
}

// tally counts requests by method and path.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *tally) add(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[r.Method+" "+r.URL.Path]++
}

func (c *tally) of(request string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[request]
}

// more waits until there were so many more of these requests.
func (c *tally) more(t *testing.T, n int, request string) {
	t.Helper()
	want := c.of(request) + n
	kubetest.Within(t, "more of "+request, func() bool { return c.of(request) >= want })
}

// openBehindProxy serves the site behind a proxy that keeps streams to itself.
func openBehindProxy(s site) (site, *tally) {
	s.t.Helper()
	seen, pages := &tally{n: map[string]int{}}, s.app.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.add(r)
		if r.URL.Path == "/events" {
			<-r.Context().Done()
			return
		}
		pages.ServeHTTP(w, r)
	}))
	s.url = server.URL
	s.t.Cleanup(func() { s.app.Drain(); server.CloseClientConnections(); server.Close() })
	return s, seen
}

// A page without a live stream refreshes itself. One press is one POST all the same, and what is
// shown once stays.
func TestPagesWithoutAStreamPostOnce(t *testing.T) {
	t.Parallel()
	s, seen := openBehindProxy(prepare(t))
	team := s.team(s.person("mara"), "Nordlicht")
	b := s.openAs("mara")
	b.Visit(s.url + team)
	b.Click(`#invite-form button`)
	b.WaitFor(`#invitation-link`)
	link := browsertest.Evaluate[string](b, `document.getElementById("invitation-link").innerText`)
	seen.more(t, 2, "GET "+team) // of which the page shows the first when it asks for the second
	if still := browsertest.Evaluate[string](b, `document.getElementById("invitation-link")?.innerText ?? ""`); still != link {
		t.Errorf("the page shows %q, and %q before", still, link)
	}

	b.Visit(s.url + team)
	b.Until(`document.getElementById("invitation-link") === null`)
	const rename = `document.querySelector('form[action$="/name"]')`
	browsertest.Evaluate[bool](b, `(`+rename+`.elements.name.value = "", `+rename+`.submit(), true)`)
	b.Until(`location.pathname.endsWith("/name") && document.body.innerText.includes("Enter a name")`)
	seen.more(t, 2, "GET "+team+"/name")
	if !browsertest.Evaluate[bool](b, `location.pathname.endsWith("/name") && document.body.innerText.includes("Enter a name")`) {
		t.Error("a refused form is taken away")
	}
	browsertest.Evaluate[bool](b, `dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`)
	b.Until(`location.pathname === "` + team + `"`)
	for _, form := range []string{"/invitations", "/name"} {
		if n := seen.of("POST " + team + form); n != 1 {
			t.Errorf("one press is %d POSTs to %s", n, form)
		}
	}
}

// What is being typed stays, too, when the page cannot be refreshed by a stream.
func TestFormsStayWhileTheyAreFilledIn(t *testing.T) {
	t.Parallel()
	s, seen := openBehindProxy(prepare(t))
	b := s.openBrowser()
	b.Visit(s.url + "/account/tokens")
	b.Type(`#token-name`, "build")
	browsertest.Evaluate[bool](b, `(document.querySelectorAll("input[name=scope]")[1].click(), true)`)
	seen.more(t, 2, "GET /account/tokens")
	if !browsertest.Evaluate[bool](b, `document.getElementById("token-name").value === "build" && document.querySelectorAll("input[name=scope]")[1].checked`) {
		t.Error("what was typed is lost")
	}
}
