// Package providertest is a provider of identities for tests: an OpenID Connect issuer and a
// GitHub in one, which does what is wrong when it is told to.
package providertest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc/oidctest"

	"shopwright.dev/shopwright/handlers/provider"
)

// ClientID and ClientSecret are how the one client introduces itself.
const (
	ClientID     = "shopwright"
	ClientSecret = "a secret of the client"
)

// Person is who signs in.
type Person struct {
	Subject  string
	Name     string
	Email    string
	Verified bool
}

// Faults are what is wrong.
type Faults struct {
	Hang    string               // path that does not answer
	Garbage string               // path that answers a page instead
	Answer  map[string]string    // by path, what it answers instead
	Claims  func(map[string]any) // changes what the id token says
	Forged  bool                 // the id token is signed by somebody else
	Thin    bool                 // the id token does not say more than it must
	Denied  bool                 // the person says no
	Asks    bool                 // the person is asked, with a page

	Metadata map[string]any // what discovery says beside the usual
	PostOnly bool           // the client's secret is taken from the form only, and a wrong try uses up the code
	Signed   bool           // userinfo is a signed JWT
	MoreKeys []any          // beside the issuer's own in its key set
}

// Issuer is the provider. It serves until the test ends.
type Issuer struct {
	URL     string
	gitHub  string // where the same server is a GitHub
	keys    oidctest.Server
	own     *rsa.PrivateKey
	foreign *rsa.PrivateKey
	closing chan struct{}

	mu     sync.Mutex
	person Person
	faults Faults
	grants map[string]grant // by code
	tokens map[string]Person
	told   []string // codes, tokens and verifiers, which are nobody's business
}

// grant is what a code stands for.
type grant struct {
	person                     Person
	nonce, challenge, redirect string
}

// Start serves the provider under localhost, which for a browser is another site than
// 127.0.0.1.
func Start(t testing.TB) *Issuer {
	t.Helper()
	i := &Issuer{own: newKey(t), foreign: newKey(t), closing: make(chan struct{}), grants: map[string]grant{}, tokens: map[string]Person{}}
	i.keys.PublicKeys = []oidctest.PublicKey{{PublicKey: i.own.Public(), KeyID: "1", Algorithm: "RS256"}}
	server := httptest.NewServer(i.mux())
	i.gitHub = server.URL
	i.URL = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	t.Cleanup(func() {
		close(i.closing)
		server.Close()
	})
	return i
}

func newKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// OIDC is how the issuer is configured.
func (i *Issuer) OIDC() provider.Config {
	return provider.Config{Name: "work", Label: "Work", Kind: provider.OIDC, URL: i.URL, ClientID: ClientID, ClientSecret: ClientSecret}
}

// GitHub is how the GitHub is configured.
func (i *Issuer) GitHub() provider.Config {
	return provider.Config{Name: "github", Label: "GitHub", Kind: provider.GitHub, URL: i.gitHub, ClientID: ClientID, ClientSecret: ClientSecret}
}

// Be makes that person the next to sign in, with these faults.
func (i *Issuer) Be(p Person, f Faults) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.person, i.faults = p, f
}

// Told returns all codes, tokens and verifiers so far.
func (i *Issuer) Told() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string{ClientSecret}, i.told...)
}

