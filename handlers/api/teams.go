package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"shopwright.dev/shopwright/store"
)

func (a *API) registerTeams() {
	register(a, operation{id: "list-members", method: http.MethodGet, path: "/teams/{team}/members", tag: tagTeams, scope: store.ReadTeam, summary: "List who is in a team"}, a.listMembers)
	register(a, operation{
		id: "change-role", method: http.MethodPut, path: "/teams/{team}/members/{user}", tag: tagTeams, scope: store.WriteTeam, status: http.StatusNoContent,
		summary: "Change the role of a member", description: "Only an owner makes another owner, or takes that role away.",
	}, a.changeRole)
	register(a, operation{
		id: "remove-member", method: http.MethodDelete, path: "/teams/{team}/members/{user}", tag: tagTeams, scope: store.WriteTeam, status: http.StatusNoContent,
		summary: "Remove a member", description: "Stores stay: they are the team’s. A team keeps at least one owner.",
	}, a.removeMember)
	register(a, operation{
		id: "list-invitations", method: http.MethodGet, path: "/teams/{team}/invitations", tag: tagTeams, scope: store.WriteTeam, summary: "List the invitations to a team that are pending",
	}, a.listInvitations)
	register(a, operation{
		id: "create-invitation", method: http.MethodPost, path: "/teams/{team}/invitations", tag: tagTeams, scope: store.WriteTeam, status: http.StatusCreated,
		summary: "Invite somebody", description: "The link in the answer is told this once. Send it to whom it is for, unless mailed says that it is on its way.",
	}, a.invite)
	register(a, operation{
		id: "revoke-invitation", method: http.MethodDelete, path: "/teams/{team}/invitations/{invitation}", tag: tagTeams, scope: store.WriteTeam, status: http.StatusNoContent, summary: "Take an invitation back",
	}, a.revokeInvitation)
	register(a, operation{
		id: "list-audit", method: http.MethodGet, path: "/audit", tag: tagTeams, scope: store.ReadTeam, summary: "Read the audit log",
		description: "Newest first: who did what, and from which address. For owners and admins of the team. Send next as before for older ones.",
	}, a.listAudit)
}

// TeamInput names a team in the address.
type TeamInput struct {
	Team string `path:"team" doc:"The team’s id."`
}

// Teammate is somebody in a team.
type Teammate struct {
	ID    string     `json:"id" doc:"The user’s id."`
	Name  string     `json:"name"`
	Email string     `json:"email,omitempty" doc:"Only for those who manage members."`
	Role  store.Role `json:"role" enum:"owner,admin,member,viewer"`
	Since time.Time  `json:"since"`
}

type membersOutput struct {
	Body struct {
		Members []Teammate `json:"members" nullable:"false"`
	}
}

func (a *API) listMembers(ctx context.Context, in *TeamInput) (*membersOutput, error) {
	members, err := a.DB.Members(ctx, actorOf(ctx), in.Team)
	out := &membersOutput{}
	out.Body.Members = []Teammate{}
	for _, m := range members {
		out.Body.Members = append(out.Body.Members, Teammate{ID: m.UserID, Name: word(m.Name), Email: word(m.Email), Role: m.Role, Since: m.Since})
	}
	return out, err
}

// MemberInput names a member in the address.
type MemberInput struct {
	TeamInput
	User string `path:"user" doc:"The user’s id."`
}

type roleInput struct {
	MemberInput
	Body struct {
		Role store.Role `json:"role" enum:"owner,admin,member,viewer"`
	}
}

func (a *API) changeRole(ctx context.Context, in *roleInput) (*struct{}, error) {
	return nil, a.DB.ChangeRole(ctx, actorOf(ctx), in.Team, in.User, in.Body.Role)
}

func (a *API) removeMember(ctx context.Context, in *MemberInput) (*struct{}, error) {
	return nil, a.DB.RemoveMember(ctx, actorOf(ctx), in.Team, in.User)
}

