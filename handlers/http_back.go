package handlers

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/reply"
)

// leadBack adds a GET route to each path that only accepts a POST. It redirects to the nearest page
// above. A browser requests such a path when the response to a form is reloaded by its URL or was
// bookmarked.
func leadBack(e *echo.Echo) {
	pages, forms := map[string]bool{}, map[string]bool{}
	for _, r := range e.Routes() {
		switch r.Method {
		case http.MethodGet:
			pages[r.Path] = true
		case http.MethodPost:
			forms[r.Path] = true
		}
	}
	for form := range forms {
		if pages[form] {
			continue
		}
		page, up := form, 0
		for !pages[page] && page != "" {
			page, up = page[:strings.LastIndexByte(page, '/')], up+1
		}
		e.GET(form, upwards(up))
	}
}

// upwards redirects to the page that is so many path segments up.
func upwards(levels int) echo.HandlerFunc {
	return func(c echo.Context) error {
		segments := strings.Split(c.Request().URL.EscapedPath(), "/")
		path := strings.Join(segments[:max(0, len(segments)-levels)], "/")
		return c.Redirect(http.StatusSeeOther, reply.SafeNext(path))
	}
}