func (i *Issuer) mux() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /keys", i.keySet)
	mux.HandleFunc("GET /authorize", i.authorize)
	mux.HandleFunc("GET /login/oauth/authorize", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	mux.HandleFunc("POST /login/oauth/access_token", i.token)
	mux.HandleFunc("GET /userinfo", i.userinfo)
	mux.HandleFunc("GET /api/v3/user", i.gitHubUser)
	mux.HandleFunc("GET /api/v3/user/emails", i.gitHubEmails)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		faults := i.faults
		i.mu.Unlock()
		switch answer, other := faults.Answer[r.URL.Path]; {
		case faults.Hang == r.URL.Path:
			select {
			case <-r.Context().Done():
			case <-i.closing:
			}
		case faults.Garbage == r.URL.Path:
			_, _ = io.WriteString(w, "<html>It works! code=secret</html>")
		case other:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, answer)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	metadata := map[string]any{
		"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token",
		"jwks_uri": i.URL + "/keys", "userinfo_endpoint": i.URL + "/userinfo", "id_token_signing_alg_values_supported": []string{"RS256"},
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	maps.Copy(metadata, i.faults.Metadata)
	answer(w, metadata)
}

func (i *Issuer) keySet(w http.ResponseWriter, r *http.Request) {
	own := httptest.NewRecorder()
	i.keys.ServeHTTP(own, r)
	var set struct {
		Keys []any `json:"keys"`
	}
	if err := json.Unmarshal(own.Body.Bytes(), &set); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	set.Keys = append(slices.Clone(i.faults.MoreKeys), set.Keys...)
	answer(w, set)
}

// authorize sends the browser back with a code, as if the person had just signed in here.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	i.mu.Lock()
	defer i.mu.Unlock()
	if query.Get("client_id") != ClientID || query.Get("code_challenge_method") != "S256" || query.Get("response_type") != "code" {
		http.Error(w, "this is no request for a code with a proof key", http.StatusBadRequest)
		return
	}
	back := url.Values{"state": {query.Get("state")}}
	if i.faults.Denied {
		back.Set("error", "access_denied")
	} else {
		code := rand.Text()
		i.grants[code] = grant{i.person, query.Get("nonce"), query.Get("code_challenge"), query.Get("redirect_uri")}
		i.told = append(i.told, code)
		back.Set("code", code)
	}
	address := query.Get("redirect_uri") + "?" + back.Encode()
	if i.faults.Asks {
		_, _ = io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><title>Work</title><main><a id="yes" href="`+html.EscapeString(address)+`">Yes, it is me</a></main>`)
		return
	}
	http.Redirect(w, r, address, http.StatusFound)
}

// token trades a code, once, with whoever has the verifier.
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.faults.PostOnly && basic {
		delete(i.grants, r.PostFormValue("code"))
		refuse(w, "invalid_client")
		return
	}
	if secret, _ = url.QueryUnescape(secret); id != ClientID || secret != ClientSecret {
		refuse(w, "invalid_client")
		return
	}
	code, verifier := r.PostFormValue("code"), r.PostFormValue("code_verifier")
	g, known := i.grants[code]
	delete(i.grants, code)
	sum := sha256.Sum256([]byte(verifier))
	i.told = append(i.told, verifier)
	if !known || g.redirect != r.PostFormValue("redirect_uri") || g.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
		refuse(w, "invalid_grant")
		return
	}
	access, idToken := rand.Text(), i.idToken(g)
	i.tokens[access] = g.person
	i.told = append(i.told, access, idToken)
	answer(w, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 3600, "id_token": idToken})
}

func (i *Issuer) idToken(g grant) string {
	now := time.Now()
	claims := map[string]any{
		"iss": i.URL, "sub": g.person.Subject, "aud": ClientID, "nonce": g.nonce,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	if !i.faults.Thin {
		maps.Copy(claims, g.person.claims())
	}
	if i.faults.Claims != nil {
		i.faults.Claims(claims)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	key := i.own
	if i.faults.Forged {
		key = i.foreign
	}
	return oidctest.SignIDToken(key, "1", "RS256", string(text))
}

func (p Person) claims() map[string]any {
	return map[string]any{"sub": p.Subject, "name": p.Name, "email": p.Email, "email_verified": p.Verified}
}

// bearer returns whose token was sent.
func (i *Issuer) bearer(w http.ResponseWriter, r *http.Request) (Person, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p, known := i.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if !known {
		http.Error(w, "whose token is this?", http.StatusUnauthorized)
	}
	return p, known
}

func (i *Issuer) userinfo(w http.ResponseWriter, r *http.Request) {
	p, known := i.bearer(w, r)
	if !known {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.faults.Signed {
		answer(w, p.claims())
		return
	}
	text, err := json.Marshal(p.claims())
	if err != nil {
		panic(err)
	}
	key := i.own
	if i.faults.Forged {
		key = i.foreign
	}
	w.Header().Set("Content-Type", "application/jwt")
	_, _ = io.WriteString(w, oidctest.SignIDToken(key, "1", "RS256", string(text)))
}

// gitHubUser shows an address in public that is not the primary one.
func (i *Issuer) gitHubUser(w http.ResponseWriter, r *http.Request) {
	if p, known := i.bearer(w, r); known {
		answer(w, map[string]any{"id": json.Number(p.Subject), "login": "octocat", "name": p.Name, "email": "shown@example.com"})
	}
}

func (i *Issuer) gitHubEmails(w http.ResponseWriter, r *http.Request) {
	if p, known := i.bearer(w, r); known {
		answer(w, []map[string]any{
			{"email": "shown@example.com", "primary": false, "verified": true},
			{"email": p.Email, "primary": true, "verified": p.Verified},
		})
	}
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func refuse(w http.ResponseWriter, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": reason})
}
