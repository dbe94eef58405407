package signin

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/provider"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// CallbackURL is the address to which a provider of that name sends people back.
func CallbackURL(baseURL, providerName string) string {
	return baseURL + "/sign-in/with/" + providerName + "/callback"
}

func (e *Entrance) providerNamed(name string) *provider.Provider {
	for _, p := range e.providers {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// ProviderLabel names a provider for people, which may be configured no longer.
func (e *Entrance) ProviderLabel(url string) string {
	for _, p := range e.providers {
		if p.URL == url {
			return p.Label
		}
	}
	return legible.Word(url)
}

func (e *Entrance) providerLinks() []views.Provider {
	var links []views.Provider
	for _, p := range e.providers {
		links = append(links, views.Provider{Name: p.Name, Label: p.Label})
	}
	return links
}

// Begin leads to the provider. A link on another site leads to the sign-in page only, so
// that nobody signs in without wanting to. A store beside us, below the same domain, is another site.
func (e *Entrance) Begin(c echo.Context) error {
	p := e.providerNamed(c.Param("provider"))
	if p == nil {
		return echo.ErrNotFound
	}
	if site := c.Request().Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		return reply.GoTo(c, "/sign-in?"+c.QueryParams().Encode())
	}
	at := newAttempt(p.Name, reply.SafeNext(c.QueryParam("next")))
	at.Again = signsInAgain(c.Request())
	return e.goToProvider(c, p, at)
}

func (e *Entrance) goToProvider(c echo.Context, p *provider.Provider, at attempt) error {
	address, err := p.Begin(c.Request().Context(), at.Attempt)
	if err != nil {
		return e.refuse(c, p, at, err)
	}
	if err := e.attempts.Set(c, at); err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Redirect(http.StatusSeeOther, address)
}

// Finish is where the provider leads back.
func (e *Entrance) Finish(c echo.Context) error {
	p := e.providerNamed(c.Param("provider"))
	if p == nil {
		return echo.ErrNotFound
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	var at attempt
	begun := e.attempts.Open(c.Request(), &at)
	if !begun || !at.is(p.Name, c.QueryParam("state")) {
		return e.refuse(c, p, attempt{}, refusal{why: notBegunHere})
	}
	e.attempts.Forget(c)
	if at.AddTo != "" {
		return e.finishAdding(c, p, at)
	}
	id, err := e.admit(c, p, at)
	if err != nil {
		return e.refuse(c, p, at, err)
	}
	if err := e.Keep(c, id); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, reply.SafeNext(at.Next))
}

// admit opens a session for the person whom the provider has sent.
func (e *Entrance) admit(c echo.Context, p *provider.Provider, at attempt) (sessionID string, err error) {
	ctx := c.Request().Context()
	who, err := e.identify(c, p, at)
	if err != nil {
		return "", err
	}
	rules := e.Admission
	if rules.Invited, err = e.Invited(ctx, at.Next, who); err != nil {
		return "", err
	}
	id, err := e.DB.SignInWith(ctx, who, e.browserOf(c), rules)
	if errors.Is(err, store.ErrStranger) {
		return "", refusal{why: stranger, reason: rules.WhyStranger(who)}
	}
	return id, err
}

// identify asks the provider who has come, once for each attempt.
func (e *Entrance) identify(c echo.Context, p *provider.Provider, at attempt) (store.Identity, error) {
	ctx := c.Request().Context()
	err := e.DB.UseState(ctx, at.State, attemptLifetime)
	if store.ErrorCode(err) == store.Conflict {
		return store.Identity{}, refusal{why: usedAlready}
	}
	if err != nil {
		return store.Identity{}, err
	}
	if err := answered(c, p); err != nil {
		return store.Identity{}, err
	}
	who, err := p.Finish(ctx, at.Attempt, c.QueryParam("code"))
	who.Name = legible.Word(who.Name)
	return who, err
}

// answered makes sure that the provider has sent a code, and no other one in its place.
func answered(c echo.Context, p *provider.Provider) error {
	issuer := c.QueryParam("iss") // RFC 9207
	switch reason := c.QueryParam("error"); {
	case reason == "access_denied":
		return refusal{why: cancelled}
	case reason != "":
		return refusal{why: declined, reason: legible.Word(reason)}
	case c.QueryParam("code") == "":
		return refusal{why: declined, reason: "there is no code"}
	case issuer != "" && issuer != p.URL && p.Kind == provider.OIDC:
		return refusal{why: unbelievable, reason: "another issuer has answered"}
	}
	return nil
}

// why is the reason of a refusal, as an address can name it.
type why string

const (
	notBegunHere why = "elsewhere"
	usedAlready  why = "used"
	cancelled    why = "cancelled"
	declined     why = "declined"
	unreachable  why = "unreachable"
	unbelievable why = "unbelievable"
	disabled     why = "disabled"
	stranger     why = "stranger"
	addressTaken why = "address-taken"
	methodKnown  why = "known"
	methodTaken  why = "taken"
	onlyMethod   why = "only-method"
)

// sentence is what somebody reads who was refused; label is the provider's.
func (w why) sentence(label string) string {
	switch w {
	case notBegunHere:
		return "This sign-in expired, or a newer one was started. Sign in again."
	case usedAlready:
		return "This sign-in was already used. Sign in again."
	case cancelled:
		return "Sign-in with " + label + " was cancelled. Try again, or use another sign-in method."
	case declined:
		return label + " refused the sign-in. Try again. If it fails again, tell your administrator."
	case unreachable:
		return label + " isn’t responding. Try again in a moment, or use another sign-in method."
	case unbelievable:
		return label + " sent an invalid response. Try again. If it fails again, tell your administrator."
	case disabled:
		return store.ErrDisabled.Message
	case stranger:
		return store.ErrStranger.Message
	case addressTaken:
		return store.ErrAddressTaken.Message
	case methodKnown:
		return store.ErrMethodKnown.Message
	case methodTaken:
		return store.ErrMethodTaken.Message
	case onlyMethod:
		return store.ErrOnlyMethod.Message
	default:
		return ""
	}
}

// refusal is why a sign-in with a provider did not succeed.
type refusal struct {
	why    why
	reason string // for the log
}

// Error implements error.
func (r refusal) Error() string { return fmt.Sprintf("%s %s", r.why, r.reason) }

// refusalFor finds the refusal in an error, if it is one.
func refusalFor(err error) (refusal, bool) {
	if r, ok := errors.AsType[refusal](err); ok {
		return r, true
	}
	if e, ok := errors.AsType[*provider.Error](err); ok {
		r := refusal{why: unbelievable, reason: e.Error()}
		if e.Unreachable {
			r.why = unreachable
		}
		return r, true
	}
	for known, because := range map[error]why{
		store.ErrDisabled: disabled, store.ErrAddressTaken: addressTaken,
		store.ErrMethodKnown: methodKnown, store.ErrMethodTaken: methodTaken, store.ErrOnlyMethod: onlyMethod,
	} {
		if errors.Is(err, known) {
			return refusal{why: because}, true
		}
	}
	return refusal{}, false
}

// refuse leads back to the page where the attempt began, away from an address with a code in
// it. Errors of our own are none of the provider's, and are returned.
func (e *Entrance) refuse(c echo.Context, p *provider.Provider, at attempt, err error) error {
	r, refused := refusalFor(err)
	if !refused {
		return err
	}
	e.Log.Warn("sign-in refused", "provider", p.Name, "why", string(r.why), "reason", r.reason, "address", c.RealIP(),
		"request", c.Response().Header().Get(echo.HeaderXRequestID))
	if at.AddTo != "" {
		return c.Redirect(http.StatusSeeOther, accountRefused(r.why, p.Name))
	}
	query := url.Values{"refused": {string(r.why)}, "with": {p.Name}}
	if at.Next != "" {
		query.Set("next", at.Next)
	}
	return c.Redirect(http.StatusSeeOther, "/sign-in?"+query.Encode())
}

// RefusalOf is the sentence that the address asks for, empty for none.
func (e *Entrance) RefusalOf(c echo.Context) string {
	label := "The provider"
	if p := e.providerNamed(c.QueryParam("with")); p != nil {
		label = p.Label
	}
	return why(c.QueryParam("refused")).sentence(label)
}
