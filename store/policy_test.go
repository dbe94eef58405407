package store_test

import (
	"slices"
	"testing"

	"shopwright.dev/shopwright/store"
)

var (
	look   = []store.Action{store.ViewStores, store.ViewActivity, store.ViewMembers}
	change = []store.Action{store.CreateStores, store.RetryStores, store.UpgradeStores, store.DeleteStores, store.ViewCredentials, store.BackUpStores}
	manage = []store.Action{store.ViewAudit, store.ManageMembers, store.RenameTeam}
	own    = []store.Action{store.ManageOwners}
	rule   = []store.Action{store.ViewInstallation, store.ViewAllAudit, store.ManageUsers, store.ManagePlans, store.ManageTargets}
	every  = slices.Concat(look, change, manage, own, rule)
)

// wantOnly fails if the actor may anything else, or not all of that.
func wantOnly(t *testing.T, what string, actor store.Actor, team string, may ...[]store.Action) {
	t.Helper()
	allowed := slices.Concat(may...)
	for _, a := range every {
		if actor.May(a, team) != slices.Contains(allowed, a) {
			t.Errorf("%s may %s: %v", what, a, actor.May(a, team))
		}
	}
}

func TestPolicyOfRoles(t *testing.T) {
	t.Parallel()
	for role, may := range map[store.Role][][]store.Action{
		store.Owner:     {look, change, manage, own},
		store.TeamAdmin: {look, change, manage},
		store.Member:    {look, change},
		store.Viewer:    {look},
		"":              nil,
		"made-up":       nil,
	} {
		for _, admin := range []bool{false, true} {
			actor := store.Actor{UserID: "u", Admin: admin, Roles: map[string]store.Role{"team": role}}
			wantOnly(t, string(role), actor, "team", may...)
			wantOnly(t, string(role)+" of another team", actor, "foreign")
			if admin {
				wantOnly(t, "an administrator", actor, store.Installation, rule)
			} else {
				wantOnly(t, string(role)+" of a team", actor, store.Installation)
			}
		}
	}
}

// TestPolicyOfScopes shows that a token can do what its scopes say and its user may, and
// nothing else.
func TestPolicyOfScopes(t *testing.T) {
	t.Parallel()
	for scope, covers := range map[store.Scope][]store.Action{
		store.ReadStores:      {store.ViewStores, store.ViewActivity},
		store.WriteStores:     {store.CreateStores, store.RetryStores, store.UpgradeStores, store.BackUpStores},
		store.RemoveStores:    {store.DeleteStores},
		store.ReadCredentials: {store.ViewCredentials},
		store.ReadTeam:        {store.ViewMembers, store.ViewAudit},
		store.WriteTeam:       {store.ManageMembers, store.RenameTeam, store.ManageOwners},
		store.Administer:      nil,
		"made-up":             nil,
	} {
		token := store.Actor{UserID: "u", Admin: true, Token: "deploy", Scopes: []store.Scope{scope}, Roles: map[string]store.Role{"team": store.Owner, "seen": store.Viewer}}
		wantOnly(t, string(scope), token, "team", covers)
		wantOnly(t, string(scope)+" of a viewer", token, "seen", slices.DeleteFunc(slices.Clone(covers), func(a store.Action) bool { return !slices.Contains(look, a) }))
		if scope == store.Administer {
			wantOnly(t, string(scope), token, store.Installation, rule)
		} else {
			wantOnly(t, string(scope), token, store.Installation)
		}
	}
	wantOnly(t, "a token without scopes", store.Actor{Token: "none", Roles: map[string]store.Role{"team": store.Owner}}, "team")
}

func TestEveryActionIsInAScope(t *testing.T) {
	t.Parallel()
	all := store.Actor{Admin: true, Token: "all", Scopes: store.Scopes(), Roles: map[string]store.Role{"team": store.Owner}}
	for _, a := range every {
		if !all.May(a, "team") && !all.May(a, store.Installation) {
			t.Errorf("no token may %s", a)
		}
	}
}
