package signin

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// ShowPage shows the sign-in page, or leads those on who are signed in already.
func (e *Entrance) ShowPage(c echo.Context) error {
	next := reply.SafeNext(c.QueryParam("next"))
	_, err := e.DB.Session(c.Request().Context(), e.sessions.id(c.Request()))
	refused := e.RefusalOf(c)
	again := signsInAgain(c.Request())
	if err == nil && refused == "" && !again {
		return c.Redirect(http.StatusSeeOther, next)
	}
	if err != nil && store.ErrorCode(err) != store.NotFound {
		return err
	}
	page := views.SignInPage{Providers: e.providerLinks(), DevLogin: e.DevLogin, Next: next, Again: again, Problem: refused, Version: e.Version}
	switch {
	case refused != "":
	case c.QueryParam("signed-out") != "":
		page.Notice = "You are signed out."
	case again:
		page.Notice = "Sign in again to change your sign-in methods or sessions."
	case c.QueryParam("next") != "":
		page.Notice = "Sign in to continue."
	}
	return reply.Render(c, http.StatusOK, views.SignIn(page))
}

// LoginLinkPath is where login links lead.
const LoginLinkPath = "/sign-in/link"

// LoginLink is the address at which the secret of a login link can be used.
func LoginLink(baseURL, secret string) string {
	return baseURL + LoginLinkPath + "?" + url.Values{"key": {secret}}.Encode()
}

// OpenLoginLink shows a button: a program that looks at links before a person does must not
// use one up.
func (e *Entrance) OpenLoginLink(c echo.Context) error {
	return e.loginLinkPage(c, http.StatusOK, "")
}

func (e *Entrance) loginLinkPage(c echo.Context, status int, problem string) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	return reply.Render(c, status, views.LoginLink(views.LoginLinkPage{Key: c.FormValue("key"), Problem: problem, Version: e.Version}))
}

// SignInByLink uses a login link up.
func (e *Entrance) SignInByLink(c echo.Context) error {
	id, err := e.DB.SignInByLink(c.Request().Context(), c.FormValue("key"), e.browserOf(c))
	if refused, known := errors.AsType[*store.Error](err); known && refused.Code == store.Forbidden {
		return e.loginLinkPage(c, http.StatusForbidden, refused.Message)
	}
	if err != nil {
		return err
	}
	if err := e.Keep(c, id); err != nil {
		return err
	}
	return reply.GoTo(c, "/stores")
}

func (e *Entrance) browserOf(c echo.Context) store.Browser {
	return store.Browser{Device: legible.Word(c.Request().UserAgent()), Address: c.RealIP(), Session: e.sessions.id(c.Request())}
}

// SignInAsDeveloper lets anybody in who can reach a loopback address of this machine.
func (e *Entrance) SignInAsDeveloper(c echo.Context) error {
	if !e.DevLogin {
		return echo.ErrNotFound
	}
	id, err := e.DB.SignInAsAdministrator(c.Request().Context(),
		store.Identity{Provider: "development login", Subject: "developer", Name: "Developer", Email: "developer@localhost"},
		e.browserOf(c))
	if err != nil {
		return err
	}
	if err := e.Keep(c, id); err != nil {
		return err
	}
	return reply.GoTo(c, reply.SafeNext(c.FormValue("next")))
}

// SignOut ends the session.
func (e *Entrance) SignOut(c echo.Context) error {
	if id := e.sessions.id(c.Request()); id != "" {
		if err := e.DB.SignOut(c.Request().Context(), id, c.RealIP()); err != nil {
			return err
		}
	}
	if err := e.Keep(c, ""); err != nil {
		return err
	}
	return reply.GoTo(c, "/sign-in?signed-out=1")
}
