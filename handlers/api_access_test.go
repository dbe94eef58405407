package handlers_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
)

// errand is what an operation of the API asks of those who use it.
type errand struct {
	action  store.Action // what its user must be allowed to do there; nothing for any token
	own     bool         // it is about what the token's user has, so that nobody is a stranger
	admin   bool         // it is about the installation, for which only administrators get a token
	absent  bool         // what this test asks for is not there
	cluster bool         // it needs the cluster, which there is none of here
	query   string
	body    string // what is sent, where a refusal must not be about that
}

// errands is the table of all operations. One that is not here fails the test.
func errands() map[string]errand {
	const any = store.Action("")
	return map[string]errand{
		"list-engines": {action: any}, "list-templates": {action: any}, "list-countries": {action: any}, "show-health": {action: any},
		"show-me": {action: any}, "list-teams": {action: any}, "list-tokens": {action: any}, "revoke-token": {action: any, absent: true},

		"list-activity": {action: store.ViewActivity, own: true}, "follow-events": {action: store.ViewActivity, own: true},
		"list-stores": {action: store.ViewStores, own: true}, "show-store": {action: store.ViewStores},
		"list-pods": {action: store.ViewStores, cluster: true}, "list-cluster-events": {action: store.ViewStores, cluster: true}, "read-log": {action: store.ViewStores, cluster: true},
		"list-releases": {action: store.ViewStores}, "show-release": {action: store.ViewStores, cluster: true},
		"create-store":        {action: store.CreateStores, own: true, body: `{"name": "Tried", "engine": "woocommerce"}`},
		"delete-store":        {action: store.DeleteStores},
		"retry-store":         {action: store.RetryStores},
		"repair-store":        {action: store.RetryStores},
		"rebuild-store":       {action: store.RetryStores},
		"cancel-store":        {action: store.UpgradeStores},
		"check-store":         {action: store.RetryStores},
		"preview-upgrade":     {action: store.UpgradeStores, cluster: true},
		"upgrade-store":       {action: store.UpgradeStores, body: `{}`},
		"preview-rollback":    {action: store.UpgradeStores, cluster: true, query: "?to=1"},
		"rollback-store":      {action: store.UpgradeStores, body: `{"to": 1}`},
		"change-owner":        {action: store.UpgradeStores, body: `{"owner_email": "noor@example.org"}`},
		"show-credentials":    {action: store.ViewCredentials, cluster: true},
		"list-deleted-stores": {action: store.BackUpStores, own: true},
		"list-points":         {action: store.ViewStores},
		"show-point":          {action: store.ViewStores},
		"show-backup":         {action: store.ViewStores},
		"create-backup":       {action: store.BackUpStores, body: `{"note": "tried"}`},
		"list-drills":         {action: store.ViewStores},
		"create-drill":        {action: store.BackUpStores, body: `{}`},

		"show-backups":  {action: store.ManageTargets, admin: true},
		"list-targets":  {action: store.ManageTargets, admin: true},
		"create-target": {action: store.ManageTargets, admin: true, body: targetBody},
		"show-target":   {action: store.ManageTargets, admin: true, absent: true},
		"change-target": {action: store.ManageTargets, admin: true, absent: true, body: targetBody},
		"delete-target": {action: store.ManageTargets, admin: true, absent: true},
		"test-target":   {action: store.ManageTargets, admin: true, absent: true},

		"list-members":      {action: store.ViewMembers},
		"change-role":       {action: store.ManageMembers, body: `{"role": "viewer"}`},
		"remove-member":     {action: store.ManageMembers},
		"list-invitations":  {action: store.ManageMembers},
		"create-invitation": {action: store.ManageMembers, body: `{"role": "viewer"}`},
		"revoke-invitation": {action: store.ManageMembers},
		"list-audit":        {action: store.ViewAudit, own: true},
	}
}

const targetBody = `{"name": "Tried", "endpoint": "https://s3.example.com", "bucket": "shops", "key_id": "key", "secret": "hidden-secret", "in_use": false}`

// expected is what becomes of somebody's request.
func (e errand) expected(who store.Actor, team string) string {
	switch {
	case who.UserID == "":
		return "sign in"
	case e.admin && !who.Admin:
		return "403"
	case e.admin && !e.absent:
		return "yes"
	case e.action != "" && !e.own && !who.May(store.ViewStores, team):
		return "404"
	case e.action != "" && !who.May(e.action, team) && (!e.own || who.Roles[team] != ""):
		return "403"
	case e.absent:
		return "404"
	}
	return "yes"
}

