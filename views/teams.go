package views

import (
	"net/url"
	"time"

	"github.com/a-h/templ"
)

// TeamsPage lists the teams of the user.
type TeamsPage struct {
	Shell Shell
	Teams []TeamRow
	Audit bool // whether the user may read an audit log
}

// TeamRow is a team in the list.
type TeamRow struct {
	ID       string
	Name     string
	Personal bool
	Role     string // of the user
	Members  int
	Stores   int
}

// NewTeamPage asks for the name of a new team.
type NewTeamPage struct {
	Shell Shell
	Form  TeamNameForm
}

// TeamNameForm is a team's name, as typed so far.
type TeamNameForm struct {
	Key     string // see FormKey; only in the form for a new team
	Name    string
	Error   string
	Problem string // what is wrong with the request as a whole
}

// TeamPage is a team with everything that the user may see and do there.
type TeamPage struct {
	Shell   Shell
	Head    TeamHead
	Members TeamMembers
	Invites *TeamInvites // nil if the user may not invite
	Form    InviteForm
	Issued  *IssuedInvitation // the invitation that was just created
	Rename  *TeamNameForm     // nil if the user may not
	Leave   TeamLeave
	Delete  *TeamDelete // nil if the user may not
	Problem string      // why a change was refused
}

// TeamHead is the top of a team's page.
type TeamHead struct {
	ID       string
	Name     string
	Personal bool
	Role     string // of the user
	Stores   int
	Members  int
	Audit    bool // whether the user may read its log
}

// TeamMembers are the members of a team.
type TeamMembers struct {
	TeamID string
	Rows   []TeamMember
	Full   bool // whether addresses and times are shown
}

// TeamMember is a member of a team.
type TeamMember struct {
	UserID string
	Name   string
	Email  string
	You    bool
	Role   Choice
	Roles  []Choice // that can be given; empty if the role cannot be changed
	Since  time.Time
	Remove bool // whether the user may remove this member
}

// TeamInvites are the pending invitations of a team.
type TeamInvites struct {
	TeamID string
	Rows   []TeamInvite
}

// TeamInvite is a pending invitation.
type TeamInvite struct {
	ID        string
	Email     string // empty for a link
	Role      string
	InvitedBy string
	ExpiresAt time.Time
	Expired   bool
	Can       bool // whether the user may renew and revoke it
}

// Label says whom the invitation is for.
func (i TeamInvite) Label() string {
	if i.Email == "" {
		return "Anyone with the link"
	}
	return i.Email
}

// InviteForm is the form for an invitation.
type InviteForm struct {
	TeamID  string
	Email   string
	Error   string
	Roles   []Choice
	Problem string
}

// IssuedInvitation is a new invitation with its link, which is shown only once.
type IssuedInvitation struct {
	Mailed   bool   // to the address
	Unmailed string // why it was not mailed, if it should have been
	Email    string
	Role     string
	Link     string
}

// TeamLeave says whether the user may leave a team, and why not.
type TeamLeave struct {
	TeamID string
	Can    bool
	Why    string // empty if there is nothing to say
}

// TeamDelete asks for the name of the team to delete.
type TeamDelete struct {
	TeamID string
	Name   string
	Typed  string
	Error  string
	Why    string // why it cannot be deleted now
}

// InvitationPage is the page of an invitation link.
type InvitationPage struct {
	Key       string
	Team      string
	Role      Choice
	InvitedBy string
	User      User
	Problem   string // why it cannot be used
	Other     bool   // whether another account could use it
	Version   string
}

const glyphUsers glyph = `<path d="M16 21v-2a4 4 0 0 0-4-4H6a4 4 0 0 0-4 4v2"/><path d="M16 3.128a4 4 0 0 1 0 7.744"/><path d="M22 21v-2a4 4 0 0 0-3-3.87"/><circle cx="9" cy="7" r="4"/>`

// inviteLinkID is the id of the element with the link to copy.
const inviteLinkID = "invitation-link"

func teamURL(id string, more ...string) templ.SafeURL {
	path := "/teams/" + url.PathEscape(id)
	for _, part := range more {
		path += "/" + url.PathEscape(part)
	}
	return templ.SafeURL(path)
}

func teamAuditURL(id string) templ.SafeURL {
	return templ.SafeURL("/audit?" + url.Values{"team": {id}}.Encode())
}

func teamStoresURL(id string) templ.SafeURL {
	return templ.SafeURL("/stores?" + url.Values{"team": {id}}.Encode())
}
