package handlers

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/labstack/echo/v4"
)

// SetWriteTimeout sets how long a stream waits for a reader who has stopped reading.
func (a *App) SetWriteTimeout(d time.Duration) { a.writeTimeout = d }

// SetHeartbeat sets how often a stream gives a sign of life.
func (a *App) SetHeartbeat(d time.Duration) { a.heartbeat = d }

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

// Cookie is what a browser with that session sends.
func (a *App) Cookie(sessionID string) (*http.Cookie, error) {
	answer := httptest.NewRecorder()
	c := echo.New().NewContext(httptest.NewRequest(http.MethodGet, "/", nil), answer)
	if err := a.sessions.set(c, sessionID); err != nil {
		return nil, err
	}
	return http.ParseSetCookie(answer.Header().Get("Set-Cookie"))
}

// Device says in words what a user agent means.
func Device(userAgent string) string { return device(userAgent) }
