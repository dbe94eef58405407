package handlers

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/paging"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// listQuery is the page, search, filters and order in the URL of the list.
type listQuery struct {
	paging.Query
	Status store.Status
	Engine string
	Team   string
	Sort   store.Sort
}

// unknownTeam stands for all teams whose stores the visitor may not see. It selects nothing.
const unknownTeam = "unknown"

// listQuery returns the query in the request's URL. Unknown values must not lead to streams of their own:
// an unknown engine is dropped, and all unknown teams become one.
func (a *App) listQuery(c echo.Context) listQuery {
	q := parseListQuery(c.QueryParams())
	if _, known := a.Engines.Find(q.Engine); !known {
		q.Engine = ""
	}
	if q.Team != "" && !signin.VisitorOf(c).Actor.May(store.ViewStores, q.Team) {
		q.Team = unknownTeam
	}
	return q
}

func parseListQuery(values url.Values) listQuery {
	status := store.Status(values.Get("status"))
	if !slices.Contains(store.Statuses(), status) {
		status = ""
	}
	sort := store.Sort(values.Get("sort"))
	if !slices.Contains(store.Sorts(), sort) {
		sort = ""
	}
	return listQuery{Query: paging.Parse(values.Get), Status: status, Engine: values.Get("engine"), Team: values.Get("team"), Sort: sort}
}

// values returns the query in the form that URLs have, without defaults.
func (q listQuery) values() url.Values {
	v := url.Values{}
	for key, value := range map[string]string{"status": string(q.Status), "engine": q.Engine, "team": q.Team, "sort": string(q.Sort)} {
		if value != "" {
			v.Set(key, value)
		}
	}
	q.AddTo(v)
	return v
}

func (q listQuery) address() string {
	if encoded := q.values().Encode(); encoded != "" {
		return "/stores?" + encoded
	}
	return "/stores"
}

func (a *App) listStores(c echo.Context) error {
	ctx, who := c.Request().Context(), signin.VisitorOf(c)
	query := a.listQuery(c)
	list, err := a.storeList(ctx, who, query)
	if err != nil {
		return err
	}
	form, err := a.form(ctx, who, createRequest{Team: query.Team})
	if err != nil {
		return err
	}
	shell, err := a.shell(ctx, who, "Stores", views.PlaceStores)
	if err != nil {
		return err
	}
	deleted, err := a.DB.HasDeletedStores(ctx, who.Actor)
	if err != nil {
		return err
	}
	values := query.values()
	values.Set("view", "stores")
	shell.Stream = streamAddress(values, who.Since)
	return reply.Render(c, http.StatusOK, views.Stores(views.StoresPage{Shell: shell, List: list, Create: form, Deleted: deleted}))
}

func (q listQuery) selected(p store.Page) store.Query {
	return store.Query{Search: p.Search, Status: q.Status, Engine: q.Engine, TeamID: q.Team, Sort: q.Sort, Offset: p.Offset, Limit: p.Limit}
}

// addressOf returns the URL of a page of the list.
func (q listQuery) addressOf(page int) string {
	q.Page = page
	return q.address()
}

// storeList reads one page of the list, or the last one if there are fewer. It sends no request to a cluster.
func (a *App) storeList(ctx context.Context, who signin.Visitor, q listQuery) (views.StoreList, error) {
	var list store.List
	_, _, at, err := paging.Read(q.Query, func(p store.Page) (_ []store.Store, _ int, err error) {
		list, err = a.DB.ListStores(ctx, who.Actor, q.selected(p))
		return list.Stores, list.Total, err
	})
	if err != nil {
		return views.StoreList{}, err
	}
	q.Query = at
	teams, err := a.teamsShown(ctx, who)
	if err != nil {
		return views.StoreList{}, err
	}
	shown := views.StoreList{
		Counts: statusCounts(list, q), Search: q.Search, Status: views.Status(q.Status), Engine: q.Engine, Sort: string(q.Sort),
		Team: q.Team, Teams: teamChoices(teams, q.Team),
		Engines: a.engineChoices(q.Engine), Total: list.Total, Empty: list.All() == 0 && q.Search == "" && q.Engine == "" && q.Team == "",
	}
	for _, st := range list.Stores {
		shown.Rows = append(shown.Rows, a.row(who, st, teams))
	}
	place := q.Place(len(shown.Rows), list.Total)
	shown.From, shown.To = place.From, place.To
	if place.Previous > 0 {
		shown.Previous = q.addressOf(place.Previous)
	}
	if place.Next > 0 {
		shown.Next = q.addressOf(place.Next)
	}
	if cluster := a.Provisioner.Cluster(); cluster.Link == provisioner.Unreachable || cluster.Link == provisioner.Foreign {
		shown.AsOf = cluster.Since
	}
	return shown, nil
}

func statusCounts(list store.List, q listQuery) []views.StatusCount {
	q.Page = 1
	tab := func(status store.Status, label string, n int) views.StatusCount {
		other := q
		other.Status = status
		return views.StatusCount{Status: views.Status(status), Label: label, Count: n, URL: other.address(), Current: q.Status == status}
	}
	tabs := []views.StatusCount{tab("", "All", list.All())}
	usual := []store.Status{store.Provisioning, store.Ready, store.Failed}
	for _, status := range usual { // always shown, so that the tabs do not move while stores are opened
		tabs = append(tabs, tab(status, views.Status(status).Label(), list.Counts[status]))
	}
	for _, status := range store.Statuses() {
		if n := list.Counts[status]; !slices.Contains(usual, status) && (n > 0 || q.Status == status) {
			tabs = append(tabs, tab(status, views.Status(status).Label(), n))
		}
	}
	return tabs
}

func (a *App) engineChoices(selected string) []views.Choice {
	var all []views.Choice
	for _, e := range a.Engines.All() {
		all = append(all, views.Choice{
			Value: e.Name(), Label: e.Label(), Letter: e.Letter(), Description: e.Description(), Selected: e.Name() == selected,
		})
	}
	return all
}

// teamsShown returns the names of the teams whose stores the visitor may see, or none if there is only one.
func (a *App) teamsShown(ctx context.Context, who signin.Visitor) (map[string]string, error) {
	ids := who.Actor.Teams(store.ViewStores)
	if len(ids) < 2 {
		ids = nil
	}
	return a.DB.TeamNames(ctx, who.Actor, ids)
}
