package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"shopwright.dev/shopwright/handlers/provider"
	"shopwright.dev/shopwright/store"
)

// issuer is an entry of the list in SHOPWRIGHT_OIDC.
type issuer struct {
	Name         string   `json:"name"`
	Label        string   `json:"label"`
	Issuer       string   `json:"issuer"`
	ClientID     string   `json:"clientID"`
	ClientSecret string   `json:"clientSecret"`
	Scopes       []string `json:"scopes"`
	Domains      []string `json:"domains"`
	TrustEmails  bool     `json:"trustEmails"`
}

// providers returns the configured sign-in providers.
func (c *config) providers() ([]provider.Config, error) {
	var all []provider.Config
	if c.GoogleClientID != "" || c.GoogleClientSecret != "" {
		all = append(all, provider.Config{
			Name: "google", Label: "Google", Kind: provider.OIDC, URL: provider.GoogleIssuer, ClientID: c.GoogleClientID, ClientSecret: c.GoogleClientSecret,
		})
	}
	if c.GitHubClientID != "" || c.GitHubClientSecret != "" {
		all = append(all, provider.Config{
			Name: "github", Label: "GitHub", Kind: provider.GitHub, URL: strings.TrimSuffix(c.GitHubURL, "/"), ClientID: c.GitHubClientID, ClientSecret: c.GitHubClientSecret,
		})
	}
	if c.OIDCIssuer != "" || c.OIDCClientID != "" || c.OIDCClientSecret != "" {
		all = append(all, provider.Config{
			Name: "oidc", Label: c.OIDCLabel, Kind: provider.OIDC, URL: c.OIDCIssuer, ClientID: c.OIDCClientID, ClientSecret: c.OIDCClientSecret,
			Domains: c.OIDCDomains, TrustEmails: c.OIDCTrustEmails,
		})
	}
	more, err := c.moreIssuers()
	if err != nil {
		return nil, err
	}
	for _, i := range more {
		all = append(all, provider.Config{
			Name: i.Name, Label: label(i), Kind: provider.OIDC, URL: i.Issuer, ClientID: i.ClientID, ClientSecret: i.ClientSecret, Scopes: i.Scopes,
			Domains: i.Domains, TrustEmails: i.TrustEmails,
		})
	}
	return all, nil
}

func (c *config) moreIssuers() (more []issuer, err error) {
	if err := yaml.UnmarshalStrict([]byte(c.OIDC), &more); err != nil {
		return nil, errors.New("SHOPWRIGHT_OIDC must be a list in YAML or JSON, such as [{name: work, label: Work, issuer: https://id.example.com, clientID: shopwright, clientSecret: …, domains: [example.com]}]")
	}
	return more, nil
}

// admission returns the rules for who is let in. An issuer in SHOPWRIGHT_OIDC may belong to a customer:
// it can make users administrators only if its domains are configured.
func (c *config) admission(providers []provider.Config) store.Admission {
	rules := store.Admission{Admins: c.Admins, Domains: c.AllowedDomains}
	more, _ := c.moreIssuers() // validated before
	for _, p := range providers {
		if len(p.Domains) > 0 || !slices.ContainsFunc(more, func(i issuer) bool { return i.Name == p.Name }) {
			rules.Authorities = append(rules.Authorities, p.URL)
		}
	}
	return rules
}

func label(i issuer) string {
	if i.Label != "" {
		return i.Label
	}
	return i.Name
}

func (c *config) validateSignIn() error {
	providers, err := c.providers()
	if err != nil {
		return err
	}
	var wrong []error
	seen := map[string]bool{}
	for _, p := range providers {
		if err := p.Check(); err != nil {
			wrong = append(wrong, fmt.Errorf("a sign-in provider is invalid: %w", err))
		}
		if seen[p.Name] || seen[p.URL] {
			wrong = append(wrong, fmt.Errorf("two sign-in providers have the name %q or the same issuer", p.Name))
		}
		seen[p.Name], seen[p.URL] = true, true
		for _, domain := range p.Domains {
			if !isDomain(strings.ToLower(domain)) {
				wrong = append(wrong, fmt.Errorf("the domains of %s have %q: they must be domains, such as example.com", p.Name, domain))
			}
		}
	}
	if len(providers) > 0 && c.BaseURL == "" && !isLoopback(c.Addr) {
		wrong = append(wrong, errors.New("SHOPWRIGHT_BASE_URL is missing: sign-in providers redirect people there"))
	}
	return errors.Join(append(wrong, c.validateAdmission())...)
}

func (c *config) validateAdmission() error {
	var wrong []error
	for _, admin := range c.Admins {
		if name, domain, _ := strings.Cut(admin, "@"); name == "" || !isDomain(strings.ToLower(domain)) {
			wrong = append(wrong, fmt.Errorf("SHOPWRIGHT_ADMINS has %q: it must be addresses separated by commas, such as mara@example.com", admin))
		}
	}
	for _, domain := range c.AllowedDomains {
		if domain != store.Everybody && !isDomain(strings.ToLower(domain)) {
			wrong = append(wrong, fmt.Errorf("SHOPWRIGHT_ALLOWED_DOMAINS has %q: it must be domains separated by commas, such as example.com, or * for everyone", domain))
		}
	}
	if slices.Contains(c.AllowedDomains, store.Everybody) && len(c.Admins) == 0 {
		wrong = append(wrong, errors.New("SHOPWRIGHT_ALLOWED_DOMAINS lets everyone in, and the first to sign in would become administrator: set SHOPWRIGHT_ADMINS"))
	}
	return errors.Join(wrong...)
}
