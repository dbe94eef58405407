package provider

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

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
	issuer, err := oidc.NewProvider(oidc.ClientContext(ctx, withUsableKeys(p.client)), p.URL)
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

// oauth is how we are known to the issuer.
func (p *Provider) oauth(issuer *oidc.Provider) (oauth2.Config, error) {
	var metadata struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := issuer.Claims(&metadata); err != nil {
		return oauth2.Config{}, fmt.Errorf("read what the issuer says of itself: %w", err)
	}
	endpoint := issuer.Endpoint()
	endpoint.AuthStyle = authStyle(metadata.Methods)
	return oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: endpoint, RedirectURL: p.callback,
		Scopes: append([]string{oidc.ScopeOpenID, "profile", "email"}, p.Scopes...),
	}, nil
}

// authStyle is how the issuer takes the client's secret. Where it takes both, or does not say,
// both are tried, which fails only at issuers that use up a code at the first try.
func authStyle(methods []string) oauth2.AuthStyle {
	header, form := slices.Contains(methods, "client_secret_basic"), slices.Contains(methods, "client_secret_post")
	switch {
	case form && !header:
		return oauth2.AuthStyleInParams
	case header && !form:
		return oauth2.AuthStyleInHeader
	}
	return oauth2.AuthStyleAutoDetect
}

func (p *Provider) beginOIDC(ctx context.Context, a Attempt) (string, error) {
	issuer, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	client, err := p.oauth(issuer)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)}
	if a.Again {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
	}
	return client.AuthCodeURL(a.State, options...), nil
}

func (p *Provider) finishOIDC(ctx context.Context, a Attempt, code string) (store.Identity, error) {
	issuer, err := p.discover(ctx)
	if err != nil {
		return store.Identity{}, err
	}
	client, err := p.oauth(issuer)
	if err != nil {
		return store.Identity{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := client.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return store.Identity{}, fmt.Errorf("trade the code: %w", err)
	}
	raw, _ := token.Extra("id_token").(string)
	told, err := p.verify(ctx, issuer, raw, a.Nonce)
	if err != nil {
		return store.Identity{}, fmt.Errorf("verify the id token: %w", hide(err, raw, token.AccessToken))
	}
	if !told.complete() && issuer.UserInfoEndpoint() != "" {
		if told, err = ask(ctx, issuer, token, told); err != nil {
			return store.Identity{}, fmt.Errorf("ask who it is: %w", hide(err, raw, token.AccessToken))
		}
	}
	verified, doubt := p.verifies(told.Verified)
	return p.identity(told.Subject, email{told.Email, verified, doubt}, told.Name, told.Nickname, told.Username), nil
}

// claims are what an issuer says about a person.
type claims struct {
	Subject    string `json:"sub"`
	Name       string `json:"name"`
	Nickname   string `json:"nickname"`
	Username   string `json:"preferred_username"`
	Email      string `json:"email"`
	Verified   any    `json:"email_verified"`
	Authorized string `json:"azp"`
}

// complete reports whether there is nothing left to ask for.
func (c claims) complete() bool { return c.Name != "" && c.Email != "" && c.Verified != nil }

// ask adds what the issuer tells beside the id token, plain or as a signed JWT.
func ask(ctx context.Context, issuer *oidc.Provider, token *oauth2.Token, told claims) (claims, error) {
	info, err := issuer.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return claims{}, err
	}
	if info.Subject != told.Subject {
		return claims{}, errors.New("the answer is about another person")
	}
	var more claims
	if err := info.Claims(&more); err != nil {
		return claims{}, err
	}
	if told.Verified == nil && more.Email != "" { // an address comes with its own verification
		told.Email, told.Verified = more.Email, more.Verified
	}
	for field, value := range map[*string]string{&told.Name: more.Name, &told.Nickname: more.Nickname, &told.Username: more.Username, &told.Email: more.Email} {
		if *field == "" {
			*field = value
		}
	}
	return told, nil
}

// verify makes sure that the issuer has made the token, now, for us and for this attempt.
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
