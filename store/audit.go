package store

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// AuditGroup is a group of event kinds to filter by.
type AuditGroup string

// The groups of event kinds.
const (
	AuditStores       AuditGroup = "stores"
	AuditCredentials  AuditGroup = "credentials"
	AuditTeams        AuditGroup = "teams" // who is in them, and what they are called
	AuditSignIns      AuditGroup = "sign-ins"
	AuditTokens       AuditGroup = "tokens"
	AuditInstallation AuditGroup = "installation"
)

// AuditGroups returns all groups.
func AuditGroups() []AuditGroup {
	return []AuditGroup{AuditStores, AuditCredentials, AuditTeams, AuditSignIns, AuditTokens, AuditInstallation}
}

// Subjects returns the first words of the kinds in the group.
func (g AuditGroup) Subjects() []string {
	switch g {
	case AuditStores:
		return []string{"store", "check", "backup", "drill"}
	case AuditCredentials:
		return []string{"credentials"}
	case AuditTeams:
		return []string{"team", "member", "invitation"}
	case AuditSignIns:
		return []string{"user", "session", "identity"}
	case AuditTokens:
		return []string{"token"}
	case AuditInstallation:
		return []string{"installation", "plan", "limit", "cluster", "target"}
	}
	return nil
}

// Platform is the name of the platform itself where a person's name could be.
const Platform = "Shopwright"

// AuditQuery selects events of the audit log. An empty field selects everything.
type AuditQuery struct {
	Person string // found in the name of the person or of the token, or in the IP address, whatever the case and accents
	Group  AuditGroup
	TeamID string
	Object string    // found in the object's name, or in what was changed about it, whatever the case and accents
	From   time.Time // inclusive
	Until  time.Time // exclusive
	Before int64     // number of the event below which the page begins
	Limit  int
}

// MayAudit reports whether the actor may read any part of the audit log.
func (a Actor) MayAudit() bool {
	return a.May(ViewAllAudit, Installation) || len(a.Teams(ViewAudit)) > 0
}

// PersonText is the text in which a search for a person looks. It is empty if the event is not audited.
func (e Event) PersonText() string {
	if !e.Kind.Audited() {
		return ""
	}
	return Fold(strings.Join([]string{cmp.Or(e.Actor, Platform), e.Token, e.Address}, "\n"))
}

// ObjectText is the text in which a search for an object looks. It is empty if the event is not audited.
func (e Event) ObjectText() string {
	if !e.Kind.Audited() {
		return ""
	}
	return Fold(strings.Join([]string{e.Object, e.Data.Before, e.Data.After, e.Data.Email}, "\n"))
}

// SeenBy returns the event without what only readers of the audit log may know: IP addresses, and who was
// invited. Whether the actor may see the event at all is for [Actor.Sees] to decide.
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
