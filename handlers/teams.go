package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/handlers/live"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// roleChoice returns a role with its label and description.
func roleChoice(r store.Role) views.Choice {
	c := views.Choice{Value: string(r)}
	switch r {
	case store.Owner:
		c.Label, c.Description = "Owner", "Full access. Manages other owners and can delete the team."
	case store.TeamAdmin:
		c.Label, c.Description = "Admin", "Member access. Also invites and removes people, and reads the audit log."
	case store.Member:
		c.Label, c.Description = "Member", "Creates, changes and deletes stores, and views their logins."
	case store.Viewer:
		c.Label, c.Description = "Viewer", "Views stores. Can’t change anything."
	}
	return c
}

// givable returns the roles that the actor may give in the team.
func givable(actor store.Actor, teamID string, selected store.Role) (roles []views.Choice) {
	if !actor.May(store.ManageMembers, teamID) {
		return nil
	}
	for _, r := range store.Roles() {
		if r != store.Owner || actor.May(store.ManageOwners, teamID) {
			c := roleChoice(r)
			c.Selected = r == selected
			roles = append(roles, c)
		}
	}
	return roles
}

func (a *App) listTeams(c echo.Context) error {
	ctx, who := c.Request().Context(), signin.VisitorOf(c)
	teams, err := a.DB.ListTeams(ctx, who.Actor)
	if err != nil {
		return err
	}
	shell, err := a.shell(ctx, who, "Teams", views.PlaceTeams)
	if err != nil {
		return err
	}
	page := views.TeamsPage{Shell: shell, Audit: who.Actor.MayAudit()}
	for _, t := range teams {
		page.Teams = append(page.Teams, views.TeamRow{
			ID: t.ID, Name: word(t.Name), Personal: t.Personal, Role: roleChoice(t.Role).Label, Members: t.Members, Stores: t.Stores,
		})
	}
	return reply.Render(c, http.StatusOK, views.Teams(page))
}

func (a *App) newTeam(c echo.Context) error {
	return a.newTeamPage(c, http.StatusOK, views.TeamNameForm{Key: formKey("")})
}

func (a *App) newTeamPage(c echo.Context, status int, form views.TeamNameForm) error {
	shell, err := a.shell(c.Request().Context(), signin.VisitorOf(c), "Create team", views.PlaceTeams)
	if err != nil {
		return err
	}
	return reply.Render(c, status, views.NewTeam(views.NewTeamPage{Shell: shell, Form: form}))
}

func (a *App) createTeam(c echo.Context) error {
	name := c.FormValue("name")
	id, err := a.makeTeam(c, name)
	if refused, ok := errors.AsType[*store.Error](err); ok {
		form := nameAgain(name, refused)
		form.Key = formKey(c.FormValue(views.FormKey))
		return a.newTeamPage(c, api.StatusOf(refused.Code), form)
	}
	if err != nil {
		return err
	}
	return reply.GoTo(c, teamPath(id))
}

// makeTeam returns the id of the new team, or of the one that the same form has created before.
func (a *App) makeTeam(c echo.Context, name string) (id string, err error) {
	ctx, who := c.Request().Context(), signin.VisitorOf(c)
	once, err := onceOf(c)
	if err != nil {
		return "", err
	}
	if once.Key != "" {
		return a.DB.CreateTeamOnce(ctx, who.Actor, name, once)
	}
	team, err := a.DB.CreateTeam(ctx, who.Actor, name)
	return team.ID, err
}

// nameAgain returns the form as typed, with the error.
func nameAgain(name string, refused *store.Error) views.TeamNameForm {
	form := views.TeamNameForm{Name: name}
	if refused.Field == "name" {
		form.Error = refused.Message
	} else {
		form.Problem = refused.Message
	}
	return form
}

func teamPath(id string) string { return "/teams/" + url.PathEscape(id) }

func (a *App) showTeam(c echo.Context) error {
	page, err := a.teamPage(c)
	if err != nil {
		return err
	}
	page.Issued = a.flashOf(c).Invitation
	return reply.Render(c, http.StatusOK, views.Team(page))
}

