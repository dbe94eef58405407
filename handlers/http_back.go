package handlers

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/reply"
)

// leadBack gives each address that only takes forms a GET that leads to the nearest page above
// it. A browser asks for such an address when the page that answered a form is loaded by its
// address, or has been bookmarked.
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

// upwards leads to the page that is so many segments above the address.
func upwards(levels int) echo.HandlerFunc {
	return func(c echo.Context) error {
		segments := strings.Split(c.Request().URL.EscapedPath(), "/")
		path := strings.Join(segments[:max(0, len(segments)-levels)], "/")
		return c.Redirect(http.StatusSeeOther, reply.SafeNext(path))
	}
}
