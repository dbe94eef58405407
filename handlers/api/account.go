package api

import (
	"context"
	"net/http"
	"strconv"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/handlers/paging"
	"shopwright.dev/shopwright/store"
)

func (a *API) registerAccount() {
	register(a, operation{id: "list-engines", method: http.MethodGet, path: "/engines", tag: tagOffer, summary: "List the engines and their templates"}, a.listEngines)
	register(a, operation{id: "list-templates", method: http.MethodGet, path: "/engines/{engine}/templates", tag: tagOffer, summary: "List the templates of an engine"}, a.listTemplates)
	register(a, operation{id: "list-countries", method: http.MethodGet, path: "/countries", tag: tagOffer, summary: "List the countries and currencies for shops"}, a.listCountries)
	register(a, operation{id: "show-me", method: http.MethodGet, path: "/me", tag: tagAccount, summary: "Show the token’s user and permissions"}, a.showMe)
	register(a, operation{id: "list-teams", method: http.MethodGet, path: "/teams", tag: tagAccount, summary: "List the teams the token can access"}, a.listTeams)
	register(a, operation{
		id: "list-tokens", method: http.MethodGet, path: "/tokens", tag: tagAccount, summary: "List your tokens",
		description: "Tokens of this token’s team, expired ones included. Secrets are never returned.",
	}, a.listTokens)
	register(a, operation{
		id: "revoke-token", method: http.MethodDelete, path: "/tokens/{token}", tag: tagAccount, status: http.StatusNoContent, summary: "Revoke a token",
		description: "A token can always revoke itself. Revoking another one requires the scope team:write.",
	}, a.revokeToken)
	register(a, operation{
		id: "list-activity", method: http.MethodGet, path: "/activity", tag: tagAccount, scope: store.ReadStores, summary: "List the activity",
		description: "Newest first. For the next page, send the value of next as before.",
	}, a.listActivity)
}

type enginesOutput struct {
	Body struct {
		Engines []v1.Engine `json:"engines" nullable:"false"`
	}
}

func (a *API) listEngines(context.Context, *struct{}) (*enginesOutput, error) {
	out := &enginesOutput{}
	out.Body.Engines = []v1.Engine{}
	for _, e := range a.Engines.All() {
		templates, err := a.templates(e.Name())
		if err != nil {
			return nil, err
		}
		out.Body.Engines = append(out.Body.Engines, v1.Engine{Name: e.Name(), Label: e.Label(), Description: e.Description(), Templates: templates})
	}
	return out, nil
}

func (a *API) templates(engine string) ([]v1.Template, error) {
	templates, err := a.Engines.Templates(engine)
	all := []v1.Template{}
	for _, t := range templates {
		all = append(all, v1.Template{Name: t.Name, Label: t.Label, Description: t.Description})
	}
	return all, err
}

type templatesInput struct {
	Engine string `path:"engine"`
}

type templatesOutput struct {
	Body struct {
		Templates []v1.Template `json:"templates" nullable:"false"`
	}
}

func (a *API) listTemplates(_ context.Context, in *templatesInput) (*templatesOutput, error) {
	if _, known := a.Engines.Find(in.Engine); !known {
		return nil, &store.Error{Code: store.NotFound, Message: "Engine not found. " + v1.Prefix + "See /engines for the list."}
	}
	templates, err := a.templates(in.Engine)
	out := &templatesOutput{}
	out.Body.Templates = templates
	return out, err
}

type countriesOutput struct {
	Body struct {
		Countries  []v1.Country `json:"countries" nullable:"false"`
		Currencies []string     `json:"currencies" nullable:"false"`
	}
}

func (a *API) listCountries(context.Context, *struct{}) (*countriesOutput, error) {
	out := &countriesOutput{}
	for _, c := range store.Countries() {
		out.Body.Countries = append(out.Body.Countries, v1.Country(c))
	}
	out.Body.Currencies = store.Currencies()
	return out, nil
}

func tokenOf(who store.Actor, k store.Token) v1.Token {
	return v1.Token{
		ID: k.ID, Name: word(k.Name), Team: k.TeamID, TeamName: word(k.Team), Scopes: k.Scopes, CreatedAt: k.CreatedAt,
		ExpiresAt: k.ExpiresAt, UsedAt: at(k.LastUsedAt), Current: k.ID == who.TokenID,
	}
}

