package handlers_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/handlers"
	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// names are the ids that a request has of things, by what stands for them in a route.
type names map[string]string

// unknownNames are ids of nothing.
func unknownNames() names {
	n := names{":session": strings.Repeat("0", 64)}
	for _, placeholder := range []string{":id", ":deleted", ":left", ":point", ":backup", ":team", ":user", ":invitation", ":token"} {
		n[placeholder] = uuid.NewString()
	}
	return n
}

// foreignNames are ids of what somebody else has, in a team where nobody of this test is.
func (s site) foreignNames() names {
	s.t.Helper()
	team, people := s.peopled()
	owner := people[store.Owner].actor
	token, _, err := s.db.CreateToken(s.t.Context(), owner, store.NewToken{TeamID: team, Name: "theirs", Scopes: everyScope(), Lifetime: time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
	sessions, err := s.db.Sessions(s.t.Context(), owner, "")
	if err != nil || len(sessions) == 0 {
		s.t.Fatalf("the sessions of somebody else: %v, %v", sessions, err)
	}
	id, point := s.pointOf(team)
	deleted, left := s.pointOf(team)
	s.deleted(deleted)
	return names{
		":id": id, ":deleted": deleted, ":left": left, ":point": point, ":backup": point, ":team": team, ":user": s.memberOf(team), ":invitation": s.invitationTo(team),
		":token": token.ID, ":session": sessions[0].ID,
	}
}

// within is the same things, said to be of that team.
func (n names) within(team string) names {
	n = maps.Clone(n)
	n[":team"] = team
	return n
}

// in is the text with the ids in the places of what stands for them.
func (n names) in(text string) string {
	for placeholder, id := range n {
		text = strings.ReplaceAll(text, placeholder, id)
	}
	return text
}

func (n names) inForm(form url.Values) url.Values {
	filled := url.Values{}
	for name, values := range form {
		filled.Set(name, n.in(values[0]))
	}
	return filled
}

// out is a text from which nobody can tell which ids were asked about.
func (n names) out(text string) string {
	for placeholder, id := range n {
		text = strings.ReplaceAll(text, id, placeholder)
	}
	return text
}

// inquiry is a request in which something stands for ids.
type inquiry struct {
	access
	method, path string
	body         string // JSON, of an operation
	header       http.Header
}

func (q inquiry) names(placeholder string) bool {
	return strings.Contains(q.path+q.form.Encode()+q.body, placeholder)
}

// pageInquiries are the routes of the pages that are about something, and those that name it
// in another place than their path.
func pageInquiries() (all []inquiry) {
	table := routes()
	add := func(route string, a access) {
		method, path, _ := strings.Cut(strings.ReplaceAll(route, ":revision", "1"), " ")
		if q := (inquiry{access: a, method: method, path: path}); strings.Contains(path+a.form.Encode(), "%3A") || strings.Contains(path, ":") {
			all = append(all, q)
		}
	}
	for _, route := range slices.Sorted(maps.Keys(table)) {
		add(route, table[route])
	}
	add("GET /events?view=store&tab=overview&id=:id", access{Need: handlers.InTeam(store.ViewStores)})
	add("GET /events?view=team&id=:team", access{Need: handlers.InTeam(store.ViewMembers)})
	add("GET /audit?team=:team", access{Need: handlers.OnInstallation("")}) // which administrators read
	add("GET /audit.json?team=:team", access{Need: handlers.OnInstallation("")})
	add("GET /stores/new?team=:team", access{})
	add("POST /stores", access{form: url.Values{"name": {"Mine"}, "engine": {"woocommerce"}, "team": {":team"}}})
	add("GET /stores/new?from=:left", access{Need: handlers.InTeam(store.BackUpStores)})
	add("POST /stores", access{Need: handlers.InTeam(store.BackUpStores), form: url.Values{"name": {"Mine"}, "from": {":left"}}})
	add("POST /account/sessions/end", access{form: url.Values{"session": {":session"}}})
	return all
}

// apiInquiries are the operations that are about something, for whoever has that token.
func (s site) apiInquiries(token string) (all []inquiry) {
	s.t.Helper()
	operations, table := s.operations(), errands()
	for _, name := range slices.Sorted(maps.Keys(operations)) {
		e := table[name]
		method, path, _ := strings.Cut(strings.NewReplacer("{revision}", "1", "{engine}", "woocommerce", "{", ":", "}", "").Replace(operations[name]), " ")
		q := inquiry{access: access{Need: handlers.InTeam(e.action)}, method: method, path: v1.Prefix + path + e.query, body: e.body}
		if strings.Contains(path, ":") && !e.admin { // the installation is nobody's
			all = append(all, q)
		}
	}
	all = append(all, inquiry{access: access{}, method: http.MethodPost, path: v1.Prefix + "/stores", body: `{"name": "Mine", "from": ":left"}`})
	all = append(all, inquiry{access: access{Need: handlers.InTeam(store.ViewStores)}, method: http.MethodGet, path: v1.Prefix + "/stores/:deleted/points"})
	all = append(all, inquiry{access: access{Need: handlers.InTeam(store.ViewActivity)}, method: http.MethodGet, path: v1.Prefix + "/events?store=:id"})
	for i := range all {
		all[i].header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
	}
	return all
}

// ask sends the request about those things.
func (s site) ask(b *http.Client, q inquiry, n names) answer {
	s.t.Helper()
	r := s.request(q.method, n.in(q.path), n.inForm(q.form))
	if q.header != nil {
		var err error
		if r, err = http.NewRequestWithContext(s.t.Context(), q.method, s.url+n.in(q.path), strings.NewReader(n.in(q.body))); err != nil {
			s.t.Fatal(err)
		}
		r.Header = q.header
	}
	got := s.do(b, r)
	got.body = formKey.ReplaceAllString(got.body, "") // which every form has of its own
	return got
}

// wantAlike asks about what is foreign and about what is not there, and expects that nobody
// can tell which is which. It returns the status.
func (s site) wantAlike(who string, b *http.Client, q inquiry, foreign, unknown names) int {
	s.t.Helper()
	theirs, none := s.ask(b, q, foreign), s.ask(b, q, unknown)
	if theirs.status != none.status || foreign.out(theirs.body) != unknown.out(none.body) || foreign.out(theirs.location) != unknown.out(none.location) {
		s.t.Errorf("%s %s as %s tells what is foreign, %d to %q:\n%s\nfrom what is not there, %d to %q:\n%s",
			q.method, q.path, who, theirs.status, theirs.location, theirs.body, none.status, none.location, none.body)
	}
	return theirs.status
}

// wantHidden asks as somebody in that team: about things elsewhere, and about things elsewhere
// as if they were the team's.
func (s site) wantHidden(role store.Role, who visitor, q inquiry, team string, foreign names) {
	s.t.Helper()
	unknown := unknownNames()
	status := s.wantAlike(string(role), who.browser, q, foreign, unknown)
	if q.Action != "" && who.actor.UserID != "" && status != http.StatusNotFound {
		s.t.Errorf("%s %s of somebody else as %s: %d", q.method, q.path, role, status)
	}
	if !q.names(":team") || !q.names(":user") && !q.names(":invitation") || who.actor.Roles[team] == "" {
		return
	}
	got := s.wantAlike(string(role), who.browser, q, foreign.within(team), unknown.within(team))
	if got != http.StatusNotFound && (got != http.StatusForbidden || who.actor.May(q.Action, team)) {
		s.t.Errorf("%s %s of somebody else in one's own team as %s: %d", q.method, q.path, role, got)
	}
}

// TestForeignIsUnknownAsEveryRole asks everything about things that others have and about
// things that are not there, which must be answered alike, and changes nothing.
func TestForeignIsUnknownAsEveryRole(t *testing.T) {
	t.Parallel()
	s := serve(t)
	foreign := s.foreignNames()
	team, people := s.peopled()
	tokens := map[store.Role]string{"anonymous": "none"}
	for role, who := range people {
		if who.actor.UserID != "" {
			tokens[role] = s.tokenOf(who.actor, team, everyScope())
		}
	}
	before := s.lastEvent()
	for role, who := range people {
		for _, q := range pageInquiries() {
			if !q.Installation || !who.actor.Admin {
				s.wantHidden(role, who, q, team, foreign)
			}
		}
		for _, q := range s.apiInquiries(tokens[role]) {
			s.wantHidden(role, who, q, team, foreign)
		}
	}
	if after := s.lastEvent(); after != before {
		t.Errorf("%d things have happened", after-before)
	}
}

// Whoever may only look at a team's stores makes none there, also by naming the team.
func TestViewersOpenNoStores(t *testing.T) {
	t.Parallel()
	s := serve(t)
	team, people := s.peopled()
	viewer := people[store.Viewer]
	got := s.post(viewer.browser, "/stores", url.Values{"name": {"Mine"}, "engine": {"woocommerce"}, "team": {team}})
	if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Choose a team where you can create stores.") {
		t.Errorf("a viewer who names the team: %d %s", got.status, got.body)
	}
	p := program{site: s, token: s.tokenOf(viewer.actor, team, everyScope()), routes: s.document()}
	p.wantProblem(p.call("POST", "/stores", v1.NewStore{Name: "Mine", Engine: "woocommerce"}), http.StatusForbidden, "forbidden")
	_, err := s.db.CreateStore(t.Context(), viewer.actor, store.NewStore{TeamID: team, Cluster: storetest.Cluster(t, s.db), Name: "Mine", Engine: "woocommerce"})
	if store.ErrorCode(err) != store.Forbidden {
		t.Errorf("the database lets a viewer open a store: %v", err)
	}
	if list := s.get(people[store.Owner].browser, "/stores"); strings.Contains(list.body, "Mine") {
		t.Error("a viewer has opened a store")
	}
}
