package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/views"
)

func (a *App) showAccount(c echo.Context) error {
	ctx, who := c.Request().Context(), visitorOf(c)
	shell, err := a.shell(ctx, who, "Account", views.PlaceAccount)
	if err != nil {
		return err
	}
	if refused := a.refusalOf(c); refused != "" {
		shell.Notices = append(shell.Notices, views.Notice{Kind: views.ToneBad, Message: plain(refused)})
	}
	page := views.AccountPage{Shell: shell, ExpiresAt: who.ExpiresAt, AddMethod: a.addMethodLinks(who)}
	if page.Sessions, err = a.openSessions(ctx, who); err != nil {
		return err
	}
	if page.Identities, err = a.identities(ctx, who); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Account(page))
}

func (a *App) openSessions(ctx context.Context, who visitor) ([]views.BrowserSession, error) {
	open, err := a.DB.Sessions(ctx, who.Actor, who.sessionID)
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

func (a *App) identities(ctx context.Context, who visitor) ([]views.Identity, error) {
	known, err := a.DB.Identities(ctx, who.Actor)
	if err != nil {
		return nil, err
	}
	var shown []views.Identity
	for _, i := range known {
		shown = append(shown, views.Identity{
			Provider: i.Provider, Subject: i.Subject, Label: a.labelOf(i.Provider), Email: word(i.Email), Verified: i.Verified, Since: i.LinkedAt,
		})
	}
	return shown, nil
}

// labelOf names a provider for people, which may be configured no longer.
func (a *App) labelOf(url string) string {
	for _, p := range a.providers {
		if p.URL == url {
			return p.Label
		}
	}
	return word(url)
}

func (a *App) endSession(c echo.Context) error {
	if err := a.DB.EndSession(c.Request().Context(), visitorOf(c).Actor, c.FormValue("session")); err != nil {
		return err
	}
	return goTo(c, "/account#sessions")
}

func (a *App) endOtherSessions(c echo.Context) error {
	who := visitorOf(c)
	if err := a.DB.EndOtherSessions(c.Request().Context(), who.Actor, who.sessionID); err != nil {
		return err
	}
	return goTo(c, "/account#sessions")
}
