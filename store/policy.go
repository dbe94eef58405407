package store

import "slices"

// Role is what a user is in a team.
type Role string

// The roles, from most to least powerful.
const (
	Owner     Role = "owner"
	TeamAdmin Role = "admin"
	Member    Role = "member"
	Viewer    Role = "viewer"
)

// Action is something an actor may or may not do to the objects of a team.
type Action string

// What can be done within a team.
const (
	ViewStores      Action = "stores.view"
	CreateStores    Action = "stores.create"
	RetryStores     Action = "stores.retry"
	UpgradeStores   Action = "stores.upgrade"
	DeleteStores    Action = "stores.delete"
	ViewCredentials Action = "credentials.view"
	ViewActivity    Action = "activity.view"
	ManageMembers   Action = "members.manage"
	ManageOwners    Action = "owners.manage"
)

// Actor is who asks: a signed-in user with the roles that he or she has right now.
type Actor struct {
	UserID string
	Name   string
	Roles  map[string]Role // by team id
}

// May reports whether the actor may do that in the team. It is pure: one place decides,
// and a table test can read all of it.
func (a Actor) May(action Action, teamID string) bool {
	return slices.Contains(allowed(a.Roles[teamID]), action)
}

// Teams are the ids of the teams in which the actor may do that, sorted.
func (a Actor) Teams(action Action) []string {
	var ids []string
	for id := range a.Roles {
		if a.May(action, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Sees reports whether the event may be shown to the actor.
func (a Actor) Sees(e Event) bool {
	return e.TeamID == "" || a.May(ViewActivity, e.TeamID)
}

func allowed(r Role) []Action {
	switch r {
	case Owner:
		return []Action{ViewStores, ViewActivity, CreateStores, RetryStores, UpgradeStores, DeleteStores, ViewCredentials, ManageMembers, ManageOwners}
	case TeamAdmin:
		return []Action{ViewStores, ViewActivity, CreateStores, RetryStores, UpgradeStores, DeleteStores, ViewCredentials, ManageMembers}
	case Member:
		return []Action{ViewStores, ViewActivity, CreateStores, RetryStores, UpgradeStores, DeleteStores, ViewCredentials}
	case Viewer:
		return []Action{ViewStores, ViewActivity}
	default:
		return nil
	}
}
