package handlers

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/shop"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// createRequest is the submitted create form.
type createRequest struct {
	Key    string `form:"form-key"` // hidden in the form: see onceOf
	From   string `form:"from"`     // id of a restore point; hidden in the form
	Name   string `form:"name" query:"name"`
	Slug   string `form:"slug" query:"slug"`
	Engine string `form:"engine" query:"engine"`
	Team   string `form:"team" query:"team"`
	// Templates are the chosen templates by engine: the form has a field for each engine.
	Templates map[string]string
	Country   string `form:"country" query:"country"`
	Currency  string `form:"currency" query:"currency"`
	// OwnerEmail is nil in a form that nobody has filled in yet.
	OwnerEmail *string `form:"owner_email" query:"owner_email"`
}

func (a *App) createRequest(c echo.Context) (r createRequest, err error) {
	if err := c.Bind(&r); err != nil {
		return r, err
	}
	r.Templates = map[string]string{}
	for _, e := range a.Engines.All() {
		r.Templates[e.Name()] = c.FormValue(views.TemplateField(e.Name()))
	}
	return r, nil
}

func (r createRequest) ownerEmail() string {
	if r.OwnerEmail == nil {
		return ""
	}
	return *r.OwnerEmail
}

// createChoices returns the engines with their templates. The first ones are selected by default.
func (a *App) createChoices(r createRequest) ([]views.EngineChoice, error) {
	engines := a.engineChoices(r.Engine)
	if r.Engine == "" && len(engines) > 0 {
		engines[0].Selected = true
	}
	var all []views.EngineChoice
	for _, e := range engines {
		templates, err := a.Engines.Templates(e.Value)
		if err != nil {
			return nil, err
		}
		choice := views.EngineChoice{Choice: e}
		for _, t := range templates {
			selected := t.Name == cmp.Or(r.Templates[e.Value], templates[0].Name)
			choice.Templates = append(choice.Templates, views.Choice{Value: t.Name, Label: t.Label, Description: t.Description, Selected: selected})
		}
		all = append(all, choice)
	}
	return all, nil
}

func countryChoices(selected store.Country) (countries []views.CountryChoice, currencies []views.Choice) {
	for _, c := range store.Countries() {
		countries = append(countries, views.CountryChoice{
			Choice: views.Choice{Value: c.Code, Label: c.Name, Selected: c.Code == selected.Code}, Currency: c.Currency,
		})
	}
	for _, code := range store.Currencies() {
		currencies = append(currencies, views.Choice{Value: code, Label: code, Selected: code == selected.Currency})
	}
	return countries, currencies
}

// teamsToCreateIn returns the teams to choose from, the personal one first, or none if there is only one.
func (a *App) teamsToCreateIn(ctx context.Context, who signin.Visitor, chosen string) (choices []views.Choice, err error) {
	teams, err := a.shops.TeamsFor(ctx, who.Actor)
	if err != nil || len(teams) < 2 {
		return nil, err
	}
	for _, t := range teams {
		choices = append(choices, views.Choice{Value: t.ID, Label: word(t.Name), Selected: t.ID == chosen})
	}
	return choices, nil
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
	if err := a.fillContent(ctx, who, r, &form); err != nil {
		return views.CreateForm{}, err
	}
	if form.Teams, err = a.teamsToCreateIn(ctx, who, r.Team); err != nil {
		return views.CreateForm{}, err
	}
	if r.OwnerEmail != nil {
		form.OwnerEmail = *r.OwnerEmail
	} else if form.OwnerEmail, err = a.DB.OwnerEmail(ctx, who.Actor); err != nil {
		return views.CreateForm{}, err
	}
	return form, nil
}

