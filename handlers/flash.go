package handlers

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/views"
)

// flashLifetime is how long a browser may take to load the page after a form.
const flashLifetime = time.Minute

// flash is what the page after a form shows once, such as a secret that is stored nowhere. It travels in
// a cookie: if the POST itself returned the page, a reload would send the POST again.
type flash struct {
	Session string // in which it may be shown
	Path    string // of the page that shows it

	Token      *views.MadeToken        `json:",omitempty"`
	Invitation *views.IssuedInvitation `json:",omitempty"`
	Login      *views.Credentials      `json:",omitempty"`
	Recovery   string                  `json:",omitempty"` // the recovery key
	Disabled   string                  `json:",omitempty"` // id of a user who has just been disabled
}

func newFlashes(keys [][]byte, secure bool) *reply.Sealed {
	return reply.Seal(keys, reply.Cookie{Name: "shopwright-flash", Purpose: "flash", Lifetime: flashLifetime, Secure: secure, SameSite: http.SameSiteStrictMode})
}

// goToOnce redirects to a page that shows the flash once. The path may have a query.
func (a *App) goToOnce(c echo.Context, path string, f flash) error {
	f.Session = signin.VisitorOf(c).SessionID
	f.Path, _, _ = strings.Cut(path, "?")
	if err := a.flashes.Set(c, f); err != nil {
		return err
	}
	return reply.GoTo(c, path)
}

// flashOf returns the flash for this page and deletes its cookie. Scripts get nothing: one that refreshes
// the same page in another tab must not use it up.
func (a *App) flashOf(c echo.Context) flash {
	r := c.Request()
	if mode := r.Header.Get("Sec-Fetch-Mode"); r.Method != http.MethodGet || mode != "" && mode != "navigate" || reply.FromHTMX(c) {
		return flash{}
	}
	var f flash
	if !a.flashes.Open(r, &f) || f.Session != signin.VisitorOf(c).SessionID || f.Path != r.URL.Path {
		return flash{}
	}
	a.flashes.Forget(c)
	return f
}