// Invitation is a way into a team that can be used once.
type Invitation struct {
	ID        string     `json:"id"`
	Email     string     `json:"email,omitempty" doc:"Whom it is for; anybody with the link when it is missing."`
	Role      store.Role `json:"role" enum:"owner,admin,member,viewer"`
	InvitedBy string     `json:"invited_by"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	Link      string     `json:"link,omitempty" doc:"Told when the invitation is made, and never again."`
	Mailed    bool       `json:"mailed,omitempty" doc:"Whether the link is on its way to the address, when the invitation is made."`
}

func invitationOf(i store.Invitation) Invitation {
	return Invitation{ID: i.ID, Email: word(i.Email), Role: i.Role, InvitedBy: word(i.InvitedBy), CreatedAt: i.CreatedAt, ExpiresAt: i.ExpiresAt}
}

type invitationsOutput struct {
	Body struct {
		Invitations []Invitation `json:"invitations" nullable:"false"`
	}
}

func (a *API) listInvitations(ctx context.Context, in *TeamInput) (*invitationsOutput, error) {
	invitations, err := a.DB.Invitations(ctx, actorOf(ctx), in.Team)
	out := &invitationsOutput{}
	out.Body.Invitations = []Invitation{}
	for _, i := range invitations {
		out.Body.Invitations = append(out.Body.Invitations, invitationOf(i))
	}
	return out, err
}

type inviteInput struct {
	TeamInput
	Body struct {
		Email string     `json:"email,omitempty" maxLength:"300" example:"mara@example.com" doc:"Whom it is for; a link for anybody, once, when it is missing."`
		Role  store.Role `json:"role" enum:"owner,admin,member,viewer"`
	}
}

type inviteOutput struct {
	Body Invitation
}

func (a *API) invite(ctx context.Context, in *inviteInput) (*inviteOutput, error) {
	made, secret, err := a.DB.Invite(ctx, actorOf(ctx), store.NewInvitation{TeamID: in.Team, Email: in.Body.Email, Role: in.Body.Role})
	if err != nil {
		return nil, err
	}
	out := &inviteOutput{Body: invitationOf(made)}
	out.Body.Link, out.Body.Mailed = a.Invited(ctx, made, secret)
	return out, nil
}

type invitationInput struct {
	TeamInput
	Invitation string `path:"invitation" doc:"The invitation’s id."`
}

func (a *API) revokeInvitation(ctx context.Context, in *invitationInput) (*struct{}, error) {
	return nil, a.DB.RevokeInvitation(ctx, actorOf(ctx), in.Team, in.Invitation)
}

type auditInput struct {
	Person string           `query:"person" maxLength:"200" doc:"Found in the name of the person or of the token, whatever the case."`
	Group  store.AuditGroup `query:"group" enum:"stores,credentials,teams,sign-ins,tokens,installation"`
	Team   string           `query:"team" maxLength:"40"`
	Object string           `query:"object" maxLength:"200" doc:"Found in the object’s name, whatever the case."`
	From   time.Time        `query:"from" doc:"The first moment."`
	Until  time.Time        `query:"until" doc:"The first moment that is not asked for."`
	Before int64            `query:"before" minimum:"1" doc:"Only what was written before the event of that number."`
	Limit  int              `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

// AuditEvent is what somebody did, with where it was asked from.
type AuditEvent struct {
	Event
	Address string `json:"address,omitempty" doc:"IP address that it was asked from."`
	Before  string `json:"before,omitempty" doc:"What was changed, before."`
	After   string `json:"after,omitempty"`
}

type auditOutput struct {
	Body struct {
		Events []AuditEvent `json:"events" nullable:"false"`
		Next   string       `json:"next,omitempty" doc:"What to send as before for the following page; absent on the last."`
	}
}

func (a *API) listAudit(ctx context.Context, in *auditInput) (*auditOutput, error) {
	events, err := a.DB.Audit(ctx, actorOf(ctx), store.AuditQuery{
		Person: in.Person, Group: in.Group, TeamID: in.Team, Object: in.Object, From: in.From, Until: in.Until, Before: in.Before, Limit: in.Limit + 1,
	})
	if err != nil {
		return nil, err
	}
	out := &auditOutput{}
	out.Body.Events = []AuditEvent{}
	if len(events) > in.Limit {
		events = events[:in.Limit]
		out.Body.Next = strconv.FormatInt(events[in.Limit-1].Number, 10)
	}
	for _, e := range events {
		out.Body.Events = append(out.Body.Events, AuditEvent{Event: eventOf(e), Address: e.Address, Before: word(e.Data.Before), After: word(e.Data.After)})
	}
	return out, nil
}
