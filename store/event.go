package store

import (
	"cmp"
	"time"
)

// Event is one line of the story: the timeline of a store, the audit log, and what a
// browser resumes its stream from are all made of these.
type Event struct {
	Number  int64 // in commit order
	TeamID  string
	StoreID string
	JobID   string // of the work on the store that it tells of; empty for other events
	ActorID string // empty for the platform itself
	Actor   string
	Token   string // name of the token that the actor used; empty for a browser
	Address string // IP address that it was asked from; empty for the platform itself
	Kind    Kind
	Step    Step
	Object  string // what it is about, by its name at the time
	Data    EventData
	Audit   bool
	At      time.Time
}

// Kind says what an event tells.
type Kind string

// The kinds of events.
const (
	StoreCreated     Kind = "store.created"
	StoreRetried     Kind = "store.retried"
	StoreRebuilt     Kind = "store.rebuilt"  // with a restore point or from nothing, after its data were lost
	StoreRepaired    Kind = "store.repaired" // put back to what its chart says
	UpgradeAsked     Kind = "store.upgrade_asked"
	RollbackAsked    Kind = "store.rollback_asked"
	OwnerAsked       Kind = "store.owner_asked"   // another owner's address, for a shop that keeps it
	OwnerChanged     Kind = "store.owner_changed" // of a shop that does not keep it
	ChangeCancelled  Kind = "store.change_cancelled"
	StoreUndone      Kind = "store.undone" // a change failed, and the platform goes back by itself
	StoreDeleteAsked Kind = "store.delete_asked"
	StoreReady       Kind = "store.ready"
	StoreFailed      Kind = "store.failed"
	StoreAborted     Kind = "store.aborted" // the backup before a change or a deletion failed: neither was begun
	StoreDeleted     Kind = "store.deleted"
	StoreDegraded    Kind = "store.degraded"  // checks have failed
	StoreRecovered   Kind = "store.recovered" // a check has succeeded again
	CheckAsked       Kind = "check.asked"
	Checked          Kind = "check.done"
	BackupAsked      Kind = "backup.asked"
	BackupScheduled  Kind = "backup.scheduled" // the time has come by the store's plan
	BackupProgressed Kind = "backup.progressed"
	BackupDone       Kind = "backup.done"
	BackupFailed     Kind = "backup.failed"
	BackupCancelled  Kind = "backup.cancelled" // because something else was wanted of the store
	RepositoryShown  Kind = "backup.repository_shown"
	PointsErased     Kind = "backup.points_erased" // of a deleted store, from a target
	DrillAsked       Kind = "drill.asked"
	DrillScheduled   Kind = "drill.scheduled" // the time has come by the store's plan
	DrillPassed      Kind = "drill.passed"
	DrillFailed      Kind = "drill.failed"
	DrillOverdue     Kind = "drill.overdue"   // none has passed for longer than the plan allows
	DrillCancelled   Kind = "drill.cancelled" // somebody has deleted its store, or the store that is rehearsed
	StepStarted      Kind = "step.started"
	StepProgressed   Kind = "step.progressed"
	StepFinished     Kind = "step.finished"
	CredentialsShown Kind = "credentials.shown"
	SignedIn         Kind = "user.signed_in"
	SignedOut        Kind = "user.signed_out"
	SessionEnded     Kind = "user.session_ended" // from another browser, or by an administrator
	IdentityLinked   Kind = "identity.linked"    // another sign-in method of the user
	IdentityRemoved  Kind = "identity.removed"
	MemberAdded      Kind = "member.added"
	MemberRemoved    Kind = "member.removed"
	MemberInvited    Kind = "member.invited"
	MemberJoined     Kind = "member.joined"
	RoleChanged      Kind = "member.role_changed"
	InvitationEnded  Kind = "invitation.revoked"
	InvitationAnew   Kind = "invitation.renewed"
	TeamCreated      Kind = "team.created"
	TeamRenamed      Kind = "team.renamed"
	TeamDeleted      Kind = "team.deleted"
	TokenCreated     Kind = "token.created"
	TokenRevoked     Kind = "token.revoked"
	PlanAdded        Kind = "plan.added"
	PlanChanged      Kind = "plan.changed"
	TeamPlanSet      Kind = "team.plan_set"
	UserDisabled     Kind = "user.disabled"
	UserEnabled      Kind = "user.enabled"
	AdminMade        Kind = "user.admin_made"
	AdminUnmade      Kind = "user.admin_unmade"
	LoginLinkMade    Kind = "user.login_link_made"
	RecoveryKeyMade  Kind = "target.recovery_key"
	TargetAdded      Kind = "target.added"
	TargetChanged    Kind = "target.changed"
	TargetDeleted    Kind = "target.deleted"
	ClusterReplaced  Kind = "cluster.replaced" // by another one, because it is lost
)

