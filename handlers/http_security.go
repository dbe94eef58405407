package handlers

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

const contentSecurityPolicy = "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; object-src 'none'"

// secureHeaders sets the security headers. Over https, browsers are told never to use plain http again,
// see RFC 6797.
func (a *App) secureHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	const year = "max-age=31536000"
	transport := ""
	switch {
	case !strings.HasPrefix(a.BaseURL, "https://"):
	case a.HSTSSubdomains:
		transport = year + "; includeSubDomains"
	default:
		transport = year
	}
	return func(c echo.Context) error {
		h := c.Response().Header()
		if transport != "" {
			h.Set(echo.HeaderStrictTransportSecurity, transport)
		}
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		return next(c)
	}
}

// crossOriginGuard refuses unsafe requests that another site has caused. The API is exempt: a browser
// sends cookies by itself, but no tokens.
// A proxy may change the Host header or drop its port, so the origin of the base URL is always trusted.
func (a *App) crossOriginGuard(next echo.HandlerFunc) echo.HandlerFunc {
	guard := http.NewCrossOriginProtection()
	if base, err := url.Parse(a.BaseURL); err == nil {
		_ = guard.AddTrustedOrigin(base.Scheme + "://" + base.Host) // fails for a base URL without a host
	}
	return func(c echo.Context) error {
		if forPrograms(c) || guard.Check(c.Request()) == nil {
			return next(c)
		}
		return echo.NewHTTPError(http.StatusForbidden, "The request came from another site and was blocked. Open Shopwright at "+a.BaseURL+" and try again.")
	}
}

// onlyKnownHosts refuses other host names that resolve to this server, as in DNS rebinding. With the
// development login, a page of another site could otherwise sign in under its own host name.
func (a *App) onlyKnownHosts(next echo.HandlerFunc) echo.HandlerFunc {
	base, err := url.Parse(a.BaseURL)
	return func(c echo.Context) error {
		if !a.DevLogin || isLoopback(c.Request().Host) || err == nil && hostname(c.Request().Host) == base.Hostname() {
			return next(c)
		}
		return echo.NewHTTPError(http.StatusMisdirectedRequest, "Open Shopwright at "+a.BaseURL+".")
	}
}

// onlyText refuses URLs with invalid UTF-8 or NUL: no page has one, and Postgres rejects such values.
func onlyText(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !isText(c.Request().URL.Path) {
			return echo.ErrNotFound
		}
		for _, values := range c.QueryParams() {
			if !isText(strings.Join(values, "")) {
				return echo.ErrNotFound
			}
		}
		return next(c)
	}
}

// wholeForms parses a posted form before its handler runs, so that a body that is too large or not a form
// is refused, not taken for an empty form.
func wholeForms(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().Method != http.MethodPost || forPrograms(c) {
			return next(c)
		}
		_, err := c.FormParams()
		if refused, ok := errors.AsType[*echo.HTTPError](err); ok {
			return refused
		}
		if err != nil {
			return echo.NewHTTPError(http.StatusBadRequest, "The request body isn’t a valid form. Go back and send it again.").SetInternal(err)
		}
		return next(c)
	}
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

func isLoopback(hostport string) bool {
	host := hostname(hostport)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// hostname is the host without a port.
func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return strings.Trim(hostport, "[]")
	}
	return host
}
