package handlers

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/provider"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

const (
	methodsPath = "/account/sign-in-methods"
	methodsPage = "/account#sign-in-methods"
)

// addMethodLinks are the links with which the visitor adds a sign-in method.
func (a *App) addMethodLinks(who visitor) []views.Link {
	var links []views.Link
	for _, p := range a.providers {
		address := methodsPath + "/" + url.PathEscape(p.Name) + "?" + url.Values{"key": {methodKey(who)}}.Encode()
		links = append(links, views.Link{Label: p.Label, Address: address})
	}
	return links
}

// methodKey proves that a link is from the session's own account page. A link on another site
// could otherwise have the account of somebody else added.
func methodKey(who visitor) string {
	sum := sha256.Sum256([]byte("add a sign-in method\n" + who.sessionID))
	return hex.EncodeToString(sum[:])
}

// addMethod leads to the provider whose account becomes another sign-in method.
func (a *App) addMethod(c echo.Context) error {
	p, who := a.providerNamed(c.Param("provider")), visitorOf(c)
	if p == nil {
		return echo.ErrNotFound
	}
	if subtle.ConstantTimeCompare([]byte(c.QueryParam("key")), []byte(methodKey(who))) != 1 {
		return c.Redirect(http.StatusSeeOther, methodsPage)
	}
	at := newAttempt(p.Name, methodsPage)
	at.AddTo = who.User.ID
	return a.goToProvider(c, p, at)
}

// finishAdding is where the provider leads back. The session of the user who began must still
// be there.
func (a *App) finishAdding(c echo.Context, p *provider.Provider, at attempt) error {
	ctx := c.Request().Context()
	session, err := a.DB.Session(ctx, a.sessions.id(c.Request()))
	if store.ErrorCode(err) == store.NotFound || err == nil && session.User.ID != at.AddTo {
		err = refusal{why: notBegunHere}
	}
	if err != nil {
		return a.refuse(c, p, at, err)
	}
	who, err := a.identify(c, p, at)
	if err == nil {
		session.Actor.Address = c.RealIP()
		err = a.DB.AddIdentity(ctx, session.Actor, who)
	}
	if err != nil {
		return a.refuse(c, p, at, err)
	}
	return c.Redirect(http.StatusSeeOther, methodsPage)
}

func (a *App) removeMethod(c echo.Context) error {
	who, removal := visitorOf(c), store.Removal{Provider: c.FormValue("provider"), Subject: c.FormValue("subject")}
	removal.Label, removal.SessionID = a.labelOf(removal.Provider), who.sessionID
	for _, p := range a.providers {
		removal.Usable = append(removal.Usable, p.URL)
	}
	err := a.DB.RemoveIdentity(c.Request().Context(), who.Actor, removal)
	if errors.Is(err, store.ErrOnlyMethod) {
		return goTo(c, accountRefused(onlyMethod, ""))
	}
	if err != nil {
		return err
	}
	return goTo(c, methodsPage)
}

// accountRefused is the account page that says why a sign-in method was not changed.
func accountRefused(because why, providerName string) string {
	return "/account?" + url.Values{"refused": {string(because)}, "with": {providerName}}.Encode()
}
