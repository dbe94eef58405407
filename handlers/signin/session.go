package signin

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	gorilla "github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/reply"
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
	return &sessions{cookies: cookies, name: reply.CookieName("shopwright", secure)}
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

// Keep has the visitor's browser keep the session; an empty id makes it forget.
func (e *Entrance) Keep(c echo.Context, sessionID string) error { return e.sessions.set(c, sessionID) }

// Visitor is the signed-in user behind a request.
type Visitor struct {
	store.Session
	SessionID string
	Since     int64 // an event that was there before the visitor's rights were read
	Posts     bool  // whether the page answers a form
}

const visitorKey = "visitor"

// VisitorOf is who has sent the request, nobody where [Entrance.SignedIn] has let nobody pass.
func VisitorOf(c echo.Context) Visitor {
	v, _ := c.Get(visitorKey).(Visitor)
	return v
}

var errRightsChanged = &store.Error{Code: store.Forbidden, Message: "Your permissions have changed."}

// Recheck looks up again whether the visitor may read on, and returns when the session ends now. It fails when the
// session has ended, or when the user's roles are not those with which the request came.
func (e *Entrance) Recheck(ctx context.Context, who Visitor) (expiresAt time.Time, err error) {
	session, err := e.DB.Session(ctx, who.SessionID)
	if err != nil {
		return time.Time{}, err
	}
	if session.Actor.Admin != who.Actor.Admin || !maps.Equal(session.Actor.Roles, who.Actor.Roles) {
		return time.Time{}, errRightsChanged
	}
	return session.ExpiresAt, nil
}

// SignedIn lets only signed-in users pass. Others are sent to sign in and come back afterwards. A
// form is kept meanwhile. Scripts are answered 401: they know what to do with their page.
func (e *Entrance) SignedIn(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, since := e.sessions.id(c.Request()), e.Newest()
		session, err := e.DB.Session(c.Request().Context(), id)
		if store.ErrorCode(err) == store.NotFound {
			return e.sendToSignIn(c)
		}
		if err != nil {
			return err
		}
		if !e.IsStream(c) { // which comes back by itself, whether anybody looks or not
			if err := e.DB.KeepSession(c.Request().Context(), session); err != nil && store.ErrorCode(err) != store.Unavailable {
				return err
			}
		}
		c.Response().Header().Set("Cache-Control", "no-store")
		session.Actor.Address = c.RealIP()
		c.Set(visitorKey, Visitor{Session: session, SessionID: id, Since: since, Posts: c.Request().Method == http.MethodPost})
		return next(c)
	}
}

func (e *Entrance) sendToSignIn(c echo.Context) error {
	switch {
	case e.IsStream(c):
		return echo.NewHTTPError(http.StatusUnauthorized, "Sign in again.")
	case reply.FromHTMX(c):
		return c.NoContent(http.StatusUnauthorized)
	case c.Request().Method == http.MethodPost:
		return e.keepForm(c)
	}
	target := "/sign-in"
	if next := c.Request().URL.RequestURI(); next != "/stores" {
		target += "?next=" + url.QueryEscape(next)
	}
	return c.Redirect(http.StatusSeeOther, target)
}

// keepForm answers a form that nobody signed in has sent with a page from which it can be sent
// again. Secrets are not kept.
func (e *Entrance) keepForm(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	page := views.SignedOutPage{Action: c.Request().URL.EscapedPath(), Version: e.Version}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if isSecret(name) {
			continue
		}
		for _, value := range form[name] {
			page.Fields = append(page.Fields, views.Fact{Name: name, Value: value})
		}
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return reply.Render(c, http.StatusUnauthorized, views.SignedOut(page))
}

// isSecret reports whether a field of that name holds something that lets somebody in.
func isSecret(name string) bool {
	name = strings.ToLower(name)
	return name == "key" || strings.Contains(name, "password") || strings.Contains(name, "secret") || strings.Contains(name, "token")
}