// teamPage returns the page of the team in the path, if the visitor is a member.
func (a *App) teamPage(c echo.Context) (views.TeamPage, error) {
	ctx, who := c.Request().Context(), signin.VisitorOf(c)
	t := teamView{App: a, who: who, id: c.Param("team")}
	info, err := a.DB.FindTeam(ctx, who.Actor, t.id)
	if err != nil {
		return views.TeamPage{}, err
	}
	page := views.TeamPage{Head: t.head(info)}
	if page.Members, err = t.members(ctx, info); err != nil {
		return page, err
	}
	if page.Invites, err = t.invites(ctx, info); err != nil {
		return page, err
	}
	if page.Shell, err = a.shell(ctx, who, info.Name, views.PlaceTeams); err != nil {
		return page, err
	}
	page.Shell.Stream = streamAddress(url.Values{"view": {"team"}, "id": {info.ID}}, who.Since)
	t.addForms(&page, info)
	return page, nil
}

// teamView renders what one visitor sees of a team.
type teamView struct {
	*App
	who signin.Visitor
	id  string
}

func (t teamView) may(action store.Action) bool { return t.who.Actor.May(action, t.id) }

func (t teamView) head(info store.TeamInfo) views.TeamHead {
	return views.TeamHead{
		ID: info.ID, Name: word(info.Name), Personal: info.Personal, Role: roleChoice(info.Role).Label,
		Stores: info.Stores, Members: info.Members, Audit: t.may(store.ViewAudit),
	}
}

func (t teamView) members(ctx context.Context, info store.TeamInfo) (views.TeamMembers, error) {
	members, err := t.DB.Members(ctx, t.who.Actor, t.id)
	if err != nil {
		return views.TeamMembers{}, err
	}
	shown := views.TeamMembers{TeamID: t.id, Full: t.may(store.ManageMembers)}
	for _, m := range members {
		row := views.TeamMember{
			UserID: m.UserID, Name: word(m.Name), Email: word(m.Email), You: m.UserID == t.who.User.ID, Role: roleChoice(m.Role), Since: m.Since,
		}
		if !info.Personal && (m.Role != store.Owner || t.may(store.ManageOwners)) {
			row.Roles = givable(t.who.Actor, t.id, m.Role)
			row.Remove = shown.Full && !row.You
		}
		shown.Rows = append(shown.Rows, row)
	}
	return shown, nil
}

// invites returns the pending invitations. It is nil if the visitor may not invite, and for a personal team.
func (t teamView) invites(ctx context.Context, info store.TeamInfo) (*views.TeamInvites, error) {
	shown := &views.TeamInvites{TeamID: t.id}
	if info.Personal || !t.may(store.ManageMembers) {
		return nil, nil //nolint:nilnil // the page then has no such part
	}
	pending, err := t.DB.Invitations(ctx, t.who.Actor, t.id)
	if err != nil {
		return nil, err
	}
	for _, i := range pending {
		shown.Rows = append(shown.Rows, views.TeamInvite{
			ID: i.ID, Email: word(i.Email), Role: roleChoice(i.Role).Label, InvitedBy: word(i.InvitedBy), ExpiresAt: i.ExpiresAt, Expired: i.Expired,
			Can: i.Role != store.Owner || t.may(store.ManageOwners),
		})
	}
	return shown, nil
}

func (t teamView) addForms(page *views.TeamPage, info store.TeamInfo) {
	page.Form = views.InviteForm{TeamID: t.id, Roles: givable(t.who.Actor, t.id, store.Member)}
	if t.may(store.RenameTeam) {
		page.Rename = &views.TeamNameForm{Name: info.Name}
	}
	if info.Personal {
		return
	}
	page.Leave = views.TeamLeave{TeamID: t.id, Can: true}
	if info.Role == store.Owner && otherOwners(page.Members) == 0 {
		page.Leave.Can, page.Leave.Why = false, "You’re the only owner. Make someone else an owner before you leave."
	}
	if t.may(store.ManageOwners) {
		page.Delete = &views.TeamDelete{TeamID: t.id, Name: info.Name}
		if info.Stores > 0 {
			page.Delete.Why = "The team still has stores. Delete them first."
		}
	}
}

func otherOwners(m views.TeamMembers) (n int) {
	for _, row := range m.Rows {
		if row.Role.Value == string(store.Owner) && !row.You {
			n++
		}
	}
	return n
}

