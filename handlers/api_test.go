package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// program is who uses the API. Every answer that it gets is checked against the document.
type program struct {
	site
	token  string
	routes routers.Router
}

// theDeveloper is who signs in by the development login.
func (s site) theDeveloper() store.Actor {
	s.t.Helper()
	id, err := s.db.SignIn(s.t.Context(), store.Identity{Provider: "development login", Subject: "developer", Name: "Developer"}, store.Browser{})
	if err != nil {
		s.t.Fatal(err)
	}
	session, err := s.db.Session(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return session.Actor
}

// program comes with a token of the developer that has those scopes.
func (s site) program(scopes ...store.Scope) program {
	s.t.Helper()
	return s.programOf(s.theDeveloper(), scopes...)
}

func (s site) programOf(who store.Actor, scopes ...store.Scope) program {
	s.t.Helper()
	_, secret, err := s.db.CreateToken(s.t.Context(), who, store.NewToken{TeamID: who.Teams(store.ViewStores)[0], Name: "test", Scopes: scopes, Lifetime: time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
	return program{site: s, token: secret, routes: s.document()}
}

// document is what the API says of itself, which must be sound.
func (s site) document() routers.Router {
	s.t.Helper()
	got := s.get(s.browser(), v1.Prefix+"/openapi.json")
	document, err := openapi3.NewLoader().LoadFromData([]byte(got.body))
	if err != nil {
		s.t.Fatalf("read the document: %v", err)
	}
	if err := document.Validate(s.t.Context()); err != nil {
		s.t.Fatalf("the document is unsound: %v", err)
	}
	document.Servers = openapi3.Servers{{URL: s.url + document.Servers[0].URL}} // as a reader completes it
	routes, err := legacy.NewRouter(document)
	if err != nil {
		s.t.Fatal(err)
	}
	return routes
}

func everyScope() []store.Scope {
	return []store.Scope{store.ReadStores, store.WriteStores, store.RemoveStores, store.ReadCredentials, store.ReadTeam, store.WriteTeam}
}

// call asks for something below the API's prefix. What is sent is JSON text, or something that
// becomes it, or nothing.
func (p program) call(method, path string, sent any, headers ...string) answer {
	p.t.Helper()
	var body io.Reader
	switch sent := sent.(type) {
	case nil:
	case string:
		body = strings.NewReader(sent)
	default:
		text, err := json.Marshal(sent)
		if err != nil {
			p.t.Fatal(err)
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+v1.Prefix+path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	if p.token != "" {
		r.Header.Set("Authorization", "Bearer "+p.token)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	got := p.do(http.DefaultClient, r)
	p.check(r, got)
	return got
}

// check holds an answer against the document.
func (p program) check(r *http.Request, got answer) {
	p.t.Helper()
	kind := got.header.Get("Content-Type")
	if got.status >= 500 && got.status != http.StatusServiceUnavailable {
		p.t.Errorf("%s %s: %d %s", r.Method, r.URL.Path, got.status, got.body)
	}
	if got.status >= 400 && kind != "application/problem+json" {
		p.t.Errorf("%s %s: %d as %s", r.Method, r.URL.Path, got.status, kind)
	}
	route, parameters, err := p.routes.FindRoute(&http.Request{Method: r.Method, URL: r.URL, Host: r.Host, Header: r.Header})
	if err != nil { // at such an address there is nothing
		if got.status < 400 {
			p.t.Errorf("%s %s is not in the document: %v", r.Method, r.URL.Path, err)
		}
		return
	}
	if strings.HasPrefix(kind, "text/") || kind == "application/x-ndjson" {
		return // it has no schema
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, Route: route, PathParams: parameters},
		Status:                 got.status, Header: got.header, Body: io.NopCloser(strings.NewReader(got.body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		p.t.Errorf("%s %s answers %d, against the document: %v", r.Method, r.URL.Path, got.status, err)
	}
}

// read is what the answer says, which must have that status.
func read[T any](t *testing.T, got answer, status int) (said T) {
	t.Helper()
	if got.status != status {
		t.Fatalf("%d instead of %d: %s", got.status, status, got.body)
	}
	if err := json.Unmarshal([]byte(got.body), &said); err != nil {
		t.Fatalf("%v in %s", err, got.body)
	}
	return said
}

func (p program) make(name string) v1.Store {
	p.t.Helper()
	return read[v1.Store](p.t, p.call("POST", "/stores", v1.NewStore{Name: name, Engine: "woocommerce"}), http.StatusAccepted)
}

// wantProblem expects that status, and that code if it is not empty.
func (p program) wantProblem(got answer, status int, code string) v1.Problem {
	p.t.Helper()
	problem := read[v1.Problem](p.t, got, status)
	if problem.Status != status || problem.Type != "about:blank" || problem.Title == "" || !strings.HasSuffix(problem.Detail, ".") || code != "" && problem.Code != code {
		p.t.Errorf("%d %s is told as %+v", status, code, problem)
	}
	return problem
}

func TestProgramCreatesAndListsStores(t *testing.T) {
	t.Parallel()
	p := serve(t).program(everyScope()...)
	made := p.call("POST", "/stores", `{"name": "Tea & Tonic", "engine": "woocommerce", "country": "CH"}`)
	st := read[v1.Store](t, made, http.StatusAccepted)
	if made.location != v1.Prefix+"/stores/"+st.ID || st.Slug != "tea-and-tonic" || st.Status != store.Provisioning || st.Currency != "CHF" || st.Template == "" {
		t.Errorf("made at %s: %+v", made.location, st)
	}
	p.make("Second")
	p.make("Third")
	shown := read[v1.StoreDetail](t, p.call("GET", "/stores/"+st.ID, nil), http.StatusOK)
	if shown.Name != "Tea & Tonic" || !shown.Work.Running || len(shown.Work.Steps) != len(store.CreateSteps()) || shown.Pods != nil {
		t.Errorf("shown as %+v", shown)
	}
	var names []string
	for cursor := ""; ; {
		page := read[v1.StoreList](t, p.call("GET", "/stores?limit=1&sort=name&cursor="+cursor, nil), http.StatusOK)
		if len(page.Stores) != 1 || page.Total != 3 {
			t.Fatalf("a page is %+v", page)
		}
		names = append(names, page.Stores[0].Name)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if got := strings.Join(names, ", "); got != "Second, Tea & Tonic, Third" {
		t.Errorf("the list is %s", got)
	}
	for query, want := range map[string]int{"?q=TONIC": 1, "?status=ready": 0, "?status=provisioning": 3, "?engine=medusa": 0, "?q=%25": 0} {
		if page := read[v1.StoreList](t, p.call("GET", "/stores"+query, nil), http.StatusOK); page.Total != want || len(page.Stores) != want {
			t.Errorf("%s finds %d of %d", query, len(page.Stores), page.Total)
		}
	}
	gone := read[v1.Store](t, p.call("DELETE", "/stores/"+st.ID, nil), http.StatusAccepted)
	if gone.Status != store.Deleting {
		t.Errorf("deleted is %+v", gone)
	}
}

func TestWhatProgramsAreRefused(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	st := p.make("Shop")
	for _, c := range []struct {
		method, path string
		sent         any
		status       int
		code, at     string
	}{
		{"GET", "/none-such", nil, 404, "not_found", ""},
		{"PUT", "/stores", `{}`, 405, "method_not_allowed", ""},
		{"POST", "/stores", `{"name": "x", "engine": "woocommerce", "colour": "red"}`, 422, "invalid", "#/colour"},
		{"POST", "/stores", `{"engine": "woocommerce"}`, 422, "invalid", "#"},
		{"POST", "/stores", `{"name": " ", "engine": "woocommerce"}`, 422, "invalid", "#/name"},
		{"POST", "/stores", `{"name": 7, "engine": "woocommerce"}`, 422, "invalid", "#/name"},
		{"POST", "/stores", `{"name": "x", "engine": "shopify"}`, 422, "invalid", "#/engine"},
		{"POST", "/stores", `{"name": "x", "engine": "woocommerce", "slug": "www"}`, 422, "invalid", "#/slug"},
		{"POST", "/stores", `{"name": "x", "engine": "woocommerce", "slug": "a\u0000"}`, 422, "invalid", "#/slug"},
		{"POST", "/stores", `{"name": "x", "engine": "woocommerce", "country": "XX"}`, 422, "invalid", "#/country"},
		{"POST", "/stores", `{"name": "x", "engine": "woocommerce", "template": "none"}`, 422, "invalid", "#/template"},
		{"POST", "/stores", `{"name": "x", "engine": "woocommerce", "slug": "shop"}`, 409, "conflict", "#/slug"},
		{"POST", "/stores", `{"name": `, 400, "", ""},
		{"POST", "/stores", ``, 400, "", ""},
		{"POST", "/stores", `{"name": "` + strings.Repeat("x", 40_000) + `"}`, 413, "too_large", ""},
		{"POST", "/stores", `{"name": "` + strings.Repeat("x", 100_000) + `"}`, 413, "too_large", ""},
		{"GET", "/stores?limit=1000", nil, 422, "invalid", ""},
		{"GET", "/stores?colour=red", nil, 422, "invalid", ""},
		{"GET", "/stores?cursor=x", nil, 422, "invalid", ""},
		{"GET", "/stores?access_token=x", nil, 400, "token_in_address", ""},
		{"GET", "/stores?q=" + p.token, nil, 400, "token_in_address", ""},
		{"POST", "/stores/" + st.ID + "/retry", nil, 409, "conflict", ""},
		{"POST", "/stores/" + st.ID + "/rollback", `{"to": 1}`, 409, "conflict", ""},
		{"POST", "/stores/" + st.ID + "/cancel", nil, 409, "conflict", ""},
		{"GET", "/stores/" + st.ID + "/pods", nil, 503, "cluster_unreachable", ""},
		{"GET", "/stores/" + st.ID + "/events", nil, 503, "cluster_unreachable", ""},
		{"GET", "/stores/" + st.ID + "/logs", nil, 503, "cluster_unreachable", ""},
		{"GET", "/stores/" + st.ID + "/credentials", nil, 503, "cluster_unreachable", ""},
		{"GET", "/stores/" + st.ID + "/upgrade", nil, 503, "cluster_unreachable", ""},
		{"GET", "/engines/shopify/templates", nil, 404, "not_found", ""},
		{"DELETE", "/tokens/none-such", nil, 404, "not_found", ""},
	} {
		got := p.call(c.method, c.path, c.sent)
		problem := p.wantProblem(got, c.status, c.code)
		if c.at != "" && (len(problem.Errors) == 0 || problem.Errors[0].Pointer != c.at) {
			t.Errorf("%s %s points to %+v", c.method, c.path, problem.Errors)
		}
		if c.status == 503 && got.header.Get("Retry-After") == "" {
			t.Errorf("%s does not say when to try again", c.path)
		}
	}
	p.make("Two")
	p.make("Three")
	p.wantProblem(p.call("POST", "/stores", v1.NewStore{Name: "Four", Engine: "woocommerce"}), 429, "limited")
	unlimited := p.call("POST", "/stores", v1.NewStore{Name: "x", Engine: "woocommerce"}, "Content-Type: text/xml")
	p.wantProblem(unlimited, 415, "")
}

func TestForeignAndUnknownAreTheSameToPrograms(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	theirs := strings.TrimPrefix(s.foreign(), "/stores/")
	for _, c := range [][2]string{
		{"GET", ""}, {"DELETE", ""}, {"POST", "/retry"}, {"POST", "/repair"}, {"POST", "/rebuild"}, {"POST", "/check"}, {"POST", "/cancel"}, {"GET", "/pods"}, {"GET", "/events"},
		{"GET", "/logs"}, {"GET", "/credentials"}, {"GET", "/releases"}, {"GET", "/releases/1"}, {"GET", "/upgrade"}, {"POST", "/upgrade"},
		{"GET", "/rollback?to=1"}, {"POST", "/rollback"}, {"GET", "/points"}, {"GET", "/points/1"}, {"GET", "/backups/1"}, {"POST", "/backups"},
	} {
		var sent any
		if c[0] == "POST" && strings.HasPrefix(c[1], "/upgrade") {
			sent = `{}`
		} else if c[0] == "POST" && strings.HasPrefix(c[1], "/rollback") {
			sent = `{"to": 1}`
		}
		foreign, unknown := p.call(c[0], "/stores/"+theirs+c[1], sent), p.call(c[0], "/stores/none-such"+c[1], sent)
		if foreign.status != 404 || foreign.body != unknown.body {
			t.Errorf("%s %s: %d %s for a foreign store, %d %s for none", c[0], c[1], foreign.status, foreign.body, unknown.status, unknown.body)
		}
	}
	p.wantProblem(p.call("GET", "/events?store="+theirs, nil), 404, "not_found")
	if list := p.call("GET", "/stores", nil); strings.Contains(list.body, "Theirs") {
		t.Error("the list has a foreign store")
	}
	if list := p.call("GET", "/activity", nil); strings.Contains(list.body, "Theirs") {
		t.Error("the activity has a foreign store")
	}
}

func TestOnlyTokensLetProgramsIn(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(store.ReadStores)
	signedIn := s.developer()
	if got := s.get(signedIn, v1.Prefix+"/stores"); got.status != 401 || got.header.Get("WWW-Authenticate") == "" {
		t.Errorf("a session lets in: %d", got.status)
	}
	for _, header := range []string{"", "Bearer", "Bearer x", "Basic " + p.token, p.token, "Bearer " + p.token + "x", "Bearer \xff"} {
		r := s.request("GET", v1.Prefix+"/me", nil)
		r.Header.Set("Authorization", header)
		if got := s.do(s.browser(), r); got.status != 401 {
			t.Errorf("%q lets in: %d", header, got.status)
		}
	}
	p.wantProblem(p.call("POST", "/stores", v1.NewStore{Name: "x", Engine: "woocommerce"}), 403, "scope_missing")
	p.wantProblem(p.call("GET", "/stores/x/credentials", nil), 403, "scope_missing")
	me := read[v1.Me](t, p.call("GET", "/me", nil), 200)
	if me.Name != "Developer" || !me.Token.Current || me.Team.ID != me.Token.Team || me.Team.Role != store.Owner {
		t.Errorf("who asks is %+v", me)
	}
	if got := p.call("DELETE", "/tokens/"+me.Token.ID, nil); got.status != 204 {
		t.Errorf("the token cannot end itself: %d %s", got.status, got.body)
	}
	p.wantProblem(p.call("GET", "/me", nil), 401, "invalid_token")
}

func TestProgramsOfOtherOrigins(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	made := p.call("POST", "/stores", v1.NewStore{Name: "x", Engine: "woocommerce"}, "Sec-Fetch-Site: cross-site", "Origin: https://elsewhere.example")
	if made.status != 202 || made.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("with a token from elsewhere: %d, shared with %q", made.status, made.header.Get("Access-Control-Allow-Origin"))
	}
}

func TestTwiceWithOneKey(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	body := `{"name": "Once", "engine": "woocommerce"}`
	answers := make(chan answer, 6)
	for range cap(answers) {
		go func() { answers <- p.call("POST", "/stores", body, "Idempotency-Key: one") }()
	}
	first := <-answers
	read[v1.Store](t, first, 202)
	for range cap(answers) - 1 {
		if again := <-answers; again.status != 202 || again.body != first.body || again.location != first.location {
			t.Errorf("the same request is answered %d %s, and %s before", again.status, again.body, first.body)
		}
	}
	if list := read[v1.StoreList](t, p.call("GET", "/stores", nil), 200); list.Total != 1 {
		t.Errorf("%d stores were made", list.Total)
	}
	other := p.wantProblem(p.call("POST", "/stores", `{"name": "Other", "engine": "woocommerce"}`, "Idempotency-Key: one"), 422, "invalid")
	if len(other.Errors) != 1 || other.Errors[0].Header != "Idempotency-Key" {
		t.Errorf("the key is named in %+v", other.Errors)
	}
	p.wantProblem(p.call("POST", "/stores", body, "Idempotency-Key: \xfc"), 422, "invalid")
}

func TestProgramsLookAround(t *testing.T) {
	t.Parallel()
	p := serve(t).program(everyScope()...)
	p.make("Shop")
	health := read[v1.InstallationHealth](t, p.call("GET", "/health", nil), 200)
	if health.OK || !health.Database.OK || health.Cluster.Link != "unconfigured" || health.Version != "test" {
		t.Errorf("the health is %+v", health)
	}
	for path, want := range map[string]string{
		"/engines": `"woocommerce"`, "/engines/medusa/templates": `"demo"`, "/countries": `"CHF"`, "/teams": `"owner"`, "/tokens": `"test"`,
		"/activity?limit=1": `"next"`,
	} {
		if got := p.call("GET", path, nil); got.status != 200 || !strings.Contains(got.body, want) {
			t.Errorf("%s lacks %s: %d %s", path, want, got.status, got.body)
		}
	}
	yaml := p.get(p.browser(), v1.Prefix+"/openapi.yaml")
	if yaml.status != 200 || !strings.Contains(yaml.body, "openapi: 3.1.0") || strings.Contains(yaml.body, "ErrorModel") {
		t.Errorf("the document in YAML: %d %.100s", yaml.status, yaml.body)
	}
}

// Whatever a program accepts, there is JSON.
func TestProgramsAcceptAnything(t *testing.T) {
	t.Parallel()
	p := serve(t).program(everyScope()...)
	for _, accepted := range []string{"", "*/*", "text/html", "*/*;,text/html", ";0 ", "application/json;q", ",;,", "application/x-ndjson;"} {
		got := p.call("GET", "/stores", nil, "Accept: "+accepted)
		if got.status != 200 || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("with Accept %q: %d as %s", accepted, got.status, got.header.Get("Content-Type"))
		}
	}
}

// Where an installation names other origins, browsers there may ask; no other may.
func TestNamedOriginsMayUseTheAPI(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.app.CORSOrigins = []string{"https://tools.example"}
	s = open(s)
	for origin, want := range map[string]string{"https://tools.example": "https://tools.example", "https://other.example": ""} {
		r := s.request(http.MethodOptions, v1.Prefix+"/stores", nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", http.MethodPost)
		r.Header.Set("Access-Control-Request-Headers", "authorization")
		if got := s.do(s.browser(), r); got.header.Get("Access-Control-Allow-Origin") != want || got.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s is told %d %v", origin, got.status, got.header)
		}
	}
	r := s.request(http.MethodOptions, "/stores", nil)
	r.Header.Set("Origin", "https://tools.example")
	if got := s.do(s.browser(), r); got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("the pages are shared too")
	}
}

var tokenOnPage = regexp.MustCompile(`>(shopwright_[a-z2-7]{39})<`)

func TestProgramsManageTeams(t *testing.T) {
	t.Parallel()
	s := serve(t)
	owner := s.theDeveloper()
	team, err := s.db.CreateTeam(t.Context(), owner, "Nordwind")
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := s.db.CreateToken(t.Context(), s.theDeveloper(), store.NewToken{TeamID: team.ID, Name: "hr", Scopes: everyScope(), Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	p, of := program{site: s, token: secret, routes: s.document()}, "/teams/"+team.ID
	guest, personal := storetest.Actor(t, s.db, "guest")
	if err := s.db.AddMember(t.Context(), s.theDeveloper(), team.ID, guest.UserID, store.Viewer); err != nil {
		t.Fatal(err)
	}
	if got := p.call("PUT", of+"/members/"+guest.UserID, `{"role": "member"}`); got.status != 204 {
		t.Errorf("change a role: %d %s", got.status, got.body)
	}
	if got := p.call("GET", of+"/members", nil); got.status != 200 || !strings.Contains(got.body, `"role":"member"`) || !strings.Contains(got.body, "guest@example.com") {
		t.Errorf("the members are %s", got.body)
	}
	p.wantProblem(p.call("PUT", of+"/members/"+owner.UserID, `{"role": "viewer"}`), 409, "conflict")
	invited := read[v1.Invitation](t, p.call("POST", of+"/invitations", `{"email": "new@example.com", "role": "viewer"}`), 201)
	if list := p.call("GET", of+"/invitations", nil); !strings.Contains(invited.Link, "http") || !strings.Contains(list.body, "new@example.com") || strings.Contains(list.body, `"link"`) {
		t.Errorf("invited by %+v, listed as %s", invited, list.body)
	}
	for _, path := range []string{of + "/invitations/" + invited.ID, of + "/members/" + guest.UserID} {
		if got := p.call("DELETE", path, nil); got.status != 204 {
			t.Errorf("DELETE %s: %d %s", path, got.status, got.body)
		}
		p.wantProblem(p.call("DELETE", path, nil), 404, "not_found")
	}
	audit := p.call("GET", "/audit?group=teams&limit=2&person=HR", nil)
	if audit.status != 200 || !strings.Contains(audit.body, `"member.removed"`) || !strings.Contains(audit.body, `"address":"127.0.0.1"`) || !strings.Contains(audit.body, `"next"`) {
		t.Errorf("the audit log is %d %s", audit.status, audit.body)
	}
	for _, other := range []string{personal, "none-such", owner.Teams(store.ViewStores)[0]} {
		for _, path := range []string{"/members", "/invitations"} {
			p.wantProblem(p.call("GET", "/teams/"+other+path, nil), 404, "not_found")
		}
	}
}
