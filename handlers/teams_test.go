package handlers_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"shopwright.dev/shopwright/handlers"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// person is somebody who is signed in, with an address at example.com.
func (s site) person(name string) *http.Client {
	s.t.Helper()
	b := s.browser()
	home, err := url.Parse(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	b.Jar.SetCookies(home, []*http.Cookie{s.cookie(name)})
	return b
}

// cookie signs a person in.
func (s site) cookie(name string) *http.Cookie {
	s.t.Helper()
	id, err := s.db.SignIn(s.t.Context(), storetest.Identity(name), store.Browser{Address: "203.0.113.7"})
	if err != nil {
		s.t.Fatal(err)
	}
	cookie, err := s.app.Cookie(id)
	if err != nil {
		s.t.Fatal(err)
	}
	return cookie
}

// team makes a team and returns the path of its page.
func (s site) team(b *http.Client, name string) string {
	s.t.Helper()
	made := s.post(b, "/teams", url.Values{"name": {name}})
	if made.status != http.StatusSeeOther || !strings.HasPrefix(made.location, "/teams/") {
		s.t.Fatalf("create the team %q: %d %s", name, made.status, made.body)
	}
	return made.location
}

var issuedLink = regexp.MustCompile(`id="invitation-link">([^<]+)<`)

// invite returns the path of the invitation's link.
func (s site) invite(b *http.Client, team, email string, role store.Role) string {
	s.t.Helper()
	made := s.submit(b, team+"/invitations", url.Values{"email": {email}, "role": {string(role)}})
	link := issuedLink.FindStringSubmatch(made.body)
	if made.status != http.StatusOK || link == nil {
		s.t.Fatalf("invite %q: %d %s", email, made.status, made.body)
	}
	return strings.TrimPrefix(html.UnescapeString(link[1]), "http://127.0.0.1")
}

// join accepts the invitation at the path.
func (s site) join(b *http.Client, link string) answer {
	s.t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.post(b, "/invitations", url.Values{"key": {u.Query().Get("key")}})
}

func (s site) userID(name string) string {
	s.t.Helper()
	actor, _ := storetest.Actor(s.t, s.db, name)
	return actor.UserID
}

// forms are the addresses to which a page's forms post.
func forms(page string) string {
	var all []string
	for _, found := range regexp.MustCompile(`<form[^>]* method="post"[^>]* action="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		all = append(all, found[1])
	}
	return strings.Join(all, " ")
}

func TestTeamsAndInvitations(t *testing.T) {
	t.Parallel()
	s := serve(t)
	mara, guest := s.person("mara"), s.person("guest")
	long := strings.Repeat("ü", 300)
	if got := s.post(mara, "/teams", url.Values{"name": {long}}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "at most 120") || !strings.Contains(got.body, `value="`+long+`"`) {
		t.Errorf("a name that is too long: %d", got.status)
	}
	team := s.team(mara, "  <b>Nord</b>   licht ")
	if got := s.get(mara, "/teams"); !strings.Contains(got.body, "&lt;b&gt;Nord&lt;/b&gt; licht") || strings.Contains(got.body, "<b>Nord") || !strings.Contains(got.body, "Personal") {
		t.Error("the team is not listed as it is called")
	}
	for email, says := range map[string]string{"nonsense": "Enter an address such as", "mara@example.com": "already in the team"} {
		got := s.post(mara, team+"/invitations", url.Values{"email": {email}, "role": {"viewer"}})
		if got.status != http.StatusUnprocessableEntity && got.status != http.StatusConflict || !strings.Contains(got.body, says) ||
			!strings.Contains(got.body, `value="`+email+`"`) || !strings.Contains(got.body, `value="viewer" selected`) {
			t.Errorf("invite %s: %d without %q", email, got.status, says)
		}
	}
	link := s.invite(mara, team, "guest@example.com", store.Viewer)
	if got := s.get(mara, team); strings.Contains(got.body, "key=") || !strings.Contains(got.body, "guest@example.com") {
		t.Error("the link is shown again, or the invitation is not")
	}

	if got := s.get(s.browser(), link); got.status != http.StatusSeeOther || got.location != "/sign-in?next="+url.QueryEscape(link) {
		t.Errorf("somebody who is not signed in: %d to %s", got.status, got.location)
	}
	for range 2 { // to look uses nothing up
		if got := s.get(guest, link); got.status != http.StatusOK || !strings.Contains(got.body, "&lt;b&gt;Nord&lt;/b&gt; licht") ||
			!strings.Contains(got.body, "mara</strong> invites you") || !strings.Contains(got.body, "Viewer") {
			t.Errorf("the invitation: %d %s", got.status, got.body)
		}
	}
	if got := s.join(guest, link); got.status != http.StatusSeeOther || got.location != team {
		t.Fatalf("join: %d to %s", got.status, got.location)
	}
	seen := s.get(guest, team)
	if seen.status != http.StatusOK || forms(seen.body) != "/sign-out "+team+"/leave" || strings.Contains(seen.body, "@example.com") || !strings.Contains(seen.body, ">mara<") {
		t.Errorf("a viewer sees %s", forms(seen.body))
	}
	if got := s.post(guest, team+"/leave", nil); got.status != http.StatusSeeOther || s.get(guest, team).status != http.StatusNotFound {
		t.Errorf("leave: %d", got.status)
	}
	if got := s.post(mara, team+"/leave", nil); got.status != http.StatusConflict || !strings.Contains(got.body, "A team needs an owner") {
		t.Errorf("the last owner leaves: %d", got.status)
	}
	if got := s.post(mara, team+"/delete", url.Values{"confirm": {"wrong"}}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `value="wrong"`) {
		t.Errorf("delete by a wrong name: %d", got.status)
	}
	if got := s.post(mara, team+"/delete", url.Values{"confirm": {"<b>Nord</b> licht"}}); got.location != "/teams" || s.get(mara, team).status != http.StatusNotFound {
		t.Errorf("delete: %d", got.status)
	}
}

// TestTeamIsForThoseInIt answers whoever is not in it as if it did not exist, and whoever may
// not do something with a refusal.
func TestTeamIsForThoseInIt(t *testing.T) {
	t.Parallel()
	s := serve(t)
	mara, guest, stranger := s.person("mara"), s.person("guest"), s.person("stranger")
	team := s.team(mara, "Nordlicht")
	s.join(guest, s.invite(mara, team, "", store.Viewer))
	link := s.invite(mara, team, "late@example.com", store.Member)
	page := s.get(mara, team).body
	invitation := regexp.MustCompile(`/invitations/([^/"]+)/renew`).FindStringSubmatch(page)[1]
	posts := map[string]url.Values{
		"/name": {"name": {"Taken over"}}, "/delete": {"confirm": {"Nordlicht"}}, "/invitations": {"role": {"owner"}},
		"/members/" + s.userID("guest"):             {"role": {"owner"}},
		"/members/" + s.userID("mara") + "/remove":  nil,
		"/invitations/" + invitation + "/renew":     nil,
		"/invitations/" + invitation + "/revoke":    nil,
		"/members/" + s.userID("mara"):              {"role": {"viewer"}},
		"/invitations/" + s.userID("mara") + "/new": nil, // no such address
	}
	for path, form := range posts {
		foreign, unknown := s.post(stranger, team+path, form), s.post(stranger, "/teams/none-such"+path, form)
		if foreign.status != http.StatusNotFound || unknown.status != http.StatusNotFound || errorText(foreign) != errorText(unknown) {
			t.Errorf("POST %s by a stranger: %d, to an unknown team %d", path, foreign.status, unknown.status)
		}
		if got := s.post(guest, team+path, form); got.status != http.StatusForbidden && !strings.HasSuffix(path, "/new") {
			t.Errorf("POST %s by a viewer: %d", path, got.status)
		}
		if got := s.post(s.browser(), team+path, form); got.status != http.StatusUnauthorized && !strings.HasSuffix(path, "/new") {
			t.Errorf("POST %s by nobody: %d", path, got.status)
		}
	}
	for _, path := range []string{team, "/events?view=team&id=" + strings.TrimPrefix(team, "/teams/")} {
		if got := s.get(stranger, path); got.status != http.StatusNotFound {
			t.Errorf("GET %s by a stranger: %d", path, got.status)
		}
	}
	if got := s.get(mara, team); got.body == "" || strings.Contains(got.body, "Taken over") || !strings.Contains(got.body, "late@example.com") {
		t.Error("something was done")
	}
	if got := s.get(s.person("late"), link); got.status != http.StatusOK {
		t.Errorf("the invitation: %d", got.status)
	}
}

func errorText(a answer) string {
	return regexp.MustCompile(`(?s)<h1.*?</p>`).FindString(a.body)
}

func TestInvitationSaysWhyItCannotBeUsed(t *testing.T) {
	t.Parallel()
	s := serve(t)
	mara, guest, other := s.person("mara"), s.person("guest"), s.person("other")
	team := s.team(mara, "Nordlicht")
	link := s.invite(mara, team, "guest@example.com", store.Member)
	says := func(b *http.Client, link, what string, status int) {
		t.Helper()
		for _, got := range []answer{s.get(b, link), s.join(b, link)} {
			if got.status != status || !strings.Contains(got.body, what) || strings.Contains(got.body, "Join the team") {
				t.Errorf("%d without %q", got.status, what)
			}
		}
	}
	says(other, link, "is for another email address", http.StatusForbidden)
	if strings.Contains(s.get(other, link).body, "guest@") {
		t.Error("somebody else learns the address")
	}
	says(other, "/invitations?key=made-up", "Invitation not found", http.StatusNotFound)
	s.join(guest, link)
	says(guest, link, "was used or revoked", http.StatusConflict)

	anybody := s.invite(mara, team, "", store.Viewer)
	if got := s.join(mara, anybody); got.status != http.StatusConflict || !strings.Contains(got.body, "already") {
		t.Errorf("a member joins again: %d", got.status)
	}
	s.change(`UPDATE invitations SET expires_at = 1`)
	says(other, anybody, "has expired after 7 days", http.StatusConflict)
	if got := s.get(mara, team); !strings.Contains(got.body, ">expired ") {
		t.Error("the team's page does not say that it is too old")
	}
}

func TestRolesAreChangedOnThePage(t *testing.T) {
	t.Parallel()
	s := serve(t)
	mara, guest := s.person("mara"), s.person("guest")
	team := s.team(mara, "Nordlicht")
	s.join(guest, s.invite(mara, team, "", store.Viewer))
	member := team + "/members/" + s.userID("guest")
	if got := s.post(mara, team+"/members/"+s.userID("mara"), url.Values{"role": {"viewer"}}); got.status != http.StatusConflict || !strings.Contains(got.body, "A team needs an owner") {
		t.Errorf("the last owner becomes a viewer: %d", got.status)
	}
	if got := s.post(mara, member, url.Values{"role": {"admin"}}); got.status != http.StatusSeeOther {
		t.Errorf("make an admin: %d", got.status)
	}
	if got := s.get(guest, team); !strings.Contains(forms(got.body), "/invitations") || strings.Contains(got.body, "/delete") || strings.Contains(got.body, `value="owner"`) {
		t.Errorf("an admin sees %s", forms(got.body))
	}
	if got := s.post(mara, member+"/remove", nil); got.status != http.StatusSeeOther || s.get(guest, team).status != http.StatusNotFound {
		t.Errorf("remove: %d", got.status)
	}
	if got := s.get(mara, team+"/name"); got.status != http.StatusSeeOther || got.location != team {
		t.Errorf("the address of a form: %d to %s", got.status, got.location)
	}
}

func TestTeamPageLives(t *testing.T) {
	t.Parallel()
	s := serve(t)
	mara, guest := s.person("mara"), s.person("guest")
	team := s.team(mara, "Nordlicht")
	s.join(guest, s.invite(mara, team, "", store.Viewer))
	address := "view=team&id=" + strings.TrimPrefix(team, "/teams/")
	owners, guests := s.follow(mara, address, s.lastEvent()), s.follow(guest, address, s.lastEvent())
	owners.until("cluster-pill")
	guests.until("cluster-pill")
	s.post(mara, team+"/name", url.Values{"name": {"Südlicht"}})
	if got := guests.until("Südlicht").targets(); got != "team-head" {
		t.Errorf("a new name replaces %s", got)
	}
	s.invite(mara, team, "late@example.com", store.Viewer)
	if said := owners.sayingThrough("late@example.com"); !strings.Contains(said, "team-invitations") {
		t.Error("an invitation does not show")
	}
	s.post(mara, team+"/members/"+s.userID("guest")+"/remove", nil)
	if said := guests.untilEnd(); strings.Contains(said, "late@") {
		t.Error("a viewer is told of an invitation")
	}
	if got := s.get(guest, "/events?"+address); got.status != http.StatusNotFound {
		t.Errorf("the stream comes back: %d", got.status)
	}
	s.post(mara, team+"/delete", url.Values{"confirm": {"Südlicht"}})
	owners.untilEnd()
	if strings.Contains(s.log.String(), "level=ERROR") {
		t.Errorf("the log tells of errors: %s", s.log)
	}
}

func TestStoresOfSeveralTeams(t *testing.T) {
	t.Parallel()
	s := serve(t)
	mara := s.person("mara")
	if got := s.get(mara, "/stores"); strings.Contains(got.body, `name="team"`) {
		t.Error("whoever has one team is asked for it")
	}
	team := strings.TrimPrefix(s.team(mara, "Nordlicht"), "/teams/")
	s.create(mara, "Mine")
	form := s.get(mara, "/stores/new?team="+team).body
	if !strings.Contains(form, `<option value="`+team+`" selected`) {
		t.Error("the team that was looked at is not chosen")
	}
	made := s.post(mara, "/stores", url.Values{"name": {"Ours"}, "engine": {"woocommerce"}, "team": {team}})
	if made.status != http.StatusSeeOther {
		t.Fatalf("create in a team: %d", made.status)
	}
	for _, foreign := range []string{"none-such", strings.TrimPrefix(s.team(s.person("stranger"), "Foreign"), "/teams/")} {
		got := s.post(mara, "/stores", url.Values{"name": {"Theirs"}, "engine": {"woocommerce"}, "team": {foreign}})
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Choose a team") || !strings.Contains(got.body, `value="Theirs"`) {
			t.Errorf("create in the team %s: %d", foreign, got.status)
		}
	}
	rows := func(query string) string {
		var names []string
		for _, found := range regexp.MustCompile(`class="name"[^>]*>([^<]+)</a>\s*<span class="sw-2nd" title="([^"]*)"`).FindAllStringSubmatch(s.get(mara, "/stores?"+query).body, -1) {
			names = append(names, found[1]+": "+found[2])
		}
		return strings.Join(names, ", ")
	}
	if got, want := rows("sort=name"), "Mine: mara · mine.localhost, Ours: Nordlicht · ours.localhost"; got != want {
		t.Errorf("the list: %s", got)
	}
	if got, want := rows("team="+team), "Ours: Nordlicht · ours.localhost"; got != want {
		t.Errorf("the list of a team: %s", got)
	}
	if got := s.get(mara, "/stores?team=none-such"); got.status != http.StatusOK || !strings.Contains(got.body, "Clear search and filters") {
		t.Errorf("the list of an unknown team: %d", got.status)
	}
	list := s.follow(mara, "view=stores&team="+team, -1)
	if got := list.until("store-rows"); strings.Contains(got.data, "Mine") || !strings.Contains(got.data, "Nordlicht") {
		t.Error("the stream of a team's list shows another team's stores")
	}
	s.post(mara, "/teams/"+team+"/name", url.Values{"name": {"Südlicht"}})
	list.until("Südlicht · ours.localhost")
}

func TestActivityTellsOfTeams(t *testing.T) {
	t.Parallel()
	s := serve(t)
	mara, guest := s.person("mara"), s.person("guest")
	team := s.team(mara, "Nordlicht")
	s.join(guest, s.invite(mara, team, "", store.Viewer))
	s.invite(mara, team, "private@example.com", store.Viewer)
	s.post(mara, team+"/name", url.Values{"name": {"Südlicht"}})
	s.post(mara, team+"/members/"+s.userID("guest"), url.Values{"role": {"member"}})
	text := regexp.MustCompile(`<[^>]*>|\s+`).ReplaceAllString(s.get(guest, "/activity").body, " ")
	text = strings.Join(strings.Fields(text), " ")
	for _, told := range []string{
		"mara changed the role of guest Made member, was viewer", "mara renamed the team Südlicht Was Nordlicht", "mara invited someone As viewer",
		"guest joined the team as viewer, invited by mara", "mara created the team Nordlicht",
	} {
		if !strings.Contains(text, told) {
			t.Errorf("the activity does not say %q: %s", told, text)
		}
	}
	if strings.Contains(text, "private@") {
		t.Error("a member reads whom others have invited")
	}
	if got := s.get(mara, "/activity").body; !strings.Contains(got, "private@example.com") {
		t.Error("an owner does not")
	}
}

func TestInvitationLink(t *testing.T) {
	t.Parallel()
	if got := handlers.InvitationLink("https://x.example", "A B"); got != "https://x.example/invitations?key=A+B" {
		t.Error(got)
	}
}
