package store

import (
	"slices"
	"time"
)

// InvitationLifetime is how long an invitation can be accepted.
const InvitationLifetime = 7 * 24 * time.Hour

// NewInvitation asks somebody to join a team.
type NewInvitation struct {
	TeamID string
	Email  string // empty for a link that anybody may use, once
	Role   Role
}

// Invitation is a way into a team that can be used once.
type Invitation struct {
	ID        string
	TeamID    string
	Team      string // its name
	Email     string // empty for a link that anybody may use
	Role      Role
	InvitedBy string // a name
	CreatedAt time.Time
	ExpiresAt time.Time
	Expired   bool

	InviterID string
	Open      bool // not used and not taken back
}

// CheckFor returns an *Error if the invitation is for another address than those. They are
// somebody's who has been verified to have them.
func (i Invitation) CheckFor(verified ...string) error {
	if i.Email == "" || slices.ContainsFunc(verified, func(email string) bool { return Canonical(email) == i.Email }) {
		return nil
	}
	return &Error{Code: Forbidden, Message: "This invitation is for another email address. Sign in with the address it was sent to, or ask for an invitation to yours."}
}