type meOutput struct {
	Body v1.Me
}

func (a *API) showMe(ctx context.Context, _ *struct{}) (*meOutput, error) {
	who := callerOf(ctx)
	teams, err := a.teams(ctx)
	if err != nil {
		return nil, err
	}
	me := v1.Me{ID: who.User.ID, Name: word(who.User.Name), Email: word(who.User.Email), Admin: who.User.Admin, Token: tokenOf(who.Actor, who.Token)}
	for _, team := range teams {
		me.Team = team
	}
	if err := a.addLimits(ctx, &me); err != nil {
		return nil, err
	}
	return &meOutput{Body: me}, nil
}

// addLimits adds what a new store would come under.
func (a *API) addLimits(ctx context.Context, me *v1.Me) error {
	who := callerOf(ctx)
	if !who.Actor.May(store.CreateStores, who.Token.TeamID) {
		return nil
	}
	quotas, err := a.DB.Quotas(ctx, who.Actor, who.Token.TeamID, a.Limits)
	if err != nil {
		return err
	}
	for _, q := range quotas {
		me.Quotas = append(me.Quotas, v1.Quota{Of: q.Of, Owner: word(q.Owner), Used: q.Used, Allowed: q.Allowed})
	}
	p, err := a.DB.Pace(ctx, who.Actor, a.Limits.Creates)
	if err == nil && !p.Rate.Unlimited() {
		me.Pace = &v1.Pace{Times: p.Rate.Times, WithinSeconds: p.Rate.Within.Seconds(), Used: p.Used, RetryAfter: Seconds(p.Wait)}
	}
	return err
}

// teams are those of the user in which the token is good.
func (a *API) teams(ctx context.Context) ([]v1.Team, error) {
	teams, err := a.DB.Teams(ctx, actorOf(ctx))
	all := []v1.Team{}
	for _, t := range teams {
		all = append(all, v1.Team{ID: t.ID, Name: word(t.Name), Personal: t.Personal, Role: t.Role})
	}
	return all, err
}

type teamsOutput struct {
	Body struct {
		Teams []v1.Team `json:"teams" nullable:"false"`
	}
}

func (a *API) listTeams(ctx context.Context, _ *struct{}) (*teamsOutput, error) {
	teams, err := a.teams(ctx)
	out := &teamsOutput{}
	out.Body.Teams = teams
	return out, err
}

type tokensOutput struct {
	Body struct {
		Tokens []v1.Token `json:"tokens" nullable:"false"`
	}
}

func (a *API) listTokens(ctx context.Context, _ *struct{}) (*tokensOutput, error) {
	tokens, err := a.DB.Tokens(ctx, actorOf(ctx))
	out := &tokensOutput{}
	out.Body.Tokens = []v1.Token{}
	for _, k := range tokens {
		out.Body.Tokens = append(out.Body.Tokens, tokenOf(actorOf(ctx), k))
	}
	return out, err
}

type revokeInput struct {
	ID string `path:"token" doc:"The token’s ID."`
}

func (a *API) revokeToken(ctx context.Context, in *revokeInput) (*struct{}, error) {
	return nil, a.DB.RevokeToken(ctx, actorOf(ctx), in.ID)
}

type activityInput struct {
	Before int64 `query:"before" minimum:"1" doc:"Only events before the one with this number."`
	Limit  int   `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type activityOutput struct {
	Body struct {
		Events []v1.Event `json:"events" nullable:"false"`
		Next   string     `json:"next,omitempty" doc:"Value of before for the next page; absent on the last page."`
	}
}

func (a *API) listActivity(ctx context.Context, in *activityInput) (*activityOutput, error) {
	events, err := a.DB.Activity(ctx, actorOf(ctx), in.Before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &activityOutput{}
	out.Body.Events = []v1.Event{}
	events, more := paging.Cut(events, in.Limit)
	if more {
		out.Body.Next = strconv.FormatInt(events[in.Limit-1].Number, 10)
	}
	for _, e := range events {
		out.Body.Events = append(out.Body.Events, eventOf(e))
	}
	return out, nil
}
