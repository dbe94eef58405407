package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/markbates/goth/providers/openidConnect"

	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
)

// discover asks the issuer where its parts are, until it has answered once.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	known := p.issuer
	p.mu.Unlock()
	if known != nil {
		return known, nil
	}
	issuer, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.URL)
	if err != nil {
		return nil, fmt.Errorf("discover the issuer: %w", err)
	}
	address, err := url.Parse(issuer.Endpoint().AuthURL)
	if err != nil || address.Host == "" || !maySpeakTo(address, strings.HasPrefix(p.URL, "http://")) {
		return nil, errors.New("discover the issuer: its page for signing in is not under https")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.issuer = issuer
	return issuer, nil
}

// goth speaks to the issuer for one sign-in.
func (p *Provider) goth(ctx context.Context, issuer *oidc.Provider) (*openidConnect.Provider, error) {
	at := issuer.Endpoint()
	scopes := append([]string{oidc.ScopeOpenID, "profile", "email"}, p.Scopes...)
	speaker, err := openidConnect.NewCustomisedURL(p.ClientID, p.ClientSecret, p.callback,
		at.AuthURL, at.TokenURL, p.URL, issuer.UserInfoEndpoint(), "", scopes...)
	if err != nil {
		return nil, err
	}
	speaker.HTTPClient = p.within(ctx)
	return speaker, nil
}

func (p *Provider) beginOIDC(ctx context.Context, a Attempt) (string, error) {
	issuer, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	speaker, err := p.goth(ctx, issuer)
	if err != nil {
		return "", err
	}
	options := map[string]string{"nonce": a.Nonce}
	maps.Copy(options, a.challenge())
	speaker.SetAuthCodeOptions(options)
	session, err := speaker.BeginAuth(a.State)
	if err != nil {
		return "", err
	}
	return session.GetAuthURL()
}

func (p *Provider) finishOIDC(ctx context.Context, a Attempt, code string) (store.Identity, error) {
	issuer, err := p.discover(ctx)
	if err != nil {
		return store.Identity{}, err
	}
	speaker, err := p.goth(ctx, issuer)
	if err != nil {
		return store.Identity{}, err
	}
	session := &openidConnect.Session{}
	if _, err := session.Authorize(speaker, url.Values{"code": {code}, "code_verifier": {a.Verifier}}); err != nil {
		return store.Identity{}, fmt.Errorf("trade the code: %w", err)
	}
	told, err := p.verify(ctx, issuer, session.IDToken, a.Nonce)
	if err != nil {
		return store.Identity{}, fmt.Errorf("verify the id token: %w", hide(err, session.IDToken, session.AccessToken))
	}
	speaker.SkipUserInfoRequest = told.complete()
	user, err := speaker.FetchUser(session)
	if err != nil {
		return store.Identity{}, fmt.Errorf("ask who it is: %w", hide(err, session.IDToken, session.AccessToken))
	}
	return p.identity(user.UserID, user.Name, user.NickName, user.Email, isTrue(user.RawData[openidConnect.EmailVerifiedClaim])), nil
}

// claims are those of an id token that goth does not look at, or that it trusts.
type claims struct {
	Name       string `json:"name"`
	Email      string `json:"email"`
	Verified   any    `json:"email_verified"`
	Authorized string `json:"azp"`
}

// complete reports whether there is nothing left to ask for.
func (c claims) complete() bool { return c.Name != "" && c.Email != "" && c.Verified != nil }

// verify makes sure that the issuer has made the token, now, for us and for this attempt.
// goth reads it without looking at its signature.
func (p *Provider) verify(ctx context.Context, issuer *oidc.Provider, raw, nonce string) (claims, error) {
	if raw == "" {
		return claims{}, errors.New("there is none")
	}
	token, err := issuer.Verifier(&oidc.Config{ClientID: p.ClientID}).Verify(ctx, raw)
	if err != nil {
		return claims{}, err
	}
	var told claims
	if err := token.Claims(&told); err != nil {
		return claims{}, err
	}
	switch {
	case token.Nonce != nonce:
		return claims{}, errors.New("it is of another sign-in: the nonce differs")
	case told.Authorized != "" && told.Authorized != p.ClientID:
		return claims{}, errors.New("it was made for another client")
	}
	return told, nil
}

// identity is the person as the records keep it. Where there is no name, the address has one.
func (p *Provider) identity(subject, name, nickname, email string, verified bool) store.Identity {
	if !isAddress(email) {
		email, verified = "", false
	}
	local, _, _ := strings.Cut(email, "@")
	names := []string{name, nickname, local, "Somebody"}
	named := slices.IndexFunc(names, func(n string) bool { return strings.TrimSpace(n) != "" })
	return store.Identity{
		Provider: p.URL, Label: p.Label, Subject: subject, Name: names[named], Email: email, Verified: verified,
	}
}

// longestAddress is in bytes. See RFC 5321, section 4.5.3.1.3.
const longestAddress = 254

// isAddress reports whether the text can be kept and shown as an address without a change: one
// that was changed is none that anybody has verified.
func isAddress(text string) bool {
	local, domain, _ := strings.Cut(text, "@")
	return local != "" && domain != "" && !strings.Contains(domain, "@") && len(text) <= longestAddress &&
		text == legible.Text(text) && !strings.ContainsFunc(text, unicode.IsSpace)
}

// isTrue reports whether a claim is true. Some issuers write it as text.
func isTrue(claim any) bool { return claim == true || claim == "true" }
