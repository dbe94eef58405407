package handlers

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/store"
)

var (
	errEnding        = echo.NewHTTPError(http.StatusServiceUnavailable, "Shopwright is shutting down.")
	errRightsChanged = &store.Error{Code: store.Forbidden, Message: "Your permissions have changed."}
)

// reader is a browser that gets an answer for longer than it takes to look somebody's rights
// up, and so as long as the visitor keeps them.
type reader struct {
	hub      *hub
	who      visitor
	out      *http.ResponseController
	response *echo.Response
	doubted  chan struct{} // holds something when the visitor's rights must be looked at again
}

func (a *App) newReader(c echo.Context) *reader {
	return &reader{
		hub: a.hub, who: visitorOf(c), out: http.NewResponseController(c.Response()), response: c.Response(),
		doubted: make(chan struct{}, 1),
	}
}

// doubt makes the reader look at the visitor's rights before it writes again.
func (r *reader) doubt() {
	select {
	case r.doubted <- struct{}{}:
	default:
	}
}

// settleDoubt fails when there is a doubt about the visitor's rights, and it is right.
func (r *reader) settleDoubt(ctx context.Context) error {
	select {
	case <-r.doubted:
		return r.checkRights(ctx)
	default:
		return nil
	}
}

// checkRights fails when the session is over, or its user's roles are not those with which
// the reader came.
func (r *reader) checkRights(ctx context.Context) error {
	session, err := r.hub.app.DB.Session(ctx, r.who.sessionID)
	if err != nil {
		return err
	}
	if session.Actor.Admin != r.who.Actor.Admin || !maps.Equal(session.Actor.Roles, r.who.Actor.Roles) {
		return errRightsChanged
	}
	r.who.ExpiresAt = session.ExpiresAt
	return nil
}

// begin begins a stream of server-sent events.
func (r *reader) begin() error {
	header := r.response.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no")
	r.response.WriteHeader(http.StatusOK)
	return r.write([]byte("retry: 2000\n\n"))
}

// end gives the answer the time to end in order.
func (r *reader) end() { _ = r.extend() }

// beat is a sign of life. It fails when the session has run out, and nothing else has used
// it meanwhile.
func (r *reader) beat(ctx context.Context) error {
	if !time.Now().Before(r.who.ExpiresAt) {
		if err := r.checkRights(ctx); err != nil {
			return err
		}
		if !time.Now().Before(r.who.ExpiresAt) {
			return errRightsChanged
		}
	}
	return r.write([]byte(": still here\n\n"))
}

// untilBeat is the time until the next sign of life, or until the session ends.
func (r *reader) untilBeat() time.Duration {
	return min(r.hub.app.heartbeat, max(0, time.Until(r.who.ExpiresAt)))
}

func (r *reader) write(text []byte) error {
	if err := r.extend(); err != nil {
		return err
	}
	if _, err := r.response.Write(text); err != nil {
		return err
	}
	return r.out.Flush()
}

// extend gives the browser the time of one more message.
func (r *reader) extend() error {
	return r.out.SetWriteDeadline(time.Now().Add(r.hub.app.writeTimeout))
}
