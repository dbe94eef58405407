package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/handlers/paging"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/shop"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// listQuery is what the list's address says.
type listQuery struct {
	paging.Query
	Status store.Status
	Engine string
	Team   string
	Sort   store.Sort
}

// unknownTeam stands for all teams whose stores the visitor does not see. It selects nothing.
const unknownTeam = "unknown"

// listQuery is what the request's address says. Filters by what there is not open no streams of
// their own: an engine is dropped, and all such teams are one.
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

// values are the query as an address has it, without what is the default.
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
	values := query.values()
	values.Set("view", "stores")
	shell.Stream = streamAddress(values, who.Since)
	return reply.Render(c, http.StatusOK, views.Stores(views.StoresPage{Shell: shell, List: list, Create: form}))
}

func (q listQuery) selected(p store.Page) store.Query {
	return store.Query{Search: p.Search, Status: q.Status, Engine: q.Engine, TeamID: q.Team, Sort: q.Sort, Offset: p.Offset, Limit: p.Limit}
}

// addressOf is where that page of the list is.
func (q listQuery) addressOf(page int) string {
	q.Page = page
	return q.address()
}

// storeList reads one page of the list, or the last one where there are fewer. It asks the
// database only.
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
	for _, status := range usual { // these stay where they are, so that nothing jumps while stores are opened
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

func (a *App) form(ctx context.Context, who signin.Visitor, r createRequest) (views.CreateForm, error) {
	form := views.CreateForm{
		Key: formKey(r.Key), Name: r.Name, Slug: r.Slug, BaseDomain: a.Provisioner.BaseDomain(), Waits: waits(a.Provisioner.Cluster()),
		NoRoom: a.noRoom(ctx),
	}
	var err error
	if form.Quota, err = a.quota(ctx, who, r.Team); err != nil {
		return views.CreateForm{}, err
	}
	if form.Pace, err = a.pace(ctx, who); err != nil {
		return views.CreateForm{}, err
	}
	form.Scheme, form.PortSuffix = a.Provisioner.AddressParts()
	if form.Engines, err = a.createChoices(r); err != nil {
		return views.CreateForm{}, err
	}
	if form.Teams, err = a.teamsToCreateIn(ctx, who, r.Team); err != nil {
		return views.CreateForm{}, err
	}
	chosen, err := store.ChooseCountry(r.Country, r.Currency)
	if err != nil { // the form comes back with what was typed
		chosen = store.Country{Code: r.Country, Currency: r.Currency}
	}
	form.Countries, form.Currencies = countryChoices(chosen)
	if r.OwnerEmail != nil {
		form.OwnerEmail = *r.OwnerEmail
	} else if form.OwnerEmail, err = a.DB.OwnerEmail(ctx, who.User.ID); err != nil {
		return views.CreateForm{}, err
	}
	return form, nil
}

func waits(cluster provisioner.ClusterState) string {
	switch cluster.Link {
	case provisioner.Starting, provisioner.Connecting:
		return "The cluster isn’t ready yet. The store waits in the queue and starts automatically."
	case provisioner.Unreachable, provisioner.Foreign:
		return "The cluster is unreachable. The store waits in the queue and starts automatically."
	case provisioner.Unconfigured:
		return "No cluster is configured. The store waits in the queue until one is."
	default:
		return ""
	}
}

func (a *App) newStore(c echo.Context) error {
	form, err := a.form(c.Request().Context(), signin.VisitorOf(c), createRequest{Team: c.QueryParam("team")})
	if err != nil {
		return err
	}
	return a.createPage(c, http.StatusOK, form)
}

func (a *App) createPage(c echo.Context, status int, form views.CreateForm) error {
	shell, err := a.shell(c.Request().Context(), signin.VisitorOf(c), "Create store", views.PlaceStores)
	if err != nil {
		return err
	}
	return reply.Render(c, status, views.Create(views.CreatePage{Shell: shell, Form: form}))
}

func (a *App) createStore(c echo.Context) error {
	who := signin.VisitorOf(c)
	r, err := a.createRequest(c)
	if err != nil {
		return err
	}
	id, err := a.create(c, who, r)
	if refused, ok := errors.AsType[*store.Error](err); ok {
		return a.createAgain(c, r, refused)
	}
	if err != nil {
		return err
	}
	return reply.GoTo(c, "/stores/"+id)
}

// create returns the id of the new store, or of the one that the form has created before.
func (a *App) create(c echo.Context, who signin.Visitor, r createRequest) (id string, err error) {
	once, err := onceOf(c)
	if err != nil {
		return "", err
	}
	return a.shops.Create(c.Request().Context(), who.Actor, shop.Order{Once: once, ChooseTeam: true, NewStore: store.NewStore{
		TeamID: r.Team, Name: r.Name, Slug: r.Slug, Engine: r.Engine, Template: r.Templates[r.Engine], Country: r.Country, Currency: r.Currency,
		OwnerEmail: r.ownerEmail(),
	}})
}

// createAgain brings the form back as it was typed, with what is wrong at its field.
func (a *App) createAgain(c echo.Context, r createRequest, refused *store.Error) error {
	form, err := a.form(c.Request().Context(), signin.VisitorOf(c), r)
	if err != nil {
		return err
	}
	if form.Address, err = a.address(c.Request().Context(), r); err != nil {
		return err
	}
	switch refused.Field {
	case "name":
		form.NameError = refused.Message
	case "slug":
		if form.Address.Error == "" { // such as when the free one was taken a moment ago
			form.Address.Error = refused.Message
		}
	case "team":
		form.TeamError = refused.Message
		if len(form.Teams) == 0 { // there is no such field
			form.Problem = refused.Message
		}
	case "engine":
		form.EngineError = refused.Message
	case "template":
		form.TemplateError = refused.Message
	case "country":
		form.CountryError = refused.Message
	case "currency":
		form.CurrencyError = refused.Message
	case "owner_email":
		form.OwnerEmailError = refused.Message
	default:
		form.Problem = plain(refused.Message)
	}
	status := http.StatusUnprocessableEntity
	if refused.Code == store.Unavailable || refused.Code == store.Limited {
		status = api.StatusOf(refused.Code)
	}
	retryAfter(c, refused)
	if reply.FromHTMX(c) {
		return reply.Render(c, status, views.CreateDialogForm(form))
	}
	return a.createPage(c, status, form)
}

// checkAddress tells, while somebody types, which address the store would get.
func (a *App) checkAddress(c echo.Context) error {
	r, err := a.createRequest(c)
	if err != nil {
		return err
	}
	form, err := a.form(c.Request().Context(), signin.VisitorOf(c), r)
	if err != nil {
		return err
	}
	if form.Address, err = a.address(c.Request().Context(), r); err != nil {
		return err
	}
	return reply.Render(c, http.StatusOK, views.AddressField(form))
}

func (a *App) address(ctx context.Context, r createRequest) (views.Address, error) {
	slug := strings.TrimSpace(r.Slug)
	if slug == "" {
		if strings.TrimSpace(r.Name) == "" {
			return views.Address{}, nil
		}
		free, err := a.DB.FreeSlug(ctx, store.ProposeSlug(r.Name))
		return views.Address{Slug: free, Checked: true}, err
	}
	address := views.Address{Slug: slug, Checked: true}
	if refused, ok := errors.AsType[*store.Error](store.CheckSlug(slug)); ok {
		address.Error = refused.Message
		return address, nil
	}
	free, err := a.DB.FreeSlug(ctx, slug)
	if err == nil && free != slug {
		address.Error, address.Free = "“"+slug+"” is taken.", free
	}
	return address, err
}