// fillContent sets what the shop begins with: a restore point, or what can be chosen.
func (a *App) fillContent(ctx context.Context, who signin.Visitor, r createRequest, form *views.CreateForm) (err error) {
	if r.From != "" {
		return a.fillPoint(ctx, who, r.From, form)
	}
	if form.Engines, err = a.createChoices(r); err != nil {
		return err
	}
	chosen, err := store.ChooseCountry(r.Country, r.Currency)
	if err != nil { // the form shows what was typed
		chosen = store.Country{Code: r.Country, Currency: r.Currency}
	}
	form.Countries, form.Currencies = countryChoices(chosen)
	return nil
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
	if from := c.QueryParam("from"); from != "" {
		return a.newFromPoint(c, from)
	}
	form, err := a.form(c.Request().Context(), signin.VisitorOf(c), createRequest{Team: c.QueryParam("team")})
	if err != nil {
		return err
	}
	return a.createPage(c, http.StatusOK, form)
}

func (a *App) createPage(c echo.Context, status int, form views.CreateForm) error {
	shell, err := a.shell(c.Request().Context(), signin.VisitorOf(c), views.CreateTitle(form), views.PlaceStores)
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

// create returns the id of the new store, or of the one that the same form has created before.
func (a *App) create(c echo.Context, who signin.Visitor, r createRequest) (id string, err error) {
	once, err := onceOf(c)
	if err != nil {
		return "", err
	}
	return a.shops.Create(c.Request().Context(), who.Actor, shop.Order{Once: once, ChooseTeam: true, NewStore: store.NewStore{
		TeamID: r.Team, Name: r.Name, Slug: r.Slug, Engine: r.Engine, Template: r.Templates[r.Engine], Country: r.Country, Currency: r.Currency,
		OwnerEmail: r.ownerEmail(), From: r.From,
	}})
}

// createAgain shows the form as typed, with the error at its field.
func (a *App) createAgain(c echo.Context, r createRequest, refused *store.Error) error {
	form, err := a.form(c.Request().Context(), signin.VisitorOf(c), r)
	if err != nil {
		return err
	}
	if form.Address, err = a.address(c.Request().Context(), signin.VisitorOf(c).Actor, r); err != nil {
		return err
	}
	setError(&form, refused)
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

// setError shows what is wrong at its field, or at the top if the form doesn't have the field.
func setError(form *views.CreateForm, refused *store.Error) {
	field := refused.Field
	if form.Restore != nil && slices.Contains([]string{"engine", "template", "country", "currency"}, field) {
		field = ""
	}
	switch field {
	case "name":
		form.NameError = refused.Message
	case "slug":
		if form.Address.Error == "" { // for example if a free one was taken a moment ago
			form.Address.Error = refused.Message
		}
	case "team":
		form.TeamError = refused.Message
		if len(form.Teams) == 0 { // the form has no such field
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
}

// checkAddress shows, while the form is filled in, which address the store would get.
func (a *App) checkAddress(c echo.Context) error {
	r, err := a.createRequest(c)
	if err != nil {
		return err
	}
	r.From = "" // the address doesn't depend on it
	form, err := a.form(c.Request().Context(), signin.VisitorOf(c), r)
	if err != nil {
		return err
	}
	if form.Address, err = a.address(c.Request().Context(), signin.VisitorOf(c).Actor, r); err != nil {
		return err
	}
	return reply.Render(c, http.StatusOK, views.AddressField(form))
}

func (a *App) address(ctx context.Context, who store.Actor, r createRequest) (views.Address, error) {
	slug := strings.TrimSpace(r.Slug)
	if slug == "" {
		if strings.TrimSpace(r.Name) == "" {
			return views.Address{}, nil
		}
		free, err := a.DB.FreeSlug(ctx, who, store.ProposeSlug(r.Name))
		return views.Address{Slug: free, Checked: true}, err
	}
	address := views.Address{Slug: slug, Checked: true}
	if refused, ok := errors.AsType[*store.Error](store.CheckSlug(slug)); ok {
		address.Error = refused.Message
		return address, nil
	}
	free, err := a.DB.FreeSlug(ctx, who, slug)
	if err == nil && free != slug {
		address.Error, address.Free = "“"+slug+"” is taken.", free
	}
	return address, err
}
