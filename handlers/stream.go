package handlers

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/live"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

var errEnding = echo.NewHTTPError(http.StatusServiceUnavailable, "Shopwright is shutting down.")

// read serves a response that outlasts the check of the visitor's rights, such as a stream, and checks
// them again meanwhile. It fails if there are too many such responses.
func (a *App) read(c echo.Context, most *live.Ceiling, answer func(*live.Reader) error) error {
	who := signin.VisitorOf(c)
	leave, err := most.Enter(who.User.ID)
	if err != nil {
		return err
	}
	defer leave()
	r, ok := a.hub.Admit(c.Response(), live.Viewer{
		UserID: who.User.ID, ExpiresAt: who.ExpiresAt,
		Check: func(ctx context.Context) (time.Time, error) { return a.entrance.Recheck(ctx, who) },
	})
	if !ok {
		return errEnding
	}
	defer r.Dismiss()
	return answer(r)
}

// stream sends the updates of the page that the URL names.
func (a *App) stream(c echo.Context) error {
	key, page, err := a.livePage(c)
	if err != nil {
		return err
	}
	return a.read(c, a.pages, func(r *live.Reader) error {
		if !a.hub.Stream(c.Request().Context(), r, key, page, seenBy(c.Request())) {
			return errEnding
		}
		return nil
	})
}

// seenBy returns the number of the newest event that the browser has seen, in an earlier stream or in the
// page itself.
func seenBy(r *http.Request) int64 {
	for _, text := range []string{r.Header.Get("Last-Event-ID"), r.URL.Query().Get("since")} {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	}
	return -1
}

// livePage returns the page that the URL names, and the key that visitors who see the same share.
func (a *App) livePage(c echo.Context) (live.Key, live.Page, error) {
	who := signin.VisitorOf(c)
	connection := onlyConnection{a.Provisioner}
	key := live.Key{View: c.QueryParam("view"), Rights: rights(who.Actor)}
	switch key.View {
	case "stores":
		query := a.listQuery(c)
		key.Query = query.values().Encode()
		return key, &liveList{App: a, onlyConnection: connection, who: who, query: query}, nil
	case "store":
		return a.liveStore(c, key)
	case "team":
		info, err := a.DB.FindTeam(c.Request().Context(), who.Actor, c.QueryParam("id"))
		if err != nil {
			return key, nil, err
		}
		key.ID, key.Rights = info.ID, who.User.ID+" "+key.Rights // each visitor's own row is marked as "you"
		return key, &liveTeam{teamView{App: a, who: who, id: info.ID}, connection}, nil
	case "frame":
		return a.liveFrame(c, key)
	case "queue":
		if !who.Actor.May(store.ViewInstallation, store.Installation) {
			return key, nil, echo.ErrNotFound
		}
		return key, &liveQueue{liveFrame{a, connection, who}}, nil
	case "replacement":
		if !who.Actor.May(store.ManageClusters, store.Installation) {
			return key, nil, echo.ErrNotFound
		}
		key.ID = c.QueryParam("id")
		return key, &liveReplacement{liveFrame{a, connection, who}, key.ID}, nil
	case "backups":
		if !who.Actor.May(store.ManageTargets, store.Installation) {
			return key, nil, echo.ErrNotFound
		}
		query := parseBackupsQuery(c.QueryParams())
		key.Query = query.values().Encode()
		return key, &liveBackups{liveFrame{a, connection, who}, query}, nil
	}
	return key, nil, echo.ErrNotFound
}

// liveFrame returns the frame of a page, with the cluster of the store in the URL if there is one.
func (a *App) liveFrame(c echo.Context, key live.Key) (live.Key, live.Page, error) {
	who, cluster := signin.VisitorOf(c), a.Provisioner
	if id := c.QueryParam("id"); id != "" {
		st, err := a.DB.FindStore(c.Request().Context(), who.Actor, id)
		if err != nil {
			return key, nil, err
		}
		key.ID, cluster = st.ID, a.clusters.Of(st)
	}
	return key, &liveFrame{a, onlyConnection{cluster}, who}, nil
}

func (a *App) liveStore(c echo.Context, key live.Key) (live.Key, live.Page, error) {
	who := signin.VisitorOf(c)
	tab, known := findTab(views.Tab(c.QueryParam("tab")))
	if !known {
		return key, nil, echo.ErrNotFound
	}
	st, err := a.DB.FindStore(c.Request().Context(), who.Actor, c.QueryParam("id"))
	if err != nil {
		return key, nil, err
	}
	page, query := &liveStore{App: a, who: who, st: st, tab: tab}, url.Values{"tab": {string(tab.name)}}
	if log := parseLogQuery(c.QueryParams()); tab.name == views.TabLogs {
		page.log = logQuery{Pod: log.Pod, Container: log.Container, Previous: log.Previous}
		page.log.addTo(query)
	}
	key.ID, key.Query, key.Rights = st.ID, query.Encode(), string(who.Actor.Roles[st.TeamID])
	return key, page, nil
}

// rights encodes an actor's permissions: actors with the same permissions get the same text.
func rights(a store.Actor) string {
	var text strings.Builder
	for _, team := range slices.Sorted(maps.Keys(a.Roles)) {
		text.WriteString(team + " " + string(a.Roles[team]) + "\n")
	}
	return text.String()
}
