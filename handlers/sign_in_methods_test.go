package handlers_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/handlers/provider"
	"shopwright.dev/shopwright/handlers/provider/providertest"
)

// methodLink is the link on the account page with which a sign-in method of the provider is added.
func (e entrance) methodLink(b *http.Client, providerName string) string {
	e.t.Helper()
	link := regexp.MustCompile(`href="(/account/sign-in-methods/` + providerName + `\?key=[^"]+)"`).FindStringSubmatch(e.get(b, "/account").body)
	if link == nil {
		e.t.Fatalf("the account page has no link to add %s", providerName)
	}
	return html.UnescapeString(link[1])
}

// addMethod adds the account at GitHub that the browser is signed in to there.
func (e entrance) addMethod(b *http.Client) answer {
	e.t.Helper()
	return e.get(b, e.goTo(b, e.methodLink(b, "github")))
}

// wantMethods checks how many sign-in methods the account page lists, and that it says the sentence.
func (e entrance) wantMethods(b *http.Client, page string, n int, sentence string) {
	e.t.Helper()
	got := e.get(b, page)
	_, list, _ := strings.Cut(got.body, `aria-label="Sign-in methods"`)
	list, _, _ = strings.Cut(list, "</ul>")
	if found := strings.Count(list, "<li"); found != n || !strings.Contains(got.body, sentence) {
		e.t.Errorf("%s lists %d sign-in methods, want %d, and says %q: %t", page, found, n, sentence, strings.Contains(got.body, sentence))
	}
}

// Another provider that has verified the address of an administrator does not become that
// administrator, and cannot be the first to claim the role.
func TestAnotherIssuerDoesNotBecomeAnAdministrator(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	partner := providertest.Start(t)
	config := partner.OIDC()
	config.Name, config.Label = "partner", "Partner"
	e.others = []provider.Config{config}
	e = e.open(sessionKey)
	root := providertest.Person{Subject: "1", Name: "Mallory", Email: "root@example.com", Verified: true}
	partner.Be(root, providertest.Faults{})
	early := e.browser()
	e.signIn(early, "partner", "")
	if got := e.get(early, "/admin/users"); got.status != http.StatusNotFound {
		t.Errorf("the claim of a partner makes an administrator: %d", got.status)
	}

	e = openEntrance(t)
	e.others = []provider.Config{config}
	e = e.open(sessionKey)
	owner, thief := e.browser(), e.browser()
	e.issuer.Be(providertest.Person{Subject: "1", Name: "Root", Email: "root@example.com", Verified: true}, providertest.Faults{})
	e.signIn(owner, "work", "")
	if got := e.get(owner, "/admin/users"); got.status != http.StatusOK {
		t.Fatalf("root does not administrate: %d", got.status)
	}
	e.wantRefused(thief, e.signIn(thief, "partner", ""), "An account with your address exists. Sign in the way you did before")
	e.wantSignedIn(owner, "Root")
	if !strings.Contains(e.log.String(), "why=address-taken") {
		t.Error("the log does not say why")
	}
}

// An issuer whose domains are declared becomes the user who has an address there, and is
// believed on no other.
func TestIssuerWithDeclaredDomains(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	company := providertest.Start(t)
	config := company.OIDC()
	config.Name, config.Label, config.Domains = "company", "Company", []string{"Example.com"}
	e.others = []provider.Config{config}
	e = e.open(sessionKey)
	first, second, stranger := e.browser(), e.browser(), e.browser()
	e.signIn(first, "work", "")
	e.create(first, "Tea shop")
	company.Be(providertest.Person{Subject: "c1", Name: "Mara", Email: "MARA@example.com", Verified: true}, providertest.Faults{})
	e.signIn(second, "company", "")
	if !strings.Contains(e.get(second, "/stores").body, "Tea shop") {
		t.Error("the company's issuer leads to another user")
	}
	company.Be(providertest.Person{Subject: "c2", Name: "Ida", Email: "ida@other.example", Verified: true}, providertest.Faults{})
	e.wantRefused(stranger, e.signIn(stranger, "company", ""), "You don’t have an account here")
	if !strings.Contains(e.log.String(), "in none of the domains") {
		t.Errorf("the log does not say why:\n%s", e.log)
	}
}

