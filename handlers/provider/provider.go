// Package provider asks those who vouch for people who somebody is: OpenID Connect issuers,
// of which Google is one, and GitHub.
//
// It knows nothing of sessions, cookies and pages, and keeps nothing of what it is told: the
// tokens that it is given for a sign-in are forgotten with it.
package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"shopwright.dev/shopwright/store"
)

// answerWithin is how long a provider may take for one sign-in, of all its answers together.
const answerWithin = 8 * time.Second

// Kind is the language that a provider speaks.
type Kind string

// The kinds of providers.
const (
	OIDC   Kind = "oidc"
	GitHub Kind = "github"
)

// The addresses of the providers that everybody knows.
const (
	GoogleIssuer  = "https://accounts.google.com"
	GitHubAddress = "https://github.com"
)

// Config is how a provider knows us.
type Config struct {
	Name         string // in addresses, and never changed: it is part of the callback's
	Label        string // for people
	Kind         Kind
	URL          string // the issuer, or where GitHub is
	ClientID     string
	ClientSecret string
	Scopes       []string // asked for beside those that tell who somebody is
	// Domains are those whose addresses this provider gives out. Addresses in others count as
	// not verified, where any are named.
	Domains []string
	// TrustEmails takes addresses as verified where the provider does not say whether they are.
	TrustEmails bool
}

var namePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// Check returns what is wrong with the configuration.
func (c Config) Check() error {
	var wrong []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	check(namePattern.MatchString(c.Name), "the name %q must be of small letters, digits and dashes", c.Name)
	check(c.ClientID != "", "%s has no client id", c.Name)
	check(c.ClientSecret != "", "%s has no client secret", c.Name)
	check(!slices.Contains(c.Scopes, ""), "%s has an empty scope", c.Name)
	u, err := url.Parse(c.URL)
	check(err == nil && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" && maySpeakTo(u, true),
		"the address %q of %s must start with https:// (http:// for this machine only)", c.URL, c.Name)
	return errors.Join(wrong...)
}

// Attempt is what must be remembered of a sign-in until it comes back, by nobody but the
// browser that began it.
type Attempt struct {
	State    string
	Nonce    string // comes back in the id token
	Verifier string // proves to the provider that the same one finishes who began
	Again    bool   // the provider is asked to have the person sign in anew
}

// Provider vouches for people.
type Provider struct {
	Config
	callback string
	client   *http.Client

	mu     sync.Mutex
	issuer *oidc.Provider // nil until it has answered
}

// New returns the provider, who is not asked anything yet. The callback is the address to
// which it sends people back.
func New(c Config, callback string) *Provider {
	return &Provider{Config: c, callback: callback, client: newClient(strings.HasPrefix(c.URL, "http://"))}
}

// Close lets go of connections that wait to be used again.
func (p *Provider) Close() { p.client.CloseIdleConnections() }

// Begin returns the address to which the browser must go. A provider that does not answer
// is an *Error.
func (p *Provider) Begin(ctx context.Context, a Attempt) (address string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if p.Kind == GitHub {
		address, err = p.beginGitHub(ctx, a)
	} else {
		address, err = p.beginOIDC(ctx, a)
	}
	return address, p.explain(err, a.Verifier)
}

// Finish trades the code for what the provider knows of the person. Whatever it answers,
// what is wrong is an *Error.
func (p *Provider) Finish(ctx context.Context, a Attempt, code string) (store.Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	finish := p.finishOIDC
	if p.Kind == GitHub {
		finish = p.finishGitHub
	}
	who, err := guarded(func() (store.Identity, error) { return finish(ctx, a, code) })
	if err == nil {
		err = checkIdentity(who)
	}
	if err != nil {
		return store.Identity{}, p.explain(err, a.Verifier, a.Nonce, code)
	}
	return who, nil
}

// guarded makes errors of panics: goth takes claims for what they should be.
func guarded(ask func() (store.Identity, error)) (who store.Identity, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("an answer has another form than it should: %v", r)
		}
	}()
	return ask()
}

// longestSubject is what OpenID Connect allows.
const longestSubject = 255

func checkIdentity(who store.Identity) error {
	if who.Subject == "" || len(who.Subject) > longestSubject || !utf8.ValidString(who.Subject) || strings.Contains(who.Subject, "\x00") {
		return errors.New("the person has no id that can be kept")
	}
	return nil
}

// challenge is what the provider is told of the verifier.
func (a Attempt) challenge() map[string]string {
	return map[string]string{"code_challenge": oauth2.S256ChallengeFromVerifier(a.Verifier), "code_challenge_method": "S256"}
}
