package store_test

import (
	"testing"

	"shopwright.dev/shopwright/store"
)

func TestPolicy(t *testing.T) {
	t.Parallel()
	change := []store.Action{store.CreateStores, store.RetryStores, store.UpgradeStores, store.DeleteStores, store.ViewCredentials}
	look := []store.Action{store.ViewStores, store.ViewActivity}
	for role, may := range map[store.Role]struct{ look, change, manage, own bool }{
		store.Owner:     {look: true, change: true, manage: true, own: true},
		store.TeamAdmin: {look: true, change: true, manage: true},
		store.Member:    {look: true, change: true},
		store.Viewer:    {look: true},
		"":              {},
		"made-up":       {},
	} {
		actor := store.Actor{UserID: "u", Roles: map[string]store.Role{"team": role}}
		for _, a := range look {
			if actor.May(a, "team") != may.look {
				t.Errorf("%q may %s: %v", role, a, !may.look)
			}
		}
		for _, a := range change {
			if actor.May(a, "team") != may.change {
				t.Errorf("%q may %s: %v", role, a, !may.change)
			}
		}
		if actor.May(store.ManageMembers, "team") != may.manage || actor.May(store.ManageOwners, "team") != may.own {
			t.Errorf("%q may not manage members and owners as it should", role)
		}
		for _, a := range append(look, change...) {
			if actor.May(a, "foreign") {
				t.Errorf("%q may %s in a foreign team", role, a)
			}
		}
	}
}
