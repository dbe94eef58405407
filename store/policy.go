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

// Roles are all roles, from most to least powerful.
func Roles() []Role { return []Role{Owner, TeamAdmin, Member, Viewer} }

// Action is something an actor may or may not do to the objects of a team, or to the
// installation.
type Action string

// What can be done within a team.
const (
	ViewStores      Action = "stores.view"
	ViewActivity    Action = "activity.view"
	ViewMembers     Action = "members.view"
	CreateStores    Action = "stores.create"
	RetryStores     Action = "stores.retry"
	UpgradeStores   Action = "stores.upgrade"
	DeleteStores    Action = "stores.delete"
	ViewCredentials Action = "credentials.view"
	BackUpStores    Action = "stores.backup"
	ViewAudit       Action = "audit.view" // who did what, and from which address
	ManageMembers   Action = "members.manage"
	RenameTeam      Action = "team.rename"
	ManageOwners    Action = "owners.manage"
)

// What can be done to the installation.
const (
	ViewInstallation Action = "installation.view" // its teams, clusters, queue and versions
	ViewAllAudit     Action = "installation.audit"
	ManageUsers      Action = "users.manage"
	ManagePlans      Action = "plans.manage"
	ManageTargets    Action = "targets.manage" // where restore points are written to
	ManageClusters   Action = "clusters.manage"
)

// Installation stands where a team's id does, for what is done to no team.
const Installation = ""

// Scope narrows what a token may do on behalf of its user.
type Scope string

// The scopes there are.
const (
	ReadStores      Scope = "stores:read"
	WriteStores     Scope = "stores:write"
	RemoveStores    Scope = "stores:delete"
	ReadCredentials Scope = "credentials:read"
	ReadTeam        Scope = "team:read" // its members, and the audit log
	WriteTeam       Scope = "team:write"
	Administer      Scope = "installation"
)

// Scopes are all scopes there are.
func Scopes() []Scope {
	return []Scope{ReadStores, WriteStores, RemoveStores, ReadCredentials, ReadTeam, WriteTeam, Administer}
}

// Actor is who asks: a signed-in user with the roles that he or she has right now.
type Actor struct {
	UserID  string
	Name    string
	Address string          // IP address that the request came from
	Admin   bool            // of the installation
	Roles   map[string]Role // by team id
	Token   string          // name of the token that is used; empty for a browser's session
	TokenID string          // of that token
	Scopes  []Scope         // of that token
}

// May reports whether the actor may do that in the team, or to the [Installation]. It is
// pure: one place decides, and a table test can read all of it.
func (a Actor) May(action Action, teamID string) bool {
	if a.Token != "" && !slices.ContainsFunc(a.Scopes, func(s Scope) bool { return slices.Contains(s.covers(), action) }) {
		return false
	}
	if teamID == Installation {
		return a.Admin && slices.Contains(administration(), action)
	}
	return slices.Contains(a.Roles[teamID].Allows(), action)
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

// MayJoin reports whether the actor may change which teams it is in: make one, join one,
// leave one.
func (a Actor) MayJoin() bool { return a.Token == "" || slices.Contains(a.Scopes, WriteTeam) }

// Sees reports whether the event may be shown to the actor.
func (a Actor) Sees(e Event) bool {
	if e.TeamID == Installation {
		return !e.Kind.Audited() || a.May(ViewAllAudit, Installation)
	}
	return a.May(ViewActivity, e.TeamID)
}

// Allows are the actions of that role in its team; none for an unknown role.
func (r Role) Allows() []Action {
	viewer := []Action{ViewStores, ViewActivity, ViewMembers}
	member := slices.Concat(viewer, []Action{CreateStores, RetryStores, UpgradeStores, DeleteStores, ViewCredentials, BackUpStores})
	admin := slices.Concat(member, []Action{ViewAudit, ManageMembers, RenameTeam})
	switch r {
	case Owner:
		return slices.Concat(admin, []Action{ManageOwners})
	case TeamAdmin:
		return admin
	case Member:
		return member
	case Viewer:
		return viewer
	default:
		return nil
	}
}

func administration() []Action {
	return []Action{ViewInstallation, ViewAllAudit, ManageUsers, ManagePlans, ManageTargets, ManageClusters}
}

func (s Scope) covers() []Action {
	switch s {
	case ReadStores:
		return []Action{ViewStores, ViewActivity}
	case WriteStores:
		return []Action{CreateStores, RetryStores, UpgradeStores, BackUpStores}
	case RemoveStores:
		return []Action{DeleteStores}
	case ReadCredentials:
		return []Action{ViewCredentials}
	case ReadTeam:
		return []Action{ViewMembers, ViewAudit}
	case WriteTeam:
		return []Action{ManageMembers, RenameTeam, ManageOwners}
	case Administer:
		return administration()
	default:
		return nil
	}
}

// MayCreate reports why the actor may not create stores in the team, if so.
func (a Actor) MayCreate(teamID string) error {
	if !a.May(CreateStores, teamID) {
		return &Error{Code: Forbidden, Message: "You can view this team’s stores but not create one. Ask a team owner."}
	}
	return nil
}

// MayManage reports why the actor may not give or take that role in the team, if so.
func (a Actor) MayManage(teamID string, role Role) error {
	switch {
	case a.Roles[teamID] == "":
		return NoSuch("team")
	case !a.May(ManageMembers, teamID), role == Owner && !a.May(ManageOwners, teamID):
		return &Error{Code: Forbidden, Message: "You can’t manage this team’s members. Ask a team owner."}
	}
	return nil
}
