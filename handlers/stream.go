package handlers

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// heartbeat is below the 60 s after which proxies cut a silent connection.
const heartbeat = 15 * time.Second

// stream keeps one page up to date for as long as it is open. Every message brings parts
// to what they are now, so that nothing is lost by missing one; its id is the number of the
// newest event that it takes in.
type stream struct {
	hub      *hub
	room     *room
	who      visitor
	out      *http.ResponseController
	response *echo.Response
	seen     int64         // the newest event that the browser's page shows, when it connects
	has      int           // the edition that the browser has; 0 before the first
	doubted  chan struct{} // holds something when the visitor's rights must be looked at again
}

func (a *App) stream(c echo.Context) error {
	key, page, err := a.livePage(c)
	if err != nil {
		return err
	}
	s := &stream{
		hub: a.hub, who: visitorOf(c), out: http.NewResponseController(c.Response()), response: c.Response(),
		seen: seenBy(c.Request()), doubted: make(chan struct{}, 1),
	}
	s.doubt() // what happened since the request was let in reached nobody
	if s.room = a.hub.join(s, key, page); s.room == nil {
		return echo.NewHTTPError(http.StatusServiceUnavailable, "Shopwright is ending.")
	}
	defer a.hub.leave(s, s.room)
	header := c.Response().Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no")
	s.run(c.Request().Context())
	return nil
}

// seenBy is the newest event that the browser knows: from an earlier stream, or from the
// page itself.
func seenBy(r *http.Request) int64 {
	for _, text := range []string{r.Header.Get("Last-Event-ID"), r.URL.Query().Get("since")} {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	}
	return -1
}

// livePage returns the page that the address names, and who sees the same of it.
func (a *App) livePage(c echo.Context) (roomKey, live, error) {
	who := visitorOf(c)
	key := roomKey{view: c.QueryParam("view")}
	switch key.view {
	case "stores":
		key.query, key.rights = parseListQuery(c.QueryParams()), rights(who.Actor)
		return key, &liveList{App: a, who: who, query: key.query}, nil
	case "store":
		st, err := a.DB.FindStore(c.Request().Context(), who.Actor, c.QueryParam("id"))
		if err != nil {
			return key, nil, err
		}
		key.store, key.tab, key.rights = st.ID, c.QueryParam("tab"), string(who.Actor.Roles[st.TeamID])
		return key, &liveStore{App: a, who: who, st: st, tab: views.Tab(key.tab)}, nil
	case "frame":
		key.rights = rights(who.Actor)
		return key, &liveFrame{App: a, who: who}, nil
	}
	return key, nil, echo.ErrNotFound
}

// rights is the same text for whoever may do the same everywhere.
func rights(a store.Actor) string {
	var text strings.Builder
	for _, team := range slices.Sorted(maps.Keys(a.Roles)) {
		text.WriteString(team + " " + string(a.Roles[team]) + "\n")
	}
	return text.String()
}

// doubt makes the stream look at its reader's rights before it writes again.
func (s *stream) doubt() {
	select {
	case s.doubted <- struct{}{}:
	default:
	}
}

// run writes until the browser is gone, the visitor may see the page no longer, or the
// stream must end for another reason: then the browser comes back, and is told why.
func (s *stream) run(ctx context.Context) {
	s.response.WriteHeader(http.StatusOK)
	if s.write([]byte("retry: 2000\n\n")) != nil {
		return
	}
	defer func() { _ = s.extend() }() // for the end of the answer
	beat := time.NewTimer(s.untilBeat())
	defer beat.Stop()
	for {
		edition, next := s.room.look()
		if s.send(ctx, edition) != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-s.room.ended:
			return
		case <-s.doubted:
			s.doubt() // left to send, which alone decides
		case <-next:
		case <-beat.C:
			if !time.Now().Before(s.who.ExpiresAt) || s.write([]byte(": still here\n\n")) != nil {
				return
			}
			beat.Reset(s.untilBeat())
		}
	}
}

// untilBeat is the time until the next sign of life, or until the session ends.
func (s *stream) untilBeat() time.Duration {
	return min(heartbeat, max(0, time.Until(s.who.ExpiresAt)))
}

// send writes what is new to a visitor who still may see it.
func (s *stream) send(ctx context.Context, e *edition) error {
	select {
	case <-s.doubted:
		if err := s.checkRights(ctx); err != nil {
			return err
		}
	default:
	}
	if e == nil || e.nth == s.has {
		return nil
	}
	message, err := s.message(ctx, e)
	if err != nil {
		s.hub.app.Log.Error("draw a message of a stream", "error", err)
		return err
	}
	s.has = e.nth
	if message == nil {
		return nil
	}
	return s.write(message)
}

func (s *stream) message(ctx context.Context, e *edition) ([]byte, error) {
	if s.has == 0 {
		return e.begin(ctx, s.seen)
	}
	return e.since(ctx, s.has)
}

var errRightsChanged = &store.Error{Code: store.Forbidden, Message: "What you may see has changed."}

// checkRights fails when the session is over, or its user's roles are not those with which
// the stream was opened.
func (s *stream) checkRights(ctx context.Context) error {
	session, err := s.hub.app.DB.Session(ctx, s.who.sessionID)
	if err != nil {
		return err
	}
	if !maps.Equal(session.Actor.Roles, s.who.Actor.Roles) {
		return errRightsChanged
	}
	return nil
}

func (s *stream) write(text []byte) error {
	if err := s.extend(); err != nil {
		return err
	}
	if _, err := s.response.Write(text); err != nil {
		return err
	}
	return s.out.Flush()
}

// extend gives the reader the time of one more message.
func (s *stream) extend() error {
	return s.out.SetWriteDeadline(time.Now().Add(s.hub.app.writeTimeout))
}
