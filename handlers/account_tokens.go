package handlers

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// tokenRequest is the submitted form for a new token.
type tokenRequest struct {
	Name     string   `form:"name"`
	Team     string   `form:"team"`
	Scopes   []string `form:"scope"`
	Lifetime string   `form:"lifetime"` // days
}

// tokenDays returns the lifetimes to choose from; the second is the default.
func tokenDays() []int { return []int{7, 30, 90, 365} }

func (r tokenRequest) wanted() store.NewToken {
	n := store.NewToken{TeamID: r.Team, Name: r.Name}
	for _, s := range r.Scopes {
		n.Scopes = append(n.Scopes, store.Scope(s))
	}
	if days, err := strconv.Atoi(r.Lifetime); err == nil && slices.Contains(tokenDays(), days) {
		n.Lifetime = time.Duration(days) * 24 * time.Hour
	}
	return n
}

func (a *App) showTokens(c echo.Context) error {
	var made views.MadeToken
	if shown := a.flashOf(c).Token; shown != nil {
		made = *shown
	}
	return a.tokensPage(c, http.StatusOK, tokenRequest{}, made, nil)
}

// makeToken creates a token. Its secret is stored nowhere: only the next page shows it.
func (a *App) makeToken(c echo.Context) error {
	var r tokenRequest
	if err := c.Bind(&r); err != nil {
		return err
	}
	token, secret, err := a.DB.CreateToken(c.Request().Context(), signin.VisitorOf(c).Actor, r.wanted())
	if refused, ok := errors.AsType[*store.Error](err); ok {
		return a.tokensPage(c, api.StatusOf(refused.Code), r, views.MadeToken{}, refused)
	}
	if err != nil {
		return err
	}
	return a.goToOnce(c, "/account/tokens", flash{Token: &views.MadeToken{Name: word(token.Name), Secret: secret}})
}

func (a *App) revokeToken(c echo.Context) error {
	if err := a.DB.RevokeToken(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("token")); err != nil {
		return err
	}
	return reply.GoTo(c, "/account/tokens")
}

func (a *App) tokensPage(c echo.Context, status int, r tokenRequest, made views.MadeToken, refused *store.Error) error {
	ctx, who := c.Request().Context(), signin.VisitorOf(c)
	tokens, err := a.DB.Tokens(ctx, who.Actor)
	if err != nil {
		return err
	}
	form, err := a.tokenForm(ctx, who, r, refused)
	if err != nil {
		return err
	}
	shell, err := a.shell(ctx, who, "API tokens", views.PlaceAccount)
	if err != nil {
		return err
	}
	page := views.TokensPage{Shell: shell, Form: form, Made: made}
	for _, k := range tokens {
		page.Tokens = append(page.Tokens, tokenRow(k))
	}
	return reply.Render(c, status, views.Tokens(page))
}

func tokenRow(k store.Token) views.TokenRow {
	row := views.TokenRow{
		ID: k.ID, Name: word(k.Name), Team: word(k.Team), ExpiresAt: k.ExpiresAt, Expired: !time.Now().Before(k.ExpiresAt), UsedAt: k.LastUsedAt,
	}
	for _, s := range k.Scopes {
		row.Scopes = append(row.Scopes, string(s))
	}
	return row
}

func (a *App) tokenForm(ctx context.Context, who signin.Visitor, r tokenRequest, refused *store.Error) (views.TokenForm, error) {
	teams, err := a.DB.Teams(ctx, who.Actor)
	if err != nil {
		return views.TokenForm{}, err
	}
	form := views.TokenForm{Name: r.Name}
	for _, t := range teams {
		form.Teams = append(form.Teams, views.Choice{Value: t.ID, Label: word(t.Name), Selected: t.ID == r.Team})
	}
	for _, days := range tokenDays() {
		value := strconv.Itoa(days)
		form.Lifetimes = append(form.Lifetimes, views.Choice{Value: value, Label: value + " days", Selected: value == cmp.Or(r.Lifetime, "30")})
	}
	for _, s := range store.Scopes() {
		if label, description := scopeLabel(s); s != store.Administer || who.User.Admin {
			form.Scopes = append(form.Scopes, views.Choice{Value: string(s), Label: label, Description: description, Selected: slices.Contains(r.Scopes, string(s))})
		}
	}
	if refused != nil {
		tellTokenError(&form, refused)
	}
	return form, nil
}

func tellTokenError(form *views.TokenForm, refused *store.Error) {
	switch refused.Field {
	case "name":
		form.NameError = refused.Message
	case "team":
		form.TeamError = refused.Message
	case "scopes":
		form.ScopesError = refused.Message
	case "lifetime":
		form.LifetimeError = refused.Message
	default:
		form.Problem = refused.Message
	}
}

// scopeLabel returns the label and description of a scope.
func scopeLabel(s store.Scope) (label, description string) {
	switch s {
	case store.ReadStores:
		return "See stores", "stores:read: stores with their pods, events and logs, and the activity. Required by the other store permissions."
	case store.WriteStores:
		return "Create and change stores", "stores:write: also retry, repair, check, back up, upgrade and roll back."
	case store.RemoveStores:
		return "Delete stores", "stores:delete: with all their data."
	case store.ReadCredentials:
		return "See admin logins", "credentials:read: the shops’ passwords."
	case store.ReadTeam:
		return "See the team", "team:read: its members and who did what."
	case store.WriteTeam:
		return "Manage the team", "team:write: its members and name, and your other tokens."
	case store.Administer:
		return "Administer the installation", "installation: backup targets; the audit log of all teams, with team:read; events of the installation, with stores:read."
	}
	return string(s), ""
}
