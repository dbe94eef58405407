package v1

import (
	"time"

	"shopwright.dev/shopwright/store"
)

// Teammate is somebody in a team.
type Teammate struct {
	ID    string     `json:"id" doc:"The user’s ID."`
	Name  string     `json:"name"`
	Email string     `json:"email,omitempty" doc:"Only for users who manage members."`
	Role  store.Role `json:"role" enum:"owner,admin,member,viewer"`
	Since time.Time  `json:"since"`
}

// Invitation is a way into a team that can be used once.
type Invitation struct {
	ID        string     `json:"id"`
	Email     string     `json:"email,omitempty" doc:"Invitee; absent if anyone with the link can join."`
	Role      store.Role `json:"role" enum:"owner,admin,member,viewer"`
	InvitedBy string     `json:"invited_by"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	Link      string     `json:"link,omitempty" doc:"Returned only when the invitation is created."`
	Mailed    bool       `json:"mailed,omitempty" doc:"Whether the link was mailed; only when the invitation is created."`
}

// AuditEvent is what somebody did, with where it was asked from.
type AuditEvent struct {
	Event
	Address string `json:"address,omitempty" doc:"IP address of the request."`
	Before  string `json:"before,omitempty" doc:"Value before the change."`
	After   string `json:"after,omitempty"`
}
