package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner/notify"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

const invitationPath = "/invitations"

// InvitationLink returns the URL at which the secret of an invitation can be used.
func InvitationLink(baseURL, secret string) string {
	return baseURL + invitationPath + "?" + url.Values{"key": {secret}}.Encode()
}

func (a *App) invite(c echo.Context) error {
	n := store.NewInvitation{TeamID: c.Param("team"), Email: c.FormValue("email"), Role: store.Role(c.FormValue("role"))}
	inv, secret, err := a.DB.Invite(c.Request().Context(), signin.VisitorOf(c).Actor, n)
	if err != nil {
		return a.teamAgain(c, err, func(page *views.TeamPage, refused *store.Error) {
			page.Form.Email, page.Form.Problem = n.Email, refused.Message
			page.Form.Roles = givable(signin.VisitorOf(c).Actor, n.TeamID, n.Role)
			if refused.Field == "email" {
				page.Form.Error, page.Form.Problem = refused.Message, ""
			}
		})
	}
	return a.announce(c, inv, secret)
}

func (a *App) renewInvitation(c echo.Context) error {
	inv, secret, err := a.DB.RenewInvitation(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("team"), c.Param("invitation"))
	if err != nil {
		return a.teamAgain(c, err, problemOnTop)
	}
	return a.announce(c, inv, secret)
}

// announce shows an invitation that was just created or renewed. The link is stored nowhere: only the
// next page and the mail have it.
func (a *App) announce(c echo.Context, inv store.Invitation, secret string) error {
	issued := &views.IssuedInvitation{Email: word(inv.Email), Role: roleChoice(inv.Role).Label, Link: InvitationLink(a.BaseURL, secret)}
	issued.Mailed, issued.Unmailed = a.mailInvitation(c.Request().Context(), signin.VisitorOf(c).Actor, inv, issued.Link)
	return a.goToOnce(c, teamPath(inv.TeamID), flash{Invitation: issued})
}

// tellInvited mails the invitation, if it has an address and mail is configured. It returns the link, and
// whether the mail was sent.
func (a *App) tellInvited(ctx context.Context, who store.Actor, inv store.Invitation, secret string) (link string, mailed bool) {
	link = InvitationLink(a.BaseURL, secret)
	mailed, _ = a.mailInvitation(ctx, who, inv, link)
	return link, mailed
}

// mailInvitation sends the mail and reports whether it did, or why not if it should have.
func (a *App) mailInvitation(ctx context.Context, who store.Actor, inv store.Invitation, link string) (mailed bool, unmailed string) {
	if inv.Email == "" || a.Mail == nil {
		return false, ""
	}
	counted, err := a.DB.CountInvitationMail(ctx, who, inv.TeamID, inv.ID)
	if refused, ok := errors.AsType[*store.Error](err); ok && refused.Code == store.Limited {
		return false, "The invitation wasn’t mailed: " + refused.Message + " Send the link yourself."
	}
	if err == nil {
		if err = a.sendInvitation(ctx, inv, link); err != nil {
			err = errors.Join(err, a.DB.UncountInvitationMail(ctx, who, counted))
		}
	}
	if err != nil {
		a.Log.Warn("invitation mail not sent", "team", inv.TeamID, "error", err)
		return false, "The mail couldn’t be sent. Send the link yourself, or renew the invitation later."
	}
	return true, ""
}

func (a *App) sendInvitation(ctx context.Context, inv store.Invitation, link string) error {
	message, err := notify.Invite(notify.Invitation{Email: inv.Email, Team: inv.Team, Role: inv.Role, From: inv.InvitedBy, Link: link})
	if err != nil {
		return err
	}
	return a.Mail.Send(ctx, message)
}

func (a *App) revokeInvitation(c echo.Context) error {
	err := a.DB.RevokeInvitation(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("team"), c.Param("invitation"))
	if err != nil {
		return a.teamAgain(c, err, problemOnTop)
	}
	return reply.GoTo(c, teamPath(c.Param("team")))
}

// showInvitation shows the invitation with a button: a program that follows links, such as a mail
// scanner, must not use it up.
func (a *App) showInvitation(c echo.Context) error {
	inv, err := a.DB.InvitationFor(c.Request().Context(), signin.VisitorOf(c).Actor, c.QueryParam("key"))
	return a.invitationPage(c, http.StatusOK, inv, err)
}

func (a *App) acceptInvitation(c echo.Context) error {
	team, err := a.DB.AcceptInvitation(c.Request().Context(), signin.VisitorOf(c).Actor, c.FormValue("key"))
	if err != nil {
		return a.invitationPage(c, http.StatusOK, store.Invitation{}, err)
	}
	return reply.GoTo(c, teamPath(team.ID))
}

// invitationPage describes the invitation, or says why it cannot be used.
func (a *App) invitationPage(c echo.Context, status int, inv store.Invitation, err error) error {
	who := signin.VisitorOf(c)
	page := views.InvitationPage{
		Key: c.FormValue("key"), Team: word(inv.Team), Role: roleChoice(inv.Role), InvitedBy: word(inv.InvitedBy),
		User: views.User{Name: word(who.User.Name)}, Version: a.Version,
	}
	if err != nil {
		refused, ok := errors.AsType[*store.Error](err)
		if !ok || refused.Code == store.Unavailable {
			return err
		}
		status, page.Problem, page.Other = api.StatusOf(refused.Code), refused.Message, refused.Code == store.Forbidden
	}
	return reply.Render(c, status, views.Invitation(page))
}

// invited reports whether the sign-in leads to a valid invitation for that person, which lets the person
// in even if the settings do not.
func (a *App) invited(ctx context.Context, next string, who store.Identity) (bool, error) {
	page, err := url.Parse(next)
	if err != nil || page.Path != invitationPath {
		return false, nil //nolint:nilerr // an invalid URL leads to no invitation
	}
	inv, err := a.DB.OpenInvitation(ctx, page.Query().Get("key"))
	if _, refused := errors.AsType[*store.Error](err); refused && store.ErrorCode(err) != store.Unavailable {
		return false, nil
	}
	return err == nil && (inv.Email == "" || who.Verified && inv.CheckFor(who.Email) == nil), err
}
