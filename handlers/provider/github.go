package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/markbates/goth/providers/github"

	"shopwright.dev/shopwright/store"
)

// goth would ask for the addresses itself if it saw the scope for them, but only of those
// who show none in public, and one that is shown need not be the primary one.
const githubScopes = "read:user user:email"

func (p *Provider) gitHub(client *http.Client) *github.Provider {
	speaker := github.NewCustomisedURL(p.ClientID, p.ClientSecret, p.callback,
		p.URL+"/login/oauth/authorize", p.URL+"/login/oauth/access_token", p.api()+"/user", p.api()+"/user/emails", githubScopes)
	speaker.HTTPClient = client
	return speaker
}

// api is where GitHub answers programs, which is elsewhere on a server of one's own.
func (p *Provider) api() string {
	if p.URL == GitHubAddress {
		return "https://api.github.com"
	}
	return p.URL + "/api/v3"
}

func (p *Provider) beginGitHub(ctx context.Context, a Attempt) (string, error) {
	session, err := p.gitHub(p.within(ctx)).BeginAuth(a.State)
	if err != nil {
		return "", err
	}
	address, err := session.GetAuthURL()
	if err != nil {
		return "", err
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	query := u.Query()
	for name, value := range a.challenge() {
		query.Set(name, value)
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}

func (p *Provider) finishGitHub(ctx context.Context, a Attempt, code string) (store.Identity, error) {
	client := p.within(ctx)
	session := &github.Session{}
	if _, err := session.Authorize(p.gitHub(proving(client, a.Verifier)), url.Values{"code": {code}}); err != nil {
		return store.Identity{}, fmt.Errorf("trade the code: %w", err)
	}
	user, err := p.gitHub(client).FetchUser(session)
	if err != nil {
		return store.Identity{}, fmt.Errorf("ask who it is: %w", hide(err, session.AccessToken))
	}
	told := email{verified: true}
	if told.address, err = p.primaryAddress(ctx, client, session.AccessToken); err != nil {
		return store.Identity{}, fmt.Errorf("ask for the address: %w", hide(err, session.AccessToken))
	}
	subject := user.UserID
	if subject == "0" { // what goth makes of none
		subject = ""
	}
	return p.identity(subject, told, user.Name, user.NickName), nil
}

// proving adds the verifier to the trade of the code, where goth knows none.
func proving(client *http.Client, verifier string) *http.Client {
	proving := *client
	proving.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		form, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body := string(form) + "&" + url.Values{"code_verifier": {verifier}}.Encode()
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		return client.Transport.RoundTrip(r)
	})
	return &proving
}

// primaryAddress returns the address that GitHub has verified and writes to, or none.
func (p *Provider) primaryAddress(ctx context.Context, client *http.Client, token string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.api()+"/user/emails", http.NoBody)
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the answer is %s", response.Status)
	}
	var addresses []struct {
		Email    string `json:"email"`
		Primary  bool   `json:"primary"`
		Verified bool   `json:"verified"`
	}
	if err := json.NewDecoder(response.Body).Decode(&addresses); err != nil {
		return "", fmt.Errorf("read the addresses: %w", err)
	}
	for _, a := range addresses {
		if a.Primary && a.Verified {
			return a.Email, nil
		}
	}
	return "", nil
}
