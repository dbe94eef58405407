package handlers

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/store"
)

// SetWriteTimeout sets how long a stream waits for a reader who has stopped reading.
func (a *App) SetWriteTimeout(d time.Duration) { a.hub.WriteTimeout = d }

// SetHeartbeat sets how often a stream gives a sign of life.
func (a *App) SetHeartbeat(d time.Duration) { a.hub.Heartbeat = d }

// Routes are the routes of what [App.Handler] returns, each as its method and path.
func Routes(h http.Handler) []string {
	e, ok := h.(pages)
	if !ok {
		return nil
	}
	var all []string
	for _, r := range e.Routes() {
		if r.Method != echo.RouteNotFound {
			all = append(all, r.Method+" "+r.Path)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Need is what a route requires of a visitor.
type Need = need

// Needs is the table of routes: what each of them needs, by its method and path.
func Needs() map[string]Need {
	needs := map[string]Need{}
	for _, r := range (&App{}).routes() {
		needs[r.line] = r.need
	}
	return needs
}

// OnInstallation is the need of a route about the installation.
func OnInstallation(action store.Action) Need { return onInstallation(action) }

// InTeam is the need of a route about something of a team.
func InTeam(action store.Action) Need { return inTeam(action) }

// Cookie is what a browser with that session sends.
func (a *App) Cookie(sessionID string) (*http.Cookie, error) {
	answer := httptest.NewRecorder()
	c := echo.New().NewContext(httptest.NewRequest(http.MethodGet, "/", nil), answer)
	if err := a.entrance.Keep(c, sessionID); err != nil {
		return nil, err
	}
	return http.ParseSetCookie(answer.Header().Get("Set-Cookie"))
}

// Device says in words what a user agent means.
func Device(userAgent string) string { return device(userAgent) }
