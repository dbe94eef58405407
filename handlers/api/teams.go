package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/handlers/paging"
	"shopwright.dev/shopwright/store"
)

func (a *API) registerTeams() {
	register(a, operation{id: "list-members", method: http.MethodGet, path: "/teams/{team}/members", tag: tagTeams, scope: store.ReadTeam, summary: "List the members of a team"}, a.listMembers)
	register(a, operation{
		id: "change-role", method: http.MethodPut, path: "/teams/{team}/members/{user}", tag: tagTeams, scope: store.WriteTeam, status: http.StatusNoContent,
		summary: "Change the role of a member", description: "Only owners can grant or revoke the owner role.",
	}, a.changeRole)
	register(a, operation{
		id: "remove-member", method: http.MethodDelete, path: "/teams/{team}/members/{user}", tag: tagTeams, scope: store.WriteTeam, status: http.StatusNoContent,
		summary: "Remove a member", description: "Stores stay with the team. A team keeps at least one owner.",
	}, a.removeMember)
	register(a, operation{
		id: "list-invitations", method: http.MethodGet, path: "/teams/{team}/invitations", tag: tagTeams, scope: store.WriteTeam, summary: "List the pending invitations of a team",
	}, a.listInvitations)
	register(a, operation{
		id: "create-invitation", method: http.MethodPost, path: "/teams/{team}/invitations", tag: tagTeams, scope: store.WriteTeam, status: http.StatusCreated,
		summary: "Invite someone", description: "The response contains the link, only this once. Send it to the invitee unless mailed is true.",
	}, a.invite)
	register(a, operation{
		id: "revoke-invitation", method: http.MethodDelete, path: "/teams/{team}/invitations/{invitation}", tag: tagTeams, scope: store.WriteTeam, status: http.StatusNoContent, summary: "Revoke an invitation",
	}, a.revokeInvitation)
	register(a, operation{
		id: "list-audit", method: http.MethodGet, path: "/audit", tag: tagTeams, scope: store.ReadTeam, summary: "Read the audit log",
		description: "Newest first: who did what, and from which IP address. For owners and admins of the team. For the next page, send the value of next as before.",
	}, a.listAudit)
}

// TeamInput names a team in the address.
type TeamInput struct {
	Team string `path:"team" doc:"The team’s ID."`
}

type membersOutput struct {
	Body struct {
		Members []v1.Teammate `json:"members" nullable:"false"`
	}
}

func (a *API) listMembers(ctx context.Context, in *TeamInput) (*membersOutput, error) {
	members, err := a.DB.Members(ctx, actorOf(ctx), in.Team)
	out := &membersOutput{}
	out.Body.Members = []v1.Teammate{}
	for _, m := range members {
		out.Body.Members = append(out.Body.Members, v1.Teammate{ID: m.UserID, Name: word(m.Name), Email: word(m.Email), Role: m.Role, Since: m.Since})
	}
	return out, err
}

// MemberInput names a member in the address.
type MemberInput struct {
	TeamInput
	User string `path:"user" doc:"The user’s ID."`
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

func invitationOf(i store.Invitation) v1.Invitation {
	return v1.Invitation{ID: i.ID, Email: word(i.Email), Role: i.Role, InvitedBy: word(i.InvitedBy), CreatedAt: i.CreatedAt, ExpiresAt: i.ExpiresAt}
}

type invitationsOutput struct {
	Body struct {
		Invitations []v1.Invitation `json:"invitations" nullable:"false"`
	}
}

func (a *API) listInvitations(ctx context.Context, in *TeamInput) (*invitationsOutput, error) {
	invitations, err := a.DB.Invitations(ctx, actorOf(ctx), in.Team)
	out := &invitationsOutput{}
	out.Body.Invitations = []v1.Invitation{}
	for _, i := range invitations {
		out.Body.Invitations = append(out.Body.Invitations, invitationOf(i))
	}
	return out, err
}

type inviteInput struct {
	TeamInput
	Body struct {
		Email string     `json:"email,omitempty" maxLength:"300" example:"mara@example.com" doc:"Invitee; by default, the first person with the link."`
		Role  store.Role `json:"role" enum:"owner,admin,member,viewer"`
	}
}

type inviteOutput struct {
	Body v1.Invitation
}

func (a *API) invite(ctx context.Context, in *inviteInput) (*inviteOutput, error) {
	made, secret, err := a.DB.Invite(ctx, actorOf(ctx), store.NewInvitation{TeamID: in.Team, Email: in.Body.Email, Role: in.Body.Role})
	if err != nil {
		return nil, err
	}
	out := &inviteOutput{Body: invitationOf(made)}
	out.Body.Link, out.Body.Mailed = a.Invited(ctx, actorOf(ctx), made, secret)
	return out, nil
}

type invitationInput struct {
	TeamInput
	Invitation string `path:"invitation" doc:"The invitation’s ID."`
}

func (a *API) revokeInvitation(ctx context.Context, in *invitationInput) (*struct{}, error) {
	return nil, a.DB.RevokeInvitation(ctx, actorOf(ctx), in.Team, in.Invitation)
}

type auditInput struct {
	Person string           `query:"person" maxLength:"200" doc:"Text in the name of the person or token; case-insensitive."`
	Group  store.AuditGroup `query:"group" enum:"stores,credentials,teams,sign-ins,tokens,installation"`
	Team   string           `query:"team" maxLength:"40"`
	Object string           `query:"object" maxLength:"200" doc:"Text in the object’s name; case-insensitive."`
	From   time.Time        `query:"from" doc:"Start time, inclusive."`
	Until  time.Time        `query:"until" doc:"End time, exclusive."`
	Before int64            `query:"before" minimum:"1" doc:"Only events before the one with this number."`
	Limit  int              `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type auditOutput struct {
	Body struct {
		Events []v1.AuditEvent `json:"events" nullable:"false"`
		Next   string          `json:"next,omitempty" doc:"Value of before for the next page; absent on the last page."`
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
	out.Body.Events = []v1.AuditEvent{}
	events, more := paging.Cut(events, in.Limit)
	if more {
		out.Body.Next = strconv.FormatInt(events[in.Limit-1].Number, 10)
	}
	for _, e := range events {
		out.Body.Events = append(out.Body.Events, v1.AuditEvent{Event: eventOf(e), Address: e.Address, Before: word(e.Data.Before), After: word(e.Data.After)})
	}
	return out, nil
}
