package main_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/handlers/provider/providertest"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/views/browsertest"
)

// signInAs comes in by the page that is open, as that person.
func (w walk) signInAs(issuer *providertest.Issuer, person providertest.Person) {
	w.t.Helper()
	issuer.Be(person, providertest.Faults{})
	w.Click(`a[href^="/sign-in/with/oidc"]`)
}

// choose sets a field of a form that nothing is typed into.
func (w walk) choose(selector, property, value string) {
	w.t.Helper()
	w.WaitFor(selector)
	browsertest.Evaluate[bool](w.Browser, `(document.querySelector('`+selector+`').`+property+` = `+value+`, true)`)
}

// makeTeam returns the path of the new team's page.
func (w walk) makeTeam(name string) string {
	w.t.Helper()
	w.Visit(w.p.url + "/teams/new")
	w.Type(`#team-name`, name)
	w.Click(`#create-form button`)
	w.Until(`document.querySelector("h1")?.innerText === "` + name + `"`)
	return w.path()
}

// inviteViewer returns the link of an invitation.
func (w walk) inviteViewer(team string) string {
	w.t.Helper()
	w.Visit(w.p.url + team)
	w.choose(`#invite-role`, "value", `"viewer"`)
	w.Click(`#invite-form button`)
	w.WaitFor(`#invitation-link`)
	return browsertest.Evaluate[string](w.Browser, `document.getElementById("invitation-link").innerText`)
}

// makeToken returns the secret of one that can do all with the team's stores.
func (w walk) makeToken(team string) string {
	w.t.Helper()
	w.Visit(w.p.url + "/account/tokens")
	w.Type(`main input[name="name"]`, "nightly deploy")
	w.choose(`main select[name="team"]`, "value", `"`+strings.TrimPrefix(team, "/teams/")+`"`)
	for _, scope := range allScopes() {
		w.choose(`main input[value="`+scope+`"]`, "checked", "true")
	}
	w.Click(`main form[action="/account/tokens"] button`)
	w.WaitFor(`#token-secret`)
	return browsertest.Evaluate[string](w.Browser, `document.getElementById("token-secret").innerText`)
}

// TestFromAStrangerToAShop is the whole way: somebody whom nobody knows comes in with a
// provider, makes a team and invites another, who may look and nothing else; a script opens a
// shop with a token; and the audit log tells all of it.
func TestFromAStrangerToAShop(t *testing.T) {
	t.Parallel()
	issuer := providertest.Start(t)
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.env = append(p.env, "SHOPWRIGHT_DEV_LOGIN=false", "SHOPWRIGHT_OIDC_ISSUER="+issuer.URL, "SHOPWRIGHT_OIDC_CLIENT_ID="+providertest.ClientID,
		"SHOPWRIGHT_OIDC_CLIENT_SECRET="+providertest.ClientSecret, "SHOPWRIGHT_ALLOWED_DOMAINS=example.com", "SHOPWRIGHT_ADMINS=root@example.com")
	p.startSignedOut()
	slug := "stranger-" + strings.ToLower(uuid.NewString()[24:])

	mara := walk{Browser: browsertest.Open(t), t: t, p: p}
	mara.Visit(p.url + "/")
	mara.look("stranger-sign-in")
	mara.signInAs(issuer, providertest.Person{Subject: "1", Name: "Mara", Email: "mara@example.com", Verified: true})
	mara.WaitFor(`#store-rows`)
	team := mara.makeTeam("Nordlicht")
	link := mara.inviteViewer(team)
	secret := mara.makeToken(team)

	noa := walk{Browser: browsertest.Open(t), t: t, p: p}
	noa.Visit(link)
	noa.signInAs(issuer, providertest.Person{Subject: "2", Name: "Noa", Email: "noa@elsewhere.example"}) // whom only the invitation lets in
	noa.WaitFor(`form[action="/invitations"] button`)
	noa.look("stranger-invitation")
	noa.Click(`form[action="/invitations"] button`)
	noa.WaitFor(`#team-members`)

	_, said := p.cli(secret).want(0, "stores", "create", "Nordwind", "--slug", slug, "--wait", "--timeout", patience.String())
	if !strings.Contains(said, "Order check") {
		t.Errorf("the script is told:\n%s", said)
	}

	noa.Visit(p.url + "/stores")
	noa.Click(`#store-rows a.name`)
	noa.WaitFor(`#store-head[data-status="ready"]`)
	noa.look("stranger-viewer")
	if n := browsertest.Evaluate[int](noa.Browser, `document.querySelectorAll("main form").length`); n != 0 {
		t.Errorf("a viewer has %d forms at the store", n)
	}
	const remove = `fetch(location.pathname + "/delete", {method: "POST", body: new URLSearchParams({confirm: "Nordwind"})}).then(r => r.status)`
	if status := browsertest.Evaluate[int](noa.Browser, remove); status != http.StatusForbidden {
		t.Errorf("a viewer deletes a store: %d", status)
	}

	mara.Visit(p.url + "/audit")
	mara.look("stranger-audit")
	log := browsertest.Evaluate[string](mara.Browser, `document.querySelector("main table").innerText`)
	for _, told := range []string{"signed in", "created the team", "invited", "joined the team", "created the API token", "nightly deploy", "Nordwind"} {
		if !strings.Contains(log, told) {
			t.Errorf("the audit log does not tell %q:\n%s", told, log)
		}
	}
	p.cli(secret).want(0, "stores", "delete", slug, "--yes", "--wait", "--timeout", patience.String())
}
