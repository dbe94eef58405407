// Package reply is how pages answer a request: they draw a component, lead to another page, or leave a value in the
// browser for the next one. It knows no page.
package reply

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
)

// Render writes the component only when all of it could be drawn.
func Render(c echo.Context, status int, component templ.Component) error {
	var page bytes.Buffer
	if err := component.Render(c.Request().Context(), &page); err != nil {
		return err
	}
	return c.HTMLBlob(status, page.Bytes())
}

// GoTo sends the browser to a page after something was done.
func GoTo(c echo.Context, path string) error {
	if FromHTMX(c) {
		c.Response().Header().Set("HX-Redirect", path)
		return c.NoContent(http.StatusOK)
	}
	return c.Redirect(http.StatusSeeOther, path)
}

// FromHTMX reports whether htmx asks, and not the browser itself.
func FromHTMX(c echo.Context) bool { return c.Request().Header.Get("HX-Request") == "true" }

// SafeNext returns the path if it is one of ours, and the list of stores otherwise.
func SafeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/stores"
	}
	return next
}