// TestEveryOperationAsEveryRole walks the API's document: each operation is tried with a token
// of everybody there is that may all that its user may, and with one that may nothing.
func TestEveryOperationAsEveryRole(t *testing.T) { //nolint:paralleltest // so that its matrix stays together
	s, table := serve(t), errands()
	matrix := newMatrix(t, 20)
	routes := s.operations()
	for _, name := range slices.Sorted(maps.Keys(routes)) {
		if e, known := table[name]; known {
			matrix.line(name, s.tryOperation(name, routes[name], e))
		} else {
			t.Errorf("%s is not in the table of operations: say there who may use it", name)
		}
	}
	for name := range table {
		if routes[name] == "" {
			t.Errorf("%s is in the table, but there is no such operation", name)
		}
	}
}

// operations are those of the API's document, as METHOD /path by name.
func (s site) operations() map[string]string {
	s.t.Helper()
	return operationsIn(s.t, []byte(s.get(s.browser(), v1.Prefix+"/openapi.json").body))
}

// operationsOf are those that the handler's document has, as METHOD /path.
func operationsOf(t testing.TB, h http.Handler) []string {
	t.Helper()
	said := httptest.NewRecorder()
	h.ServeHTTP(said, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+v1.Prefix+"/openapi.json", nil))
	return slices.Sorted(maps.Values(operationsIn(t, said.Body.Bytes())))
}

func operationsIn(t testing.TB, text []byte) map[string]string {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			all[operation.OperationID] = method + " " + path
		}
	}
	if len(all) == 0 {
		t.Fatalf("the document has no operations: %s", text)
	}
	return all
}

// tryOperation has everybody try it, and returns what became of it.
func (s site) tryOperation(name, route string, e errand) map[store.Role]string {
	s.t.Helper()
	all := map[store.Role]string{}
	team, people := s.peopled()
	for _, role := range everybody() {
		who := people[role].actor
		scopes := everyScope()
		if e.admin && who.Admin {
			scopes = append(scopes, store.Administer)
		}
		all[role] = s.callAs(who, team, route, e, scopes)
		if want := e.expected(who, team); all[role] != want {
			s.t.Errorf("%s as %s: %q, want %q", name, role, all[role], want)
		}
		if e.action == "" || who.UserID == "" {
			continue
		}
		useless := slices.DeleteFunc(everyScope(), func(scope store.Scope) bool {
			return (store.Actor{Token: "t", Scopes: []store.Scope{scope}, Roles: map[string]store.Role{"": store.Owner, "t": store.Owner}}).May(e.action, "t")
		})
		if got := s.callAs(who, team, route, e, useless); got != "403" {
			s.t.Errorf("%s as %s with a token that may not: %q", name, role, got)
		}
	}
	return all
}

// callAs uses the operation with a new token of that person, for the team or else their own.
func (s site) callAs(who store.Actor, team, route string, e errand, scopes []store.Scope) string {
	s.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	if strings.Contains(path, "{point}") || strings.Contains(path, "{backup}") || strings.HasSuffix(path, "/drills") {
		id, point := s.pointOf(team)
		path = strings.NewReplacer("{id}", id, "{point}", point, "{backup}", point).Replace(path)
	}
	for name, make := range map[string]func(team string) string{"{id}": s.storeOf, "{user}": s.memberOf, "{invitation}": s.invitationTo} {
		if strings.Contains(path, name) {
			path = strings.ReplaceAll(path, name, make(team))
		}
	}
	path = strings.NewReplacer("{team}", team, "{revision}", "1", "{engine}", "woocommerce", "{token}", "none", "{target}", "none").Replace(path)
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+v1.Prefix+path+e.query, strings.NewReader(e.body))
	if err != nil {
		s.t.Fatal(err)
	}
	if e.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if who.UserID != "" {
		r.Header.Set("Authorization", "Bearer "+s.tokenOf(who, team, scopes))
	}
	before := s.lastEvent()
	got := s.head(s.browser(), r)
	who.Token = "tried"
	s.wantTold(route, who, got, s.heard(before))
	return became(got, e.cluster)
}

func (s site) tokenOf(who store.Actor, team string, scopes []store.Scope) string {
	s.t.Helper()
	if who.Roles[team] == "" {
		team = who.Teams(store.ViewStores)[0]
	}
	_, secret, err := s.db.CreateToken(s.t.Context(), who, store.NewToken{TeamID: team, Name: "tried", Scopes: scopes, Lifetime: time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
	return secret
}
