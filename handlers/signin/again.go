package signin

import (
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/reply"
)

// recentSignIn is how long after signing in somebody may change how the account is reached.
const recentSignIn = 15 * time.Minute

// RecentlySignedIn is [Entrance.SignedIn] for what decides who can sign in: others have to sign in
// again first. An open browser that somebody finds is not enough to add a sign-in method.
func (e *Entrance) RecentlySignedIn(next echo.HandlerFunc) echo.HandlerFunc {
	return e.SignedIn(func(c echo.Context) error {
		if time.Since(VisitorOf(c).CreatedAt) < recentSignIn {
			return next(c)
		}
		return reply.GoTo(c, "/sign-in?"+url.Values{"again": {"1"}, "next": {"/account"}}.Encode())
	})
}

// signsInAgain reports whether somebody who is signed in was sent to sign in again.
func signsInAgain(r *http.Request) bool { return r.URL.Query().Get("again") != "" }
