package handlers_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/handlers"
	"shopwright.dev/shopwright/handlers/provider"
	"shopwright.dev/shopwright/handlers/provider/providertest"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// entrance is a site where people sign in with providers.
type entrance struct {
	site
	issuer *providertest.Issuer
	others []provider.Config // beside the issuer

	trustEmails bool // of the issuer
}

var mara = providertest.Person{Subject: "1", Name: "Mara", Email: "mara@example.com", Verified: true}

const sessionKey = "k"

// openEntrance serves a site for whoever has an address at example.com.
func openEntrance(t *testing.T) entrance {
	t.Helper()
	e := entrance{site: site{t: t, file: filepath.Join(t.TempDir(), "shopwright.db"), log: &strings.Builder{}}, issuer: providertest.Start(t)}
	e.db = storetest.Open(t, "sqlite:"+e.file)
	e.issuer.Be(mara, providertest.Faults{})
	return e.open(sessionKey)
}

// open serves the database of the entrance with these keys, the first of which signs.
func (e entrance) open(keys ...string) entrance {
	e.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	e.url = "http://" + server.Listener.Addr().String()
	log := slog.New(slog.NewTextHandler(e.log, nil))
	github, work := e.issuer.GitHub(), e.issuer.OIDC()
	work.TrustEmails = e.trustEmails
	c := handlers.Config{
		DB: e.db, Engines: engine.Offered(), BaseURL: e.url, Version: "test", Log: log, DevLogin: true,
		Providers: append([]provider.Config{work, github}, e.others...), Admission: store.Admission{Domains: []string{"example.com"}, Admins: []string{"root@example.com"}, Authorities: []string{e.issuer.URL, github.URL}},
		Provisioner: provisioner.New(provisioner.Config{
			DB: e.db, Cluster: storetest.Cluster(e.t, e.db), Engines: engine.Offered(), Site: engine.Spec{TLS: engine.TLS{Mode: engine.TLSNone}}, Log: log,
		}),
	}
	for _, key := range keys {
		c.SessionKeys = append(c.SessionKeys, []byte(strings.Repeat(key, 32)))
	}
	e.app = handlers.New(c)
	server.Config.Handler = e.app.Handler()
	server.Start()
	e.t.Cleanup(func() { e.app.Drain(); server.Close() })
	return e
}

// begin goes to the provider and returns the address to which that sends the browser back.
func (e entrance) begin(b *http.Client, providerName, next string) (callback string) {
	e.t.Helper()
	return e.goTo(b, "/sign-in/with/"+providerName+"?"+url.Values{"next": {next}}.Encode())
}

// goTo follows the link to a provider, and returns the address to which that sends the browser back.
func (e entrance) goTo(b *http.Client, link string) (callback string) {
	e.t.Helper()
	away := e.get(b, link)
	if away.status != http.StatusSeeOther || !strings.Contains(away.location, "code_challenge=") {
		e.t.Fatalf("the link leads to %d %s", away.status, away.location)
	}
	r, err := http.NewRequestWithContext(e.t.Context(), http.MethodGet, away.location, http.NoBody)
	if err != nil {
		e.t.Fatal(err)
	}
	back := e.do(b, r)
	path, ours := strings.CutPrefix(back.location, e.url)
	if !ours {
		e.t.Fatalf("the provider answers %d %s %s", back.status, back.location, back.body)
	}
	return path
}

// signIn goes all of the way and returns where it ends.
func (e entrance) signIn(b *http.Client, providerName, next string) answer {
	e.t.Helper()
	return e.get(b, e.begin(b, providerName, next))
}

// wantRefused checks that the browser is back where one signs in, reads the sentence, and is
// not signed in.
func (e entrance) wantRefused(b *http.Client, got answer, sentence string) {
	e.t.Helper()
	if got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/sign-in?") {
		e.t.Errorf("refused with %d to %q: %s", got.status, got.location, got.body)
		return
	}
	if page := e.get(b, got.location); page.status != http.StatusOK || !strings.Contains(page.body, sentence) {
		e.t.Errorf("the page does not say %q: %s", sentence, page.body)
	}
	if page := e.get(b, "/account"); page.status != http.StatusSeeOther {
		e.t.Errorf("who was refused is signed in: %d", page.status)
	}
}

func (e entrance) wantSignedIn(b *http.Client, name string) {
	e.t.Helper()
	if page := e.get(b, "/account"); page.status != http.StatusOK || !strings.Contains(page.body, name) {
		e.t.Errorf("%s is not signed in: %d", name, page.status)
	}
}

// in returns the same entrance for a subtest, which gets its failures.
func (e entrance) in(t *testing.T) entrance {
	e.t = t
	return e
}

// cookies are those that the browser would send.
func (e entrance) cookies(b *http.Client) []*http.Cookie {
	e.t.Helper()
	home, err := url.Parse(e.url)
	if err != nil {
		e.t.Fatal(err)
	}
	return b.Jar.Cookies(home)
}

// withCookies asks as a thief of these cookies would.
func (e entrance) withCookies(cookies []*http.Cookie, path string) answer {
	e.t.Helper()
	r := e.request(http.MethodGet, path, nil)
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	return e.do(e.browser(), r)
}

// invitation is the page of a new invitation to a team, for the address or for anybody.
func (e entrance) invitation(email string) string {
	e.t.Helper()
	name := uuid.NewString()
	owner, _ := storetest.Actor(e.t, e.db, name)
	team, err := e.db.CreateTeam(e.t.Context(), owner, "Bakers")
	if err != nil {
		e.t.Fatal(err)
	}
	owner, _ = storetest.Actor(e.t, e.db, name) // with the role
	_, secret, err := e.db.Invite(e.t.Context(), owner, store.NewInvitation{TeamID: team.ID, Email: email, Role: store.Viewer})
	if err != nil {
		e.t.Fatal(err)
	}
	return handlers.InvitationLink("", secret)
}
