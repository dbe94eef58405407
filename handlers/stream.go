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

// stream keeps one page up to date for as long as it is open. Every message brings parts
// to what they are now, so that nothing is lost by missing one; its id is the number of the
// newest event that it takes in.
type stream struct {
	*reader
	room *room
	seen int64 // the newest event that the browser's page shows, when it connects
	has  int   // the edition that the browser has; 0 before the first
}

func (a *App) stream(c echo.Context) error {
	key, page, err := a.livePage(c)
	if err != nil {
		return err
	}
	s := &stream{reader: a.newReader(c), seen: seenBy(c.Request())}
	leave, err := a.pages.enter(s.who.User.ID)
	if err != nil {
		return err
	}
	defer leave()
	if !a.hub.admit(s.reader) {
		return errEnding
	}
	defer a.hub.dismiss(s.reader)
	if s.room = a.hub.join(key, page); s.room == nil {
		return errEnding
	}
	defer a.hub.leave(s.room)
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
		key.query, key.rights = a.listQuery(c), rights(who.Actor)
		return key, &liveList{App: a, who: who, query: key.query}, nil
	case "store":
		tab, known := findTab(views.Tab(c.QueryParam("tab")))
		if !known {
			return key, nil, echo.ErrNotFound
		}
		st, err := a.DB.FindStore(c.Request().Context(), who.Actor, c.QueryParam("id"))
		if err != nil {
			return key, nil, err
		}
		key.store, key.tab, key.rights = st.ID, string(tab.name), string(who.Actor.Roles[st.TeamID])
		if log := parseLogQuery(c.QueryParams()); tab.name == views.TabLogs {
			key.log = logQuery{Pod: log.Pod, Container: log.Container, Previous: log.Previous}
		}
		return key, &liveStore{App: a, who: who, st: st, tab: tab, log: key.log}, nil
	case "team":
		info, err := a.DB.FindTeam(c.Request().Context(), who.Actor, c.QueryParam("id"))
		if err != nil {
			return key, nil, err
		}
		key.team, key.rights = info.ID, who.User.ID+" "+rights(who.Actor) // everybody sees who "you" are
		return key, &liveTeam{teamView{App: a, who: who, id: info.ID}}, nil
	case "frame":
		key.rights = rights(who.Actor)
		return key, &liveFrame{App: a, who: who}, nil
	case "queue":
		if !who.Actor.May(store.ViewInstallation, store.Installation) {
			return key, nil, echo.ErrNotFound
		}
		key.rights = rights(who.Actor)
		return key, &liveQueue{liveFrame{App: a, who: who}}, nil
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

// run writes until the browser is gone, the visitor may see the page no longer, or the
// stream must end for another reason: then the browser comes back, and is told why.
func (s *stream) run(ctx context.Context) {
	if s.begin() != nil {
		return
	}
	defer s.end()
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
			if s.beat(ctx) != nil {
				return
			}
			beat.Reset(s.untilBeat())
		}
	}
}

// send writes what is new to a visitor who still may see it.
func (s *stream) send(ctx context.Context, e *edition) error {
	if err := s.settleDoubt(ctx); err != nil {
		return err
	}
	if e == nil || e.nth == s.has {
		return nil
	}
	message, err := s.message(ctx, e)
	if err != nil {
		s.hub.app.Log.Error("render a stream message", "error", err)
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
