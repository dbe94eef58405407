package handlers_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/handlers"
	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/static"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// access is what a route needs, and what this test sends to it.
type access struct {
	handlers.Need
	form    url.Values // where a refusal must not be about it
	refused bool       // whoever it is, with what this test sends
	missing bool       // what this test asks for isn't there
	hidden  bool       // who may not do it doesn't see it either
	cluster bool       // it needs the cluster, which there is none of here
}

// routes are the handlers' own routes, each with what this test sends to it.
func routes() map[string]access {
	tried := map[string]access{}
	for route, need := range handlers.Needs() {
		lines := slices.DeleteFunc(slices.Collect(maps.Keys(sent())), func(line string) bool { return !fits(route, line) })
		if len(lines) == 0 {
			lines = []string{route}
		}
		for _, line := range lines {
			a := sent()[line]
			a.Need = need
			tried[line] = a
		}
	}
	return tried
}

// sent is what this test sends to routes that need more than their path: a query, a parameter of theirs, or a form.
func sent() map[string]access {
	return map[string]access{
		"POST /sign-in/link":                   {refused: true},
		"GET /sign-in/with/none":               {missing: true},
		"GET /sign-in/with/none/callback":      {missing: true},
		"GET /events?view=stores":              {},
		"GET /invitations?key=none":            {missing: true},
		"POST /invitations?key=none":           {missing: true},
		"POST /account/tokens/:token/revoke":   {missing: true},
		"GET /account/sign-in-methods/none":    {missing: true},
		"POST /account/sign-in-methods/remove": {missing: true},
		"POST /account/sessions/end":           {missing: true},
		"GET /stores/:id/logs/download":        {cluster: true},
		"GET /admin/plans/free":                {},
		"POST /admin/plans/free":               {form: planForm("free")},
		"POST /admin/plans":                    {form: planForm("large")},
		"GET /admin/clusters/none/recovery":    {missing: true},
		"POST /admin/clusters/none/recovery":   {missing: true},
		"GET /admin/targets/none":              {missing: true},
		"POST /admin/targets/none":             {missing: true},
		"POST /admin/targets/none/test":        {missing: true},
		"POST /admin/targets/none/delete":      {missing: true},
		"POST /admin/targets":                  {form: targetForm("Off-site", "https://s3.example.com")},
		"POST /admin/teams/:team/plan":         {form: url.Values{"plan": {"pro"}}},
		"POST /stores":                         {form: url.Values{"name": {"Mine"}, "engine": {"woocommerce"}}},
		"POST /stores/:id/owner":               {form: url.Values{"owner_email": {"noor@example.org"}}},
		"POST /stores/:id/delete":              {form: url.Values{"confirm": {"Theirs"}}},
		"GET /backups/:deleted":                {hidden: true},
		"POST /teams":                          {form: url.Values{"name": {"Mine"}}},
		"POST /teams/:team/name":               {form: url.Values{"name": {"Of :who"}}},
		"POST /teams/:team/delete":             {form: url.Values{"confirm": {"Bakers"}}},
		"POST /teams/:team/members/:user":      {form: url.Values{"role": {"viewer"}}},
		"POST /teams/:team/invitations":        {form: url.Values{"role": {"viewer"}}},
		"POST /account/tokens":                 {form: url.Values{"name": {"mine"}, "scope": {"stores:read"}, "lifetime": {"7"}, "team": {":team"}}},
	}
}

func planForm(name string) url.Values {
	return url.Values{"name": {name}, "label": {"Tried"}, "stores": {"9"}, "cpu": {"9"}, "memory": {"9"}, "disk": {"90"}, "pods": {"90"},
		"backup_every": {"24"}, "keep_hourly": {"24"}, "keep_daily": {"14"}, "keep_weekly": {"8"}, "keep_monthly": {"12"}, "drill_every": {"7"}}
}

// silent are the routes that may leave no line in the audit log although they succeed here, and why.
func silent() map[string]string {
	return map[string]string{
		"POST /sign-out":                       "whoever is not signed in ends nothing",
		"POST /admin/users/:user/end-sessions": "the user has no session",
		"POST /admin/users/:user/enable":       "the user is enabled already",
		"POST /admin/users/:user/unmake-admin": "the user is no administrator",
		"POST /stores/:id/credentials":         "the cluster cannot be reached, so nothing is shown",
	}
}

