package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/views"
)

func (a *App) showAccount(c echo.Context) error {
	ctx, who := c.Request().Context(), signin.VisitorOf(c)
	shell, err := a.shell(ctx, who, "Account", views.PlaceAccount)
	if err != nil {
		return err
	}
	if refused := a.entrance.RefusalOf(c); refused != "" {
		shell.Notices = append(shell.Notices, views.Notice{Kind: views.ToneBad, Message: plain(refused)})
	}
	page := views.AccountPage{Shell: shell, ExpiresAt: who.ExpiresAt, AddMethod: a.entrance.AddMethodLinks(who)}
	if page.Sessions, err = a.openSessions(ctx, who); err != nil {
		return err
	}
	if page.Identities, err = a.identities(ctx, who); err != nil {
		return err
	}
	return reply.Render(c, http.StatusOK, views.Account(page))
}

func (a *App) openSessions(ctx context.Context, who signin.Visitor) ([]views.BrowserSession, error) {
	open, err := a.DB.Sessions(ctx, who.Actor, who.SessionID)
	if err != nil {
		return nil, err
	}
	var shown []views.BrowserSession
	for _, s := range open {
		shown = append(shown, views.BrowserSession{
			ID: s.ID, Device: device(s.Device), Address: word(s.Address), SignedIn: s.CreatedAt, Used: s.UsedAt, Current: s.Current,
		})
	}
	return shown, nil
}

func (a *App) identities(ctx context.Context, who signin.Visitor) ([]views.Identity, error) {
	known, err := a.DB.Identities(ctx, who.Actor)
	if err != nil {
		return nil, err
	}
	var shown []views.Identity
	for _, i := range known {
		shown = append(shown, views.Identity{
			Provider: i.Provider, Subject: i.Subject, Label: a.entrance.ProviderLabel(i.Provider), Email: word(i.Email), Verified: i.Verified, Since: i.LinkedAt,
		})
	}
	return shown, nil
}

func (a *App) endSession(c echo.Context) error {
	if err := a.DB.EndSession(c.Request().Context(), signin.VisitorOf(c).Actor, c.FormValue("session")); err != nil {
		return err
	}
	return reply.GoTo(c, "/account#sessions")
}

func (a *App) endOtherSessions(c echo.Context) error {
	who := signin.VisitorOf(c)
	if err := a.DB.EndOtherSessions(c.Request().Context(), who.Actor, who.SessionID); err != nil {
		return err
	}
	return reply.GoTo(c, "/account#sessions")
}
