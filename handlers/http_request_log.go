package handlers

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
)

var requestIDPattern = regexp.MustCompile(`^[\w.-]{1,64}$`)

// identifyRequests gives each request an id, by which it can be found in the log. An id set by a trusted
// proxy is kept, so that both logs have the same one.
func (a *App) identifyRequests(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get(echo.HeaderXRequestID)
		if !isTrusted(a.Proxies, peer(c.Request())) || !requestIDPattern.MatchString(id) {
			id = rand.Text()
		}
		c.Request().Header.Set(echo.HeaderXRequestID, id) // the request log reads it
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		return next(c)
	}
}

// logRequests logs each request, without its body or query. Database outages are logged once, by the store.
func (a *App) logRequests() echo.MiddlewareFunc {
	return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
		Skipper:       func(c echo.Context) bool { return c.Path() == "/static/*" || c.Path() == "/healthz" },
		LogURIPath:    true,
		LogStatus:     true,
		LogLatency:    true,
		LogRequestID:  true,
		LogError:      true,
		HandleError:   true,
		LogValuesFunc: a.logRequest,
	})
}

// tokenText matches the secret of a token, or a part of one.
var tokenText = regexp.MustCompile(store.TokenPrefix + `[0-9A-Za-z]+`)

// loggable returns a text from the client for the log: without tokens, and truncated.
func loggable(text string) string {
	const longest = 256
	cut := legible.FirstRunes(tokenText.ReplaceAllLiteralString(text, store.TokenPrefix+"…"), longest)
	if len(cut) < len(text) && len([]rune(cut)) == longest {
		cut += "…"
	}
	return cut
}

func (a *App) logRequest(c echo.Context, v middleware.RequestLoggerValues) error {
	attrs := []slog.Attr{
		slog.String("method", methodOf(c.Request())), slog.String("path", loggable(v.URIPath)), slog.Int("status", v.Status),
		slog.Duration("took", v.Latency), slog.String("request", v.RequestID), slog.String("address", c.RealIP()),
	}
	who := actorOf(c)
	if who.UserID != "" {
		attrs = append(attrs, slog.String("user", who.UserID))
	}
	if who.TokenID != "" {
		attrs = append(attrs, slog.String("token", who.TokenID))
	}
	if id, err := url.PathUnescape(c.Param("id")); id != "" && err == nil {
		attrs = append(attrs, slog.String("store", loggable(id)))
	}
	level := slog.LevelInfo
	switch {
	case v.Error != nil && v.Status >= http.StatusInternalServerError && store.ErrorCode(v.Error) != store.Unavailable:
		level = slog.LevelError
		attrs = append(attrs, slog.Any("error", v.Error))
	case isRefusal(c, who, v.Status):
		level = slog.LevelWarn
	}
	a.Log.LogAttrs(c.Request().Context(), level, "request", attrs...)
	return nil
}

// actorOf returns who sent the request, with a session or a token.
func actorOf(c echo.Context) store.Actor {
	if forPrograms(c) {
		return api.CallerOf(c)
	}
	return signin.VisitorOf(c).Actor
}

// isRefusal reports whether a user was denied something. What a user may not see is reported as not
// found, like what does not exist.
func isRefusal(c echo.Context, who store.Actor, status int) bool {
	switch status {
	case http.StatusForbidden:
		return true
	case http.StatusUnauthorized:
		return forPrograms(c) // open pages with an expired session send such requests by themselves
	case http.StatusNotFound:
		return who.UserID != "" && len(c.ParamValues()) > 0
	}
	return false
}