// visitor is somebody who tries a route, with a browser of one's own.
type visitor struct {
	actor   store.Actor
	browser *http.Client
}

// expected is what becomes of the person's request.
func (a access) expected(who visitor, team string) string {
	switch {
	case a.refused:
		return "403"
	case a.Session && who.actor.UserID == "":
		return "sign in"
	case a.missing:
		return "404"
	case a.Action == "":
		return "yes"
	case a.Installation && !who.actor.May(a.Action, store.Installation), !a.Installation && !who.actor.May(store.ViewStores, team):
		return "404"
	case a.Installation:
		return "yes"
	case a.hidden && !who.actor.May(a.Action, team):
		return "404"
	case !who.actor.May(a.Action, team):
		return "403"
	}
	return "yes"
}

// became tells from an answer what became of a request, as far as rights go: whoever is told
// what is wrong with it, or that it cannot be done now, may do it.
func became(got answer, cluster bool) string {
	switch {
	case got.status == http.StatusUnauthorized, strings.HasPrefix(got.location, "/sign-in?next"), got.location == "/sign-in":
		return "sign in"
	case got.status == http.StatusServiceUnavailable && cluster,
		got.status < http.StatusBadRequest, got.status == http.StatusConflict, got.status == http.StatusUnprocessableEntity:
		return "yes"
	}
	return strconv.Itoa(got.status)
}

// TestEveryRouteIsInATable compares what the server answers with the tables that these tests
// walk, so that no route is tried by nobody.
func TestEveryRouteIsInATable(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	t.Cleanup(s.app.Drain)
	h := s.app.Handler()
	needs := slices.Collect(maps.Keys(handlers.Needs()))
	for line := range sent() {
		if !slices.ContainsFunc(needs, func(route string) bool { return fits(route, line) }) {
			t.Errorf("%s is sent to no route", line)
		}
	}
	known := slices.Collect(maps.Keys(routes()))
	for _, line := range known { // each form's address leads to a page
		if form, posts := strings.CutPrefix(line, http.MethodPost); posts && !slices.ContainsFunc(known, func(line string) bool { return fits("GET"+form, line) }) {
			known = append(known, "GET"+form)
		}
	}
	for _, operation := range operationsOf(t, h) {
		method, path, _ := strings.Cut(operation, " ")
		known = append(known, method+" "+v1.Prefix+strings.NewReplacer("{", ":", "}", "").Replace(path))
	}
	for _, kind := range []string{".json", ".yaml", "-3.0.json", "-3.0.yaml"} {
		known = append(known, "GET "+v1.Prefix+"/openapi"+kind)
	}
	there := handlers.Routes(h)
	for _, route := range there {
		if !slices.ContainsFunc(known, func(line string) bool { return fits(route, line) }) {
			t.Errorf("%s is not in the table of routes: say there who may use it", route)
		}
	}
	for _, line := range known {
		if !slices.ContainsFunc(there, func(route string) bool { return fits(route, line) }) {
			t.Errorf("%s is in the table, but there is no such route", line)
		}
	}
}

// TestEveryRouteAsEveryRole walks the routes: each is tried by everybody there is.
func TestEveryRouteAsEveryRole(t *testing.T) { //nolint:paralleltest // so that its matrix stays together
	s, table := serve(t), routes()
	matrix := newMatrix(t, 50)
	for _, route := range slices.Sorted(maps.Keys(table)) {
		matrix.line(route, s.tryAs(route, table[route]))
	}
}

// HEAD is answered as GET is, without the body, and ends streams at once.
func TestHeadIsAnsweredAsGet(t *testing.T) {
	t.Parallel()
	s, table := serve(t), routes()
	team, people := s.peopled()
	for _, route := range slices.Sorted(maps.Keys(table)) {
		path, gets := strings.CutPrefix(route, http.MethodGet)
		if !gets {
			continue
		}
		who := people[store.Owner]
		if table[route].Installation {
			who = people["administrator"]
		}
		get := s.tryAt(route, table[route], who, team)
		head := get.Clone(t.Context())
		head.Method = http.MethodHead
		want, got := s.head(who.browser, get), s.do(who.browser, head)
		if got.status != want.status || got.body != "" || got.location != want.location || got.header.Get("Content-Type") != want.header.Get("Content-Type") {
			t.Errorf("HEAD%s: %d, %s and a body of %d bytes; GET: %d, %s", path, got.status, got.header.Get("Content-Type"), len(got.body), want.status, want.header.Get("Content-Type"))
		}
	}
}

