package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

func (a *App) signIn(c echo.Context) error {
	next := safeNext(c.QueryParam("next"))
	_, err := a.DB.Session(c.Request().Context(), a.sessions.id(c.Request()))
	if err == nil {
		return c.Redirect(http.StatusSeeOther, next)
	}
	if store.ErrorCode(err) != store.NotFound {
		return err
	}
	page := views.SignInPage{DevLogin: a.DevLogin, Next: next, Version: a.Version}
	switch {
	case c.QueryParam("signed-out") != "":
		page.Notice = "You are signed out."
	case c.QueryParam("next") != "":
		page.Notice = "Sign in to go on."
	}
	return render(c, http.StatusOK, views.SignIn(page))
}

// signInAsDeveloper lets anybody in who can reach a loopback address of this machine.
func (a *App) signInAsDeveloper(c echo.Context) error {
	if !a.DevLogin {
		return echo.ErrNotFound
	}
	id, err := a.DB.SignIn(c.Request().Context(),
		store.Identity{Provider: "development login", Subject: "developer", Name: "Developer", Email: "developer@localhost"},
		store.Browser{Device: word(c.Request().UserAgent()), Address: c.RealIP()})
	if err != nil {
		return err
	}
	if err := a.sessions.set(c, id); err != nil {
		return err
	}
	return goTo(c, safeNext(c.FormValue("next")))
}

func (a *App) signOut(c echo.Context) error {
	if id := a.sessions.id(c.Request()); id != "" {
		if err := a.DB.SignOut(c.Request().Context(), id); err != nil {
			return err
		}
	}
	if err := a.sessions.set(c, ""); err != nil {
		return err
	}
	return goTo(c, "/sign-in?signed-out=1")
}
