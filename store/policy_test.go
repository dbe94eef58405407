package store_test

import (
	"testing"

	"shopwright.dev/shopwright/store"
)

func TestPolicy(t *testing.T) {
	t.Parallel()
	change := []store.Action{store.CreateStores, store.RetryStores, store.DeleteStores, store.ViewCredentials}
	look := []store.Action{store.ViewStores, store.ViewActivity}
	for role, may := range map[store.Role]struct{ look, change bool }{
		store.Owner:     {true, true},
		store.TeamAdmin: {true, true},
		store.Member:    {true, true},
		store.Viewer:    {true, false},
		"":              {false, false},
		"made-up":       {false, false},
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
		for _, a := range append(look, change...) {
			if actor.May(a, "foreign") {
				t.Errorf("%q may %s in a foreign team", role, a)
			}
		}
	}
}
