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

// secureHeaders tells browsers how careful to be. Where the pages are under https, they are
// never asked for in the clear again, see RFC 6797.
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

// crossOriginGuard refuses what changes something when another site asked for it. It is not
// for programs: their token does not come by itself, as a cookie does.
// A proxy may pass on another Host than browsers see, or none of the port: what counts is the base URL.
func (a *App) crossOriginGuard(next echo.HandlerFunc) echo.HandlerFunc {
	guard := http.NewCrossOriginProtection()
	if base, err := url.Parse(a.BaseURL); err == nil {
		_ = guard.AddTrustedOrigin(base.Scheme + "://" + base.Host) // an origin without a host is none to trust
	}
	return func(c echo.Context) error {
		if forPrograms(c) || guard.Check(c.Request()) == nil {
			return next(c)
		}
		return echo.NewHTTPError(http.StatusForbidden, "The request came from another site and was blocked. Open Shopwright at "+a.BaseURL+" and try again.")
	}
}

// onlyKnownHosts refuses names that merely resolve to us. While anybody on this machine may
// sign in, a page of another site could otherwise reach us under its own name.
func (a *App) onlyKnownHosts(next echo.HandlerFunc) echo.HandlerFunc {
	base, err := url.Parse(a.BaseURL)
	return func(c echo.Context) error {
		if !a.DevLogin || isLoopback(c.Request().Host) || err == nil && hostname(c.Request().Host) == base.Hostname() {
			return next(c)
		}
		return echo.NewHTTPError(http.StatusMisdirectedRequest, "Open Shopwright at "+a.BaseURL+".")
	}
}

// onlyText refuses addresses in which something is not text: no page has one, and not every
// database can be asked for it.
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

// wholeForms parses a posted form before its handler runs, so that a body that is too large or isn't a form is
// refused as such and not taken for an empty form.
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
