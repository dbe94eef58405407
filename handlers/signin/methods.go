package signin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/provider"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

const (
	// MethodsPath is where sign-in methods are added and removed.
	MethodsPath = "/account/sign-in-methods"
	methodsPage = "/account#sign-in-methods"
)

// AddMethodLinks are the links with which the visitor adds a sign-in method.
func (e *Entrance) AddMethodLinks(who Visitor) []views.Link {
	var links []views.Link
	for _, p := range e.providers {
		address := MethodsPath + "/" + url.PathEscape(p.Name) + "?" + url.Values{"key": {methodKey(who)}}.Encode()
		links = append(links, views.Link{Label: p.Label, Address: address})
	}
	return links
}

// methodKey proves that a link is from the session's own account page. A link on another site
// could otherwise have the account of somebody else added.
func methodKey(who Visitor) string {
	sum := sha256.Sum256([]byte("add a sign-in method\n" + who.SessionID))
	return hex.EncodeToString(sum[:])
}

// AddMethod leads to the provider whose account becomes another sign-in method.
func (e *Entrance) AddMethod(c echo.Context) error {
	p, who := e.providerNamed(c.Param("provider")), VisitorOf(c)
	if p == nil {
		return echo.ErrNotFound
	}
	if subtle.ConstantTimeCompare([]byte(c.QueryParam("key")), []byte(methodKey(who))) != 1 {
		return c.Redirect(http.StatusSeeOther, methodsPage)
	}
	at := newAttempt(p.Name, methodsPage)
	at.AddTo = who.User.ID
	return e.goToProvider(c, p, at)
}

// finishAdding is where the provider leads back. The session of the user who began must still
// be there.
func (e *Entrance) finishAdding(c echo.Context, p *provider.Provider, at attempt) error {
	ctx := c.Request().Context()
	session, err := e.DB.Session(ctx, e.sessions.id(c.Request()))
	if store.ErrorCode(err) == store.NotFound || err == nil && session.User.ID != at.AddTo {
		err = refusal{why: notBegunHere}
	}
	if err != nil {
		return e.refuse(c, p, at, err)
	}
	who, err := e.identify(c, p, at)
	if err == nil {
		session.Actor.Address = c.RealIP()
		err = e.DB.AddIdentity(ctx, session.Actor, who)
	}
	if err != nil {
		return e.refuse(c, p, at, err)
	}
	return c.Redirect(http.StatusSeeOther, methodsPage)
}

// RemoveMethod removes a sign-in method of the visitor, unless it is the only one.
func (e *Entrance) RemoveMethod(c echo.Context) error {
	who, removal := VisitorOf(c), store.Removal{Provider: c.FormValue("provider"), Subject: c.FormValue("subject")}
	removal.Label, removal.SessionID = e.ProviderLabel(removal.Provider), who.SessionID
	for _, p := range e.providers {
		removal.Usable = append(removal.Usable, p.URL)
	}
	err := e.DB.RemoveIdentity(c.Request().Context(), who.Actor, removal)
	if errors.Is(err, store.ErrOnlyMethod) {
		return reply.GoTo(c, accountRefused(onlyMethod, ""))
	}
	if err != nil {
		return err
	}
	return reply.GoTo(c, methodsPage)
}

// accountRefused is the account page that says why a sign-in method was not changed.
func accountRefused(because why, providerName string) string {
	return "/account?" + url.Values{"refused": {string(because)}, "with": {providerName}}.Encode()
}