// teamAgain answers a refused form of the team page with the page; fill adds the error to it. A visitor
// who may not see the page, or do this at all, gets only the error.
func (a *App) teamAgain(c echo.Context, err error, fill func(*views.TeamPage, *store.Error)) error {
	refused, ok := errors.AsType[*store.Error](err)
	if !ok || refused.Code == store.NotFound || refused.Code == store.Forbidden {
		return err
	}
	page, err := a.teamPage(c)
	if err != nil {
		return err
	}
	fill(&page, refused)
	return reply.Render(c, api.StatusOf(refused.Code), views.Team(page))
}

func problemOnTop(page *views.TeamPage, refused *store.Error) { page.Problem = refused.Message }

func (a *App) renameTeam(c echo.Context) error {
	name := c.FormValue("name")
	err := a.DB.RenameTeam(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("team"), name)
	if err != nil {
		return a.teamAgain(c, err, func(page *views.TeamPage, refused *store.Error) {
			form := nameAgain(name, refused)
			page.Problem, form.Problem, page.Rename = form.Problem, "", &form
		})
	}
	return reply.GoTo(c, teamPath(c.Param("team")))
}

func (a *App) changeRole(c echo.Context) error {
	err := a.DB.ChangeRole(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("team"), c.Param("user"), store.Role(c.FormValue("role")))
	if err != nil {
		return a.teamAgain(c, err, problemOnTop)
	}
	return reply.GoTo(c, teamPath(c.Param("team")))
}

func (a *App) removeMember(c echo.Context) error {
	err := a.DB.RemoveMember(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("team"), c.Param("user"))
	if err != nil {
		return a.teamAgain(c, err, problemOnTop)
	}
	return reply.GoTo(c, teamPath(c.Param("team")))
}

func (a *App) leaveTeam(c echo.Context) error {
	who := signin.VisitorOf(c)
	if err := a.DB.RemoveMember(c.Request().Context(), who.Actor, c.Param("team"), who.User.ID); err != nil {
		return a.teamAgain(c, err, problemOnTop)
	}
	return reply.GoTo(c, "/teams")
}

func (a *App) deleteTeam(c echo.Context) error {
	ctx, who, typed := c.Request().Context(), signin.VisitorOf(c), c.FormValue("confirm")
	info, err := a.DB.FindTeam(ctx, who.Actor, c.Param("team"))
	if err != nil {
		return err
	}
	if name, _ := store.CleanName(typed); name != info.Name && who.Actor.May(store.ManageOwners, info.ID) {
		err = &store.Error{Code: store.Invalid, Field: "confirm", Message: "The name doesn’t match. Type it exactly as shown above."}
	} else {
		err = a.DB.DeleteTeam(ctx, who.Actor, info.ID)
	}
	if err != nil {
		return a.teamAgain(c, err, func(page *views.TeamPage, refused *store.Error) {
			if refused.Field == "" || page.Delete == nil {
				page.Problem = refused.Message
				return
			}
			page.Delete.Typed, page.Delete.Error = typed, refused.Message
		})
	}
	return reply.GoTo(c, "/teams")
}

// liveTeam is the page of a team, without its forms.
type liveTeam struct {
	teamView
	onlyConnection
}

func (l *liveTeam) Concerns(e store.Event) live.Change {
	return live.Change{All: e.TeamID == l.id && (e.Audit || e.Kind == store.StoreDeleted)}
}

func (l *liveTeam) Parts(ctx context.Context, _ live.Change) ([]live.Part, error) {
	info, err := l.DB.FindTeam(ctx, l.who.Actor, l.id)
	if store.ErrorCode(err) == store.NotFound { // deleted: all who look at it are sent away
		return clusterParts(l.Provisioner.Cluster()), nil
	}
	if err != nil {
		return nil, err
	}
	members, err := l.members(ctx, info)
	if err != nil {
		return nil, err
	}
	parts := append(clusterParts(l.Provisioner.Cluster()),
		live.Part{Target: "team-head", Component: views.TeamTop(l.head(info))},
		live.Part{Target: "team-members", Component: views.TeamPeople(members)})
	invites, err := l.invites(ctx, info)
	if err == nil && invites != nil {
		parts = append(parts, live.Part{Target: "team-invitations", Component: views.TeamPending(*invites)})
	}
	return parts, err
}
