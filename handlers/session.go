package handlers

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	gorilla "github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// sessions keep the id of a session in a signed cookie, and nothing else in it.
type sessions struct {
	cookies *gorilla.CookieStore
	name    string
}

const sessionIDKey = "id"

// newSessions signs with the first key, and takes what was signed with any.
func newSessions(keys [][]byte, secure bool) *sessions {
	var pairs [][]byte
	for _, key := range keys {
		pairs = append(pairs, key, nil)
	}
	cookies := gorilla.NewCookieStore(pairs...)
	cookies.Options = &gorilla.Options{
		Path: "/", MaxAge: int(store.SessionLifetime.Seconds()), HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
	cookies.MaxAge(cookies.Options.MaxAge)
	return &sessions{cookies: cookies, name: cookieName("shopwright", secure)}
}

// cookieName is one that other hosts of our domain cannot set, where browsers know such.
func cookieName(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}

// id returns the session's id, empty when there is none or the cookie is not ours.
func (s *sessions) id(r *http.Request) string {
	session, err := s.cookies.Get(r, s.name)
	if err != nil {
		return ""
	}
	id, _ := session.Values[sessionIDKey].(string)
	return id
}

// set makes the browser keep that id; an empty one makes it forget.
func (s *sessions) set(c echo.Context, id string) error {
	session := gorilla.NewSession(s.cookies, s.name)
	options := *s.cookies.Options
	if id == "" {
		options.MaxAge = -1
	}
	session.Options = &options
	session.Values[sessionIDKey] = id
	return s.cookies.Save(c.Request(), c.Response(), session)
}

// visitor is the signed-in user behind a request.
type visitor struct {
	store.Session
	sessionID string
	since     int64 // an event that was there before the visitor's rights were read
	posts     bool  // whether the page answers a form
}

const visitorKey = "visitor"

func visitorOf(c echo.Context) visitor {
	v, _ := c.Get(visitorKey).(visitor)
	return v
}

// signedIn lets only signed-in users pass. Others are sent to sign in and come back afterwards. A
// form is kept meanwhile. Scripts are answered 401: they know what to do with their page.
func (a *App) signedIn(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, since := a.sessions.id(c.Request()), a.hub.Newest()
		session, err := a.DB.Session(c.Request().Context(), id)
		if store.ErrorCode(err) == store.NotFound {
			return a.sendToSignIn(c)
		}
		if err != nil {
			return err
		}
		if !isStream(c) { // which comes back by itself, whether anybody looks or not
			if err := a.DB.KeepSession(c.Request().Context(), session); err != nil && store.ErrorCode(err) != store.Unavailable {
				return err
			}
		}
		c.Response().Header().Set("Cache-Control", "no-store")
		session.Actor.Address = c.RealIP()
		c.Set(visitorKey, visitor{Session: session, sessionID: id, since: since, posts: c.Request().Method == http.MethodPost})
		return next(c)
	}
}

func (a *App) sendToSignIn(c echo.Context) error {
	switch {
	case isStream(c):
		return echo.NewHTTPError(http.StatusUnauthorized, "Sign in again.")
	case fromHTMX(c):
		return c.NoContent(http.StatusUnauthorized)
	case c.Request().Method == http.MethodPost:
		return a.keepForm(c)
	}
	target := "/sign-in"
	if next := c.Request().URL.RequestURI(); next != "/stores" {
		target += "?next=" + url.QueryEscape(next)
	}
	return c.Redirect(http.StatusSeeOther, target)
}

// keepForm answers a form that nobody signed in has sent with a page from which it can be sent
// again. Secrets are not kept.
func (a *App) keepForm(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	page := views.SignedOutPage{Action: c.Request().URL.EscapedPath(), Version: a.Version}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if isSecret(name) {
			continue
		}
		for _, value := range form[name] {
			page.Fields = append(page.Fields, views.Fact{Name: name, Value: value})
		}
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return render(c, http.StatusUnauthorized, views.SignedOut(page))
}

// isSecret reports whether a field of that name holds something that lets somebody in.
func isSecret(name string) bool {
	name = strings.ToLower(name)
	return name == "key" || strings.Contains(name, "password") || strings.Contains(name, "secret") || strings.Contains(name, "token")
}

// safeNext returns the path if it is one of ours, and the list of stores otherwise.
func safeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/stores"
	}
	return next
}

func fromHTMX(c echo.Context) bool { return c.Request().Header.Get("HX-Request") == "true" }