func TestSignInMethodsAreAddedAndRemoved(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	b, other := e.browser(), e.browser()
	e.signIn(b, "work", "")
	e.create(b, "Tea shop")
	remove := func(providerURL string) answer {
		return e.post(b, "/account/sign-in-methods/remove", url.Values{"provider": {providerURL}, "subject": {mara.Subject}})
	}
	refused := remove(e.issuer.URL)
	e.wantMethods(b, refused.location, 1, "This is your only sign-in method")
	if got := e.addMethod(b); got.status != http.StatusSeeOther || got.location != "/account#sign-in-methods" {
		t.Errorf("added: %d %s", got.status, got.location)
	}
	e.wantMethods(b, "/account", 2, "GitHub")
	e.wantMethods(b, e.addMethod(b).location, 2, "This sign-in method is already on your account")
	e.signIn(other, "github", "")
	if !strings.Contains(e.get(other, "/stores").body, "Tea shop") {
		t.Error("the added sign-in method leads to another user")
	}
	if got := remove(e.issuer.URL); got.status != http.StatusSeeOther || got.location != "/account#sign-in-methods" {
		t.Errorf("removed: %d %s", got.status, got.location)
	}
	e.wantMethods(b, "/account", 1, "GitHub")
	if got := e.get(other, "/account"); got.status != http.StatusSeeOther {
		t.Errorf("a session in another browser outlives the removal: %d", got.status)
	}
	if got := remove("nobody’s"); got.status != http.StatusNotFound {
		t.Errorf("a method that is not there is removed: %d", got.status)
	}
}

// Nobody can have a sign-in method added to the account of somebody else.
func TestSignInMethodsAreAddedByTheirUserOnly(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	victim, attacker := e.browser(), e.browser()
	e.signIn(victim, "work", "")
	e.issuer.Be(providertest.Person{Subject: "66", Name: "Mallory", Email: "mallory@example.com", Verified: true}, providertest.Faults{})
	e.signIn(attacker, "work", "")
	foreign := e.methodLink(attacker, "github")
	for _, link := range []string{foreign, "/account/sign-in-methods/github", "/account/sign-in-methods/github?key="} {
		if got := e.get(victim, link); got.location != "/account#sign-in-methods" {
			t.Errorf("%s leads to %d %s", link, got.status, got.location)
		}
	}
	callback := e.goTo(attacker, foreign)
	if got := e.get(victim, callback); !strings.Contains(got.location, "refused=elsewhere") {
		t.Errorf("the attacker's way back leads the victim to %s", got.location)
	}
	e.post(attacker, "/sign-out", nil)
	if got := e.get(attacker, callback); !strings.Contains(got.location, "refused=elsewhere") {
		t.Errorf("without the session the way back leads to %s", got.location)
	}
	e.wantMethods(victim, "/account", 1, "Work")
	e.signIn(attacker, "work", "")
	e.addMethod(attacker)
	e.wantMethods(victim, e.addMethod(victim).location, 1, "Another user signs in with this account")
}

// Who finds an open browser cannot make a way in of his or her own, nor shut the user out.
func TestSensitiveChangesNeedARecentSignIn(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	b := e.browser()
	e.signIn(b, "work", "")
	link := e.methodLink(b, "github")
	e.change(`UPDATE sessions SET created_at = created_at - $1`, (16 * time.Minute).Microseconds())
	const again = "/sign-in?again=1&next=%2Faccount"
	for _, path := range []string{"/account/sign-in-methods/remove", "/account/sessions/end", "/account/sessions/end-others"} {
		if got := e.post(b, path, nil); got.location != again {
			t.Errorf("%s leads to %d %s", path, got.status, got.location)
		}
	}
	if got := e.get(b, link); got.location != again {
		t.Errorf("the link to add one leads to %d %s", got.status, got.location)
	}
	page := e.get(b, again).body
	if !strings.Contains(page, "Sign in again to change") || !strings.Contains(page, "/sign-in/with/work?again=1&amp;next=%2Faccount") {
		t.Errorf("the page says %s", page)
	}
	if away := e.get(b, "/sign-in/with/work?again=1&next=/account"); !strings.Contains(away.location, "prompt=login") {
		t.Errorf("the provider may let anybody in who uses the browser: %s", away.location)
	}
	e.signIn(b, "work", "/account")
	if got := e.addMethod(b); got.location != "/account#sign-in-methods" {
		t.Errorf("after signing in again: %d %s", got.status, got.location)
	}
}
