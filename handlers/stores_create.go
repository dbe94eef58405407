package handlers

import (
	"cmp"
	"context"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// createRequest is what somebody typed into the create form.
type createRequest struct {
	Key    string `form:"form-key"` // of the form, which was drawn with it
	Name   string `form:"name" query:"name"`
	Slug   string `form:"slug" query:"slug"`
	Engine string `form:"engine" query:"engine"`
	Team   string `form:"team" query:"team"`
	// Templates by engine: the form asks for one of each.
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

// createChoices are the engines with their templates. Where none was chosen the first one is.
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

// teamsToCreateIn are the teams to choose from, the personal one first; none when there is
// no choice.
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

// teamsShown are the names of the teams whose stores the visitor sees; none when there is
// only one.
func (a *App) teamsShown(ctx context.Context, who signin.Visitor) (map[string]string, error) {
	ids := who.Actor.Teams(store.ViewStores)
	if len(ids) < 2 {
		ids = nil
	}
	return a.DB.TeamNames(ctx, ids)
}
