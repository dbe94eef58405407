package store

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// AuditGroup is a group of event kinds to filter by.
type AuditGroup string

// The groups there are.
const (
	AuditStores       AuditGroup = "stores"
	AuditCredentials  AuditGroup = "credentials"
	AuditTeams        AuditGroup = "teams" // who is in them, and what they are called
	AuditSignIns      AuditGroup = "sign-ins"
	AuditTokens       AuditGroup = "tokens"
	AuditInstallation AuditGroup = "installation"
)

// AuditGroups are all groups there are.
func AuditGroups() []AuditGroup {
	return []AuditGroup{AuditStores, AuditCredentials, AuditTeams, AuditSignIns, AuditTokens, AuditInstallation}
}

// Subjects are the first words of the group's kinds.
func (g AuditGroup) Subjects() []string {
	switch g {
	case AuditStores:
		return []string{"store", "check"}
	case AuditCredentials:
		return []string{"credentials"}
	case AuditTeams:
		return []string{"team", "member", "invitation"}
	case AuditSignIns:
		return []string{"user", "session", "identity"}
	case AuditTokens:
		return []string{"token"}
	case AuditInstallation:
		return []string{"installation", "plan", "limit", "cluster"}
	}
	return nil
}

// Platform is what the platform itself is called where a person's name could stand.
const Platform = "Shopwright"

// AuditQuery selects events of the audit log. An empty field selects everything.
type AuditQuery struct {
	Person string // found in the name of the person or of the token, or in the IP address, whatever the case and accents
	Group  AuditGroup
	TeamID string
	Object string    // found in the object's name, or in what was changed about it, whatever the case and accents
	From   time.Time // the first moment
	Until  time.Time // the first moment that is not asked for
	Before int64     // number of the event below which the page begins
	Limit  int
}

// MayAudit reports whether the actor may read any part of the audit log.
func (a Actor) MayAudit() bool {
	return a.May(ViewAllAudit, Installation) || len(a.Teams(ViewAudit)) > 0
}

// PersonText is what an audited event is found by when a person is looked for.
func (e Event) PersonText() string {
	if !e.Kind.Audited() {
		return ""
	}
	return Fold(strings.Join([]string{cmp.Or(e.Actor, Platform), e.Token, e.Address}, "\n"))
}

// ObjectText is what an audited event is found by when an object is looked for.
func (e Event) ObjectText() string {
	if !e.Kind.Audited() {
		return ""
	}
	return Fold(strings.Join([]string{e.Object, e.Data.Before, e.Data.After, e.Data.Email}, "\n"))
}

// SeenBy is the event without what only those may know who read the audit log: where people
// were, and whom they have invited. Whether the actor sees anything of it, [Actor.Sees] tells.
func (e Event) SeenBy(actor Actor) Event {
	if actor.May(ViewAudit, e.TeamID) {
		return e
	}
	e.Address = ""
	if slices.Contains([]Kind{MemberInvited, InvitationAnew, InvitationEnded}, e.Kind) {
		e.Object, e.Data.Anyone = "", false
	}
	return e
}
