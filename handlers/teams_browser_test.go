package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views/browsertest"
)

// openAs is a browser of a person who is signed in.
func (s site) openAs(name string) *browsertest.Browser {
	s.t.Helper()
	b := browsertest.Open(s.t)
	b.Visit(s.url + "/sign-in")
	cookie := s.cookie(name)
	browsertest.Evaluate[bool](b, `document.cookie = "`+cookie.Name+`=`+cookie.Value+`; path=/", true`)
	return b
}

// TestTeamInTwoBrowsers is a walk of two people: one makes a team and invites the other, who
// looks, is given more to do, and is removed.
func TestTeamInTwoBrowsers(t *testing.T) {
	t.Parallel()
	s := serve(t)
	owner, guest := s.openAs("mara"), s.openAs("guest")

	owner.Visit(s.url + "/teams")
	look(owner, "teams")
	owner.Click(`a[href="/teams/new"]`)
	owner.WaitFor(`#team-name`)
	owner.Type(`#team-name`, "Nordlicht")
	owner.Click(`#create-form button`)
	owner.Until(`document.querySelector("h1")?.innerText === "Nordlicht"`)
	look(owner, "team-new")
	team := browsertest.Evaluate[string](owner, `location.pathname`)

	owner.Visit(s.url + "/stores/new")
	owner.Type(`#create-name`, "Shop")
	browsertest.Evaluate[bool](owner, `(document.getElementById("create-team").value = "`+strings.TrimPrefix(team, "/teams/")+`") !== ""`)
	owner.Click(`#create-form button.btn-primary`)
	owner.WaitFor(`#store-head`)
	shop := browsertest.Evaluate[string](owner, `location.pathname`)

	owner.Visit(s.url + team)
	owner.Type(`#invite-email`, "guest@example.com")
	browsertest.Evaluate[bool](owner, `(document.getElementById("invite-role").value = "viewer") !== ""`)
	owner.Click(`#invite-form button`)
	owner.WaitFor(`#invitation-link`)
	look(owner, "team-invited")
	link := browsertest.Evaluate[string](owner, `document.getElementById("invitation-link").innerText`)
	owner.Visit(s.url + team)
	owner.Until(isLive)

	guest.Visit(s.url + strings.TrimPrefix(link, "http://127.0.0.1"))
	look(guest, "invitation")
	guest.Click(`form[action="/invitations"] button`)
	guest.Until(`location.pathname === "` + team + `" && document.querySelector("#team-members") !== null`)
	look(guest, "team-viewer")
	owner.Until(`document.querySelector("#team-members").innerText.includes("guest") && !document.querySelector("#team-invitations").innerText.includes("guest")`)

	tab := guest.Tab()
	tab.Visit(s.url + shop)
	tab.Until(isLive)
	const buttons = `document.querySelectorAll("main form, main button").length`
	if n := browsertest.Evaluate[int](tab, buttons); n != 0 {
		t.Errorf("a viewer sees %d forms and buttons at the store", n)
	}
	for path, status := range map[string]int{shop + "/delete": http.StatusForbidden, shop + "/retry": http.StatusForbidden, team + "/name": http.StatusForbidden, "/stores/none/delete": http.StatusNotFound} {
		if got := posted(tab, path); got != status {
			t.Errorf("a viewer posts to %s: %d", path, got)
		}
	}

	owner.Until(`document.querySelector('form[action$="/members/` + s.userID("guest") + `"] select') !== null`)
	browsertest.Evaluate[bool](owner, `(document.querySelector('form[action$="/members/`+s.userID("guest")+`"] select').value = "member") !== ""`)
	owner.Click(`form[action$="/members/` + s.userID("guest") + `"] button`)
	tab.Until(`document.querySelector('#store-head form[action$="/delete"]') !== null`)

	owner.WaitFor(`#team-members details summary`)
	owner.Click(`#team-members details summary`)
	owner.Click(`form[action$="/members/` + s.userID("guest") + `/remove"] button`)
	for _, open := range []*browsertest.Browser{tab, guest} {
		open.Until(`document.body.innerText.includes("Not found")`)
	}
	owner.Until(`!document.querySelector("#team-members").innerText.includes("guest")`)

	owner.Visit(s.url + "/audit")
	owner.Until(`document.querySelectorAll("tbody tr").length > 5`)
	look(owner, "audit")
	owner.Type(`#audit-person`, "guest")
	owner.Click(`form[action="/audit"] button`)
	owner.Until(`location.search.includes("person=guest") && document.querySelectorAll("tbody tr").length === 1`)
}

// posted is what a form of the page would be answered.
func posted(b *browsertest.Browser, path string) int {
	return browsertest.Evaluate[int](b, `fetch("`+path+`", {method: "POST", body: new URLSearchParams({name: "x", confirm: "Shop"})}).then(r => r.status)`)
}

// TestInvitationOfSomebodyWhoIsNotSignedIn comes back after the sign-in.
func TestInvitationOfSomebodyWhoIsNotSignedIn(t *testing.T) {
	t.Parallel()
	s := serve(t)
	mara := s.person("mara")
	team := s.team(mara, "Nordlicht")
	link := s.invite(mara, team, "", store.Member)
	b := browsertest.Open(t)
	b.Visit(s.url + link)
	b.Click(`form[action="/sign-in/dev"] button`)
	b.Until(`location.pathname === "/invitations" && document.body.innerText.includes("Join Nordlicht")`)
	b.Click(`form[action="/invitations"] button`)
	b.Until(`location.pathname === "` + team + `"`)
	if got := s.join(s.person("late"), link); got.status != http.StatusConflict {
		t.Errorf("the link is used again: %d", got.status)
	}
	if got := s.post(mara, "/invitations", url.Values{"key": {""}}); got.status != http.StatusNotFound {
		t.Errorf("no key: %d", got.status)
	}
}