// matrix tells who may do what, line by line.
type matrix struct {
	t     *testing.T
	width int
}

func newMatrix(t *testing.T, width int) matrix {
	t.Helper()
	m, names := matrix{t, width}, map[store.Role]string{}
	for _, role := range everybody() {
		names[role] = string(role)
	}
	m.line("", names)
	return m
}

func (m matrix) line(what string, became map[store.Role]string) {
	m.t.Helper()
	text := fmt.Sprintf("%-*s", m.width, what)
	for _, role := range everybody() {
		text += fmt.Sprintf(" %-13s", became[role])
	}
	if _, err := fmt.Fprintln(m.t.Output(), strings.TrimRight(text, " ")); err != nil {
		m.t.Error(err)
	}
}

// fits reports whether a line of the table is about the route. It may have a query, and
// something else in the place of a parameter.
func fits(route, line string) bool {
	line, _, _ = strings.Cut(line, "?")
	there, here := strings.Split(route, "/"), strings.Split(line, "/")
	return slices.EqualFunc(there, here, func(there, here string) bool {
		return there == here || strings.HasPrefix(there, ":") && !slices.Contains([]string{"new", "upgrade", "slug"}, here)
	})
}

// tryAs has everybody try the route, and returns what became of it.
func (s site) tryAs(route string, a access) map[store.Role]string {
	s.t.Helper()
	all := map[store.Role]string{}
	team, people := s.peopled()
	for _, role := range everybody() {
		who := people[role]
		got, told := s.try(route, a, who, team)
		all[role] = became(got, a.cluster)
		if !a.Session { // who signs in there is somebody else
			who.actor.UserID = ""
		}
		s.wantTold(route, who.actor, got, told)
		if want := a.expected(who, team); all[role] != want {
			s.t.Errorf("%s as %s: %q, want %q", route, role, all[role], want)
		}
	}
	return all
}

// everybody there is, the most powerful last: what they do may be the end of the team.
func everybody() []store.Role {
	roles := store.Roles()
	slices.Reverse(roles)
	return slices.Concat([]store.Role{"anonymous", "stranger", "administrator"}, roles)
}

// heard is what the audit log has of what has happened since.
func (s site) heard(since int64) (told []store.Event) {
	s.t.Helper()
	events, err := s.db.Audit(s.t.Context(), store.Actor{Admin: true}, store.AuditQuery{Limit: 50})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range events {
		if e.Number > since {
			told = append(told, e)
		}
	}
	return told
}

// wantTold expects that what has changed something stands in the audit log, with who it was
// and from where, and that nothing else does.
func (s site) wantTold(route string, who store.Actor, got answer, told []store.Event) {
	s.t.Helper()
	method, _, _ := strings.Cut(route, " ")
	changes := got.status < http.StatusBadRequest && method != http.MethodGet && method != http.MethodHead &&
		!strings.HasPrefix(got.location, "/sign-in?next") && got.location != "/sign-in"
	switch {
	case silent()[route] != "":
	case changes && len(told) == 0:
		s.t.Errorf("%s, answered with %d, leaves no line in the audit log", route, got.status)
	case !changes && len(told) > 0:
		s.t.Errorf("%s, answered with %d, leaves lines in the audit log: %+v", route, got.status, told)
	}
	for _, e := range told {
		settings := e.Kind == store.AdminMade && e.Actor == "" // which make somebody an administrator who signs in
		if !settings && e.Actor == "" || e.Address != "127.0.0.1" || who.UserID != "" && e.ActorID != who.UserID || e.Token != who.Token {
			s.t.Errorf("%s by %+v is told as %+v", route, who, e)
		}
	}
}