// EventData are the facts of an event. Which of them an event has depends on its kind. They are kept
// as JSON, and hold no sentences: package phrase makes those.
type EventData struct {
	Generation int64  `json:"generation,omitempty"`
	Status     Status `json:"status,omitempty"` // the store's status after the event
	UserID     string `json:"user,omitempty"`   // whose membership or account it is about
	Before     string `json:"before,omitempty"` // a value that was changed: a name, a role, a plan, an email address
	After      string `json:"after,omitempty"`
	Asked      bool   `json:"asked,omitempty"` // a check was made because somebody asked for it

	How       How           `json:"how,omitempty"`
	Method    string        `json:"method,omitempty"`     // label of a sign-in method
	Email     string        `json:"email,omitempty"`      // address of a sign-in method, or that the settings name
	InvitedBy string        `json:"invited_by,omitempty"` // name of who invited a member
	Anyone    bool          `json:"anyone,omitempty"`     // the invitation is for anyone who has the link
	Lifetime  time.Duration `json:"lifetime,omitempty"`   // of a login link
	Scopes    []Scope       `json:"scopes,omitempty"`     // of a token

	PlanBefore Figures `json:"plan_before,omitzero"`
	PlanAfter  Figures `json:"plan_after,omitzero"`

	Change  Change  `json:"change,omitzero"`  // of a store, without what it undoes
	Failure Failure `json:"failure,omitzero"` // of work on a store or of its shop, without what explains it
	Note    Note    `json:"note,omitzero"`    // of a step, of a check, or of what was missing

	PointAt time.Time `json:"point_at,omitzero"` // when the restore point was made that a store is rebuilt with
}

// How tells apart the ways in which events of one kind come about.
type How string

// The ways there are. An event that comes about in only one way, or in the usual one, has none.
const (
	ByFirstUser   How = "first_user"   // the first user of all becomes an administrator
	BySettings    How = "settings"     // the settings name an administrator's address
	ByProvider    How = "provider"     // a provider alone makes an administrator
	ByLoginLink   How = "login_link"   // a login link makes an administrator
	ByAddress     How = "address"      // a sign-in method is linked by its verified address
	ByNextSignIn  How = "next_sign_in" // a session ends with the next one in the same browser
	OneSession    How = "session"      // a user ends one of the own sessions
	OtherSessions How = "sessions"     // a user ends all own sessions but the current one
)

// Sign writes into the event who asked for it. Without an actor it was the platform itself.
func (a Actor) Sign(e Event) Event {
	e.ActorID, e.Actor, e.Token, e.Address = a.UserID, a.Name, a.Token, a.Address
	return e
}

// Asks reports whether the event asks the platform to work on a store.
func (k Kind) Asks() bool {
	switch k {
	case StoreCreated, StoreRetried, StoreRebuilt, StoreRepaired, UpgradeAsked, RollbackAsked, OwnerAsked, ChangeCancelled, StoreDeleteAsked, CheckAsked, BackupAsked, BackupScheduled,
		DrillAsked, DrillScheduled, DrillCancelled:
		return true
	}
	return false
}

// Audited kinds tell what people did, and are kept for ever. Others tell how the platform's
// own work goes.
func (k Kind) Audited() bool {
	switch k {
	case StoreReady, StoreFailed, StoreAborted, StoreUndone, StoreDegraded, StoreRecovered, Checked,
		StepStarted, StepProgressed, StepFinished, BackupScheduled, BackupProgressed, BackupDone, BackupFailed, BackupCancelled,
		DrillScheduled, DrillPassed, DrillFailed, DrillOverdue:
		return false
	}
	return true
}

// RightsOf returns whose rights the event may have changed, empty for nobody's.
func (e Event) RightsOf() (userID string) {
	switch e.Kind {
	case SignedOut, IdentityRemoved:
		return e.ActorID
	case SessionEnded:
		return cmp.Or(e.Data.UserID, e.ActorID)
	case MemberAdded, MemberRemoved, MemberJoined, RoleChanged, TeamCreated, TokenRevoked:
		return e.Data.UserID
	case UserDisabled, UserEnabled, AdminMade, AdminUnmade:
		return e.Data.UserID
	}
	return ""
}
