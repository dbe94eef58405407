package handlers_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/store"
)

// errand is what an operation of the API asks of those who use it.
type errand struct {
	action store.Action // what its user must be allowed to do there; nothing for any token
	own    bool         // it is about what the token's user has, so that nobody is a stranger
	absent bool         // what this test asks for is not there
	query  string
	body   string // what is sent, where a refusal must not be about that
}

// errands is the table of all operations. One that is not here fails the test.
func errands() map[string]errand {
	const any = store.Action("")
	return map[string]errand{
		"list-engines": {action: any}, "list-templates": {action: any}, "list-countries": {action: any}, "show-health": {action: any},
		"show-me": {action: any}, "list-teams": {action: any}, "list-tokens": {action: any}, "revoke-token": {action: any, absent: true},

		"list-activity": {action: store.ViewActivity, own: true}, "follow-events": {action: store.ViewActivity, own: true},
		"list-stores": {action: store.ViewStores, own: true}, "show-store": {action: store.ViewStores},
		"list-pods": {action: store.ViewStores}, "list-cluster-events": {action: store.ViewStores}, "read-log": {action: store.ViewStores},
		"list-releases": {action: store.ViewStores}, "show-release": {action: store.ViewStores},
		"create-store":     {action: store.CreateStores, own: true, body: `{"name": "Tried", "engine": "woocommerce"}`},
		"delete-store":     {action: store.DeleteStores},
		"retry-store":      {action: store.RetryStores},
		"repair-store":     {action: store.RetryStores},
		"rebuild-store":    {action: store.RetryStores},
		"check-store":      {action: store.RetryStores},
		"preview-upgrade":  {action: store.UpgradeStores},
		"upgrade-store":    {action: store.UpgradeStores, body: `{}`},
		"preview-rollback": {action: store.UpgradeStores, query: "?to=1"},
		"rollback-store":   {action: store.UpgradeStores, body: `{"to": 1}`},
		"show-credentials": {action: store.ViewCredentials},

		"list-members":      {action: store.ViewMembers},
		"change-role":       {action: store.ManageMembers, body: `{"role": "viewer"}`},
		"remove-member":     {action: store.ManageMembers},
		"list-invitations":  {action: store.ManageMembers},
		"create-invitation": {action: store.ManageMembers, body: `{"role": "viewer"}`},
		"revoke-invitation": {action: store.ManageMembers},
		"list-audit":        {action: store.ViewAudit, own: true},
	}
}

// expected is what becomes of somebody's request.
func (e errand) expected(who store.Actor, team string) string {
	switch {
	case who.UserID == "":
		return "401"
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
func TestEveryOperationAsEveryRole(t *testing.T) {
	t.Parallel()
	s, table := serve(t), errands()
	document, err := openapi3.NewLoader().LoadFromData([]byte(s.get(s.browser(), api.Prefix+"/openapi.json").body))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			name := operation.OperationID
			found[name] = true
			if e, known := table[name]; known {
				t.Log(s.tryOperation(name, method+" "+path, e))
			} else {
				t.Errorf("%s is not in the table of operations: say there who may use it", name)
			}
		}
	}
	for name := range maps.Keys(table) {
		if !found[name] {
			t.Errorf("%s is in the table, but there is no such operation", name)
		}
	}
}

// tryOperation has everybody try it, and returns its line of the matrix.
func (s site) tryOperation(name, route string, e errand) string {
	s.t.Helper()
	line := fmt.Sprintf("%-18s", name)
	team, people := s.peopled()
	for _, role := range everybody() {
		who := people[role].actor
		got := s.callAs(who, team, route, e, everyScope())
		if want := e.expected(who, team); got != want {
			s.t.Errorf("%s as %s: %q, want %q", name, role, got, want)
		}
		line += fmt.Sprintf(" %s: %s", role, got)
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
	return line
}

// callAs uses the operation with a new token of that person, for the team or else their own.
func (s site) callAs(who store.Actor, team, route string, e errand, scopes []store.Scope) string {
	s.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	for name, make := range map[string]func(team string) string{"{id}": s.storeOf, "{user}": s.memberOf, "{invitation}": s.invitationTo} {
		if strings.Contains(path, name) {
			path = strings.ReplaceAll(path, name, make(team))
		}
	}
	path = strings.NewReplacer("{team}", team, "{revision}", "1", "{engine}", "woocommerce", "{token}", "none").Replace(path)
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+api.Prefix+path+e.query, strings.NewReader(e.body))
	if err != nil {
		s.t.Fatal(err)
	}
	if e.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if who.UserID != "" {
		r.Header.Set("Authorization", "Bearer "+s.tokenOf(who, team, scopes))
	}
	switch got := s.head(s.browser(), r).status; got {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusInternalServerError:
		return fmt.Sprint(got)
	default:
		return "yes"
	}
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