// try sends the request about a new store of the team. It returns what the audit log has of it.
func (s site) try(route string, a access, who visitor, team string) (got answer, told []store.Event) {
	s.t.Helper()
	request := s.tryAt(route, a, who, team)
	before := s.lastEvent()
	return s.head(who.browser, request), s.heard(before)
}

// tryAt is the request about a new store of the team.
func (s site) tryAt(route string, a access, who visitor, team string) *http.Request {
	s.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	for name, make := range map[string]func(team string) string{":id": s.storeOf, ":user": s.memberOf, ":invitation": s.invitationTo, ":deleted": s.deletedOf} {
		if strings.Contains(path, name) {
			path = strings.ReplaceAll(path, name, make(team))
		}
	}
	path = strings.NewReplacer(":team", team, ":revision", "1", ":token", "none", "/static/*", static.Path("app.css")).Replace(path)
	return s.request(method, path, names{":team": team, ":who": who.actor.Name}.inForm(a.form))
}

// head does the request and reads nothing of the answer's body, which may never end.
func (s site) head(b *http.Client, r *http.Request) answer {
	s.t.Helper()
	response, err := b.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = response.Body.Close()
	return answer{status: response.StatusCode, location: response.Header.Get("Location"), header: response.Header}
}

// peopled is a new team with somebody of each role in it, and others who are not.
func (s site) peopled() (id string, people map[store.Role]visitor) {
	s.t.Helper()
	name := uuid.NewString()
	owner, _ := storetest.Actor(s.t, s.db, name)
	team, err := s.db.CreateTeam(s.t.Context(), owner, "Bakers")
	if err != nil {
		s.t.Fatal(err)
	}
	id = team.ID
	owner, _ = storetest.Actor(s.t, s.db, name) // with the role
	people = map[store.Role]visitor{"anonymous": {browser: s.browser()}}
	for _, role := range append(store.Roles(), "stranger", "administrator") {
		name := uuid.NewString()
		actor, _ := storetest.Actor(s.t, s.db, name)
		switch role {
		case "stranger":
		case "administrator":
			if err := s.db.MakeAdmin(s.t.Context(), store.Actor{Admin: true}, actor.UserID); err != nil {
				s.t.Fatal(err)
			}
			actor.Admin = true
		default:
			if err := s.db.AddMember(s.t.Context(), owner, id, actor.UserID, role); err != nil {
				s.t.Fatal(err)
			}
			actor.Roles[id] = role
		}
		people[role] = visitor{actor: actor, browser: s.person(name)}
	}
	return id, people
}

// ownerOf is somebody who acts as an owner of the team.
func (s site) ownerOf(team string) store.Actor {
	s.t.Helper()
	people, err := s.db.Members(s.t.Context(), store.Actor{UserID: "reader", Roles: map[string]store.Role{team: store.Viewer}}, team)
	at := slices.IndexFunc(people, func(m store.TeamMember) bool { return m.Role == store.Owner })
	if err != nil || at < 0 {
		s.t.Fatalf("the team has no owner: %v", err)
	}
	return store.Actor{UserID: people[at].UserID, Name: people[at].Name, Roles: map[string]store.Role{team: store.Owner}}
}

// memberOf is the id of a new member of the team.
func (s site) memberOf(team string) string {
	s.t.Helper()
	member, _ := storetest.Actor(s.t, s.db, uuid.NewString())
	if err := s.db.AddMember(s.t.Context(), s.ownerOf(team), team, member.UserID, store.Member); err != nil {
		s.t.Fatal(err)
	}
	return member.UserID
}

// invitationTo is the id of a pending invitation.
func (s site) invitationTo(team string) string {
	s.t.Helper()
	made, _, err := s.db.Invite(s.t.Context(), s.ownerOf(team), store.NewInvitation{TeamID: team, Role: store.Viewer})
	if err != nil {
		s.t.Fatal(err)
	}
	return made.ID
}

// storeOf is the id of a new store of the team.
func (s site) storeOf(team string) string {
	s.t.Helper()
	maker := s.ownerOf(team)
	st, err := s.db.CreateStore(s.t.Context(), maker, store.NewStore{TeamID: team, Cluster: storetest.Cluster(s.t, s.db), Name: "Theirs", Engine: "woocommerce"})
	if err != nil {
		s.t.Fatal(err)
	}
	return st.ID
}
