package handlers

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

func (a *App) signIn(c echo.Context) error {
	next := safeNext(c.QueryParam("next"))
	_, err := a.DB.Session(c.Request().Context(), a.sessions.id(c.Request()))
	refused := a.refusalOf(c)
	again := signsInAgain(c.Request())
	if err == nil && refused == "" && !again {
		return c.Redirect(http.StatusSeeOther, next)
	}
	if err != nil && store.ErrorCode(err) != store.NotFound {
		return err
	}
	page := views.SignInPage{Providers: a.providerLinks(), DevLogin: a.DevLogin, Next: next, Again: again, Problem: refused, Version: a.Version}
	switch {
	case refused != "":
	case c.QueryParam("signed-out") != "":
		page.Notice = "You are signed out."
	case again:
		page.Notice = "Sign in again to change your sign-in methods or sessions."
	case c.QueryParam("next") != "":
		page.Notice = "Sign in to continue."
	}
	return render(c, http.StatusOK, views.SignIn(page))
}

const loginLinkPath = "/sign-in/link"

// LoginLink is the address at which the secret of a login link can be used.
func LoginLink(baseURL, secret string) string {
	return baseURL + loginLinkPath + "?" + url.Values{"key": {secret}}.Encode()
}

// openLoginLink shows a button: a program that looks at links before a person does must not
// use one up.
func (a *App) openLoginLink(c echo.Context) error {
	return a.loginLinkPage(c, http.StatusOK, "")
}

func (a *App) loginLinkPage(c echo.Context, status int, problem string) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	return render(c, status, views.LoginLink(views.LoginLinkPage{Key: c.FormValue("key"), Problem: problem, Version: a.Version}))
}

func (a *App) signInByLink(c echo.Context) error {
	id, err := a.DB.SignInByLink(c.Request().Context(), c.FormValue("key"), a.browserOf(c))
	if refused, known := errors.AsType[*store.Error](err); known && refused.Code == store.Forbidden {
		return a.loginLinkPage(c, http.StatusForbidden, refused.Message)
	}
	if err != nil {
		return err
	}
	if err := a.sessions.set(c, id); err != nil {
		return err
	}
	return goTo(c, "/stores")
}

func (a *App) browserOf(c echo.Context) store.Browser {
	return store.Browser{Device: word(c.Request().UserAgent()), Address: c.RealIP(), Session: a.sessions.id(c.Request())}
}

// signInAsDeveloper lets anybody in who can reach a loopback address of this machine.
func (a *App) signInAsDeveloper(c echo.Context) error {
	if !a.DevLogin {
		return echo.ErrNotFound
	}
	id, err := a.DB.SignInAsAdministrator(c.Request().Context(),
		store.Identity{Provider: "development login", Subject: "developer", Name: "Developer", Email: "developer@localhost"},
		a.browserOf(c))
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
		if err := a.DB.SignOut(c.Request().Context(), id, c.RealIP()); err != nil {
			return err
		}
	}
	if err := a.sessions.set(c, ""); err != nil {
		return err
	}
	return goTo(c, "/sign-in?signed-out=1")
}
