package handlers_test

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	gorilla "github.com/gorilla/sessions"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

var adminPages = []string{"/admin", "/admin/users", "/admin/teams", "/admin/plans", "/admin/plans/new", "/admin/plans/pro", "/admin/backups", "/admin/targets", "/admin/targets/new", "/admin/clusters", "/admin/queue", "/admin/versions"}

// as is a browser of somebody who is not the developer, and who it is.
func (s site) as(name string) (b *http.Client, userID string) {
	s.t.Helper()
	id, err := s.db.SignIn(s.t.Context(), store.Identity{Provider: "test", Subject: name, Name: name, Email: name + "@example.com"}, store.Browser{})
	if err != nil {
		s.t.Fatal(err)
	}
	session, err := s.db.Session(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.withSession(id), session.User.ID
}

// withSession is a browser with the cookie of that session.
func (s site) withSession(id string) *http.Client {
	s.t.Helper()
	cookies := gorilla.NewCookieStore([]byte(strings.Repeat("k", 32)))
	session := gorilla.NewSession(cookies, "shopwright")
	session.Values["id"] = id
	kept := responseHeader{http.Header{}}
	if err := cookies.Save(s.request(http.MethodGet, "/", nil), kept, session); err != nil {
		s.t.Fatal(err)
	}
	home, err := url.Parse(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	b := s.browser()
	b.Jar.SetCookies(home, (&http.Response{Header: kept.header}).Cookies())
	return b
}

// responseHeader is a response of which only the header counts.
type responseHeader struct{ header http.Header }

func (r responseHeader) Header() http.Header       { return r.header }
func (responseHeader) Write(b []byte) (int, error) { return len(b), nil }
func (responseHeader) WriteHeader(int)             {}

func TestAdministrationIsForAdministrators(t *testing.T) {
	t.Parallel()
	s := serve(t)
	admin := s.developer()
	b, userID := s.as("stranger")
	if got := s.get(b, "/stores"); got.status != http.StatusOK || strings.Contains(got.body, `href="/admin/users"`) {
		t.Errorf("somebody else's pages: %d, or they lead there", got.status)
	}
	for _, path := range append([]string{"/events?view=queue", "/events?view=backups"}, adminPages...) {
		if got := s.get(b, path); got.status != http.StatusNotFound {
			t.Errorf("GET %s by somebody else: %d", path, got.status)
		}
		if got := s.get(s.browser(), path); got.status == http.StatusOK || got.status >= 500 {
			t.Errorf("GET %s by nobody: %d", path, got.status)
		}
	}
	for _, path := range []string{
		"/admin/users/" + userID + "/make-admin", "/admin/users/" + userID + "/disable", "/admin/teams/x/plan", "/admin/plans", "/admin/plans/pro",
	} {
		if got := s.post(b, path, url.Values{"plan": {"pro"}, "label": {"Mine"}}); got.status != http.StatusNotFound {
			t.Errorf("POST %s by somebody else: %d", path, got.status)
		}
	}
	for _, path := range adminPages[1:] {
		if got := s.get(admin, path); got.status != http.StatusOK || !strings.Contains(got.body, `href="/admin/users"`) {
			t.Errorf("GET %s by the administrator: %d %s", path, got.status, got.body)
		}
	}
	for _, path := range []string{"/admin/users/none/disable", "/admin/teams/none/plan", "/admin/plans/none"} {
		if got := s.post(admin, path, url.Values{"plan": {"pro"}, "label": {"x"}, "stores": {"1"}, "cpu": {"1"}, "memory": {"1"}, "disk": {"1"}, "pods": {"1"}}); got.status != http.StatusNotFound {
			t.Errorf("POST %s: %d", path, got.status)
		}
	}
}

func TestUsersAreFoundAndChanged(t *testing.T) {
	t.Parallel()
	s := serve(t)
	admin := s.developer()
	const name = "\u202e<img src=x>Zoe"
	_, userID := s.as(name)
	for _, other := range []string{"ada", "bob"} {
		s.as(other)
	}
	list := s.get(admin, "/admin/users?q=zOE").body
	if !strings.Contains(list, "&lt;img src=x&gt;Zoe") || strings.Contains(list, "\u202e") || strings.Contains(list, "ada@example.com") || !strings.Contains(list, "1–1 of 1") {
		t.Errorf("the search finds %s", list)
	}
	at := url.Values{"q": {"zoe"}}
	user := "/admin/users/" + userID
	for _, step := range []struct{ what, then string }{
		{"/make-admin", "Revoke administrator"}, {"/unmake-admin", "Make administrator"}, {"/disable", "Enable"}, {"/enable", "Disable"},
	} {
		if got := s.post(admin, user+step.what, at); got.status != http.StatusSeeOther || got.location != "/admin/users?q=zoe" {
			t.Errorf("%s: %d to %q", step.what, got.status, got.location)
		}
		if list := s.get(admin, "/admin/users?q=zoe").body; !strings.Contains(list, step.then) {
			t.Errorf("after %s the list does not offer %q", step.what, step.then)
		}
	}
	users, _, err := s.db.Users(t.Context(), storetest.Admin(t, s.db), store.Page{Search: "developer", Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.post(admin, "/admin/users/"+users[0].ID+"/disable", at); got.status != http.StatusConflict || !strings.Contains(got.body, "You can’t disable yourself") || !strings.Contains(got.body, `value="zoe"`) {
		t.Errorf("disable oneself: %d", got.status)
	}
}

// Somebody whose sessions an administrator ends is out of all browsers, and can sign in again.
func TestAdministratorsEndSessions(t *testing.T) {
	t.Parallel()
	s := serve(t)
	admin := s.developer()
	b, userID := s.as("ada")
	stream := s.follow(b, "view=stores", -1)
	stream.until("store-rows")
	if got := s.post(admin, "/admin/users/"+userID+"/end-sessions", url.Values{"q": {"ada"}}); got.status != http.StatusSeeOther || got.location != "/admin/users?q=ada" {
		t.Fatalf("end sessions: %d to %q", got.status, got.location)
	}
	stream.untilEnd()
	if got := s.get(b, "/stores"); got.status != http.StatusSeeOther {
		t.Errorf("the pages after that: %d", got.status)
	}
	if again, _ := s.as("ada"); s.get(again, "/stores").status != http.StatusOK {
		t.Error("nobody can sign in again")
	}
	if log := s.get(admin, "/audit").body; !strings.Contains(log, "ended the sessions of") {
		t.Error("the audit log says nothing of it")
	}
	users, _, err := s.db.Users(t.Context(), storetest.Admin(t, s.db), store.Page{Search: "developer", Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.post(admin, "/admin/users/"+users[0].ID+"/end-sessions", nil); got.status != http.StatusConflict || !strings.Contains(got.body, "on your account page") {
		t.Errorf("end one's own: %d", got.status)
	}
}

// Whoever is disabled is out: the pages, and the streams that are open.
func TestDisabledUsersLeave(t *testing.T) {
	t.Parallel()
	s := serve(t)
	admin := s.developer()
	b, userID := s.as("mara")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := b.Do(s.request(http.MethodGet, "/events?view=stores", nil).WithContext(ctx))
	if err != nil || stream.StatusCode != http.StatusOK {
		t.Fatalf("the stream: %+v, %v", stream, err)
	}
	defer stream.Body.Close() //nolint:errcheck // it is read to its end
	lines := bufio.NewScanner(stream.Body)
	if !lines.Scan() {
		t.Fatal("the stream does not begin")
	}
	if got := s.post(admin, "/admin/users/"+userID+"/disable", nil); got.status != http.StatusSeeOther {
		t.Fatalf("disable: %d", got.status)
	}
	for lines.Scan() { // until it is ended
	}
	if ctx.Err() != nil {
		t.Error("the stream goes on")
	}
	if got := s.get(b, "/stores"); got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/sign-in") {
		t.Errorf("the pages: %d", got.status)
	}
}

// Whoever is no longer an administrator keeps no stream of an administrator's page.
func TestFormerAdministratorsLoseTheirStreams(t *testing.T) {
	t.Parallel()
	s := serve(t)
	admin := s.developer()
	b, userID := s.as("mara")
	s.post(admin, "/admin/users/"+userID+"/make-admin", nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := b.Do(s.request(http.MethodGet, "/events?view=queue", nil).WithContext(ctx))
	if err != nil || stream.StatusCode != http.StatusOK {
		t.Fatalf("the stream: %+v, %v", stream, err)
	}
	defer stream.Body.Close() //nolint:errcheck // it is read to its end
	lines, shown := bufio.NewScanner(stream.Body), false
	s.create(admin, "Nordwind")
	for !shown && lines.Scan() {
		shown = strings.Contains(lines.Text(), "Nordwind")
	}
	if !shown {
		t.Error("the queue does not show what was asked for")
	}
	s.post(admin, "/admin/users/"+userID+"/unmake-admin", nil)
	for lines.Scan() { // until it is ended
	}
	if ctx.Err() != nil {
		t.Error("the stream goes on")
	}
}

func TestPlansAreEditedAtTheirFields(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	large := url.Values{"name": {"large"}, "label": {"Large"}, "stores": {"3"}, "cpu": {"7,5"}, "memory": {"9.5"}, "disk": {"20"}, "pods": {"20"},
		"backup_every": {"6"}, "keep_hourly": {"1"}, "keep_daily": {"7"}, "keep_weekly": {"0"}, "keep_monthly": {"2"}, "drill_every": {"30"}}
	for field, wrong := range map[string]string{
		"name": "Large One", "label": "  ", "stores": "1.5", "cpu": "many", "memory": "-1", "disk": "NaN", "pods": "",
		"backup_every": "721", "keep_hourly": "-1", "keep_daily": "a week", "keep_weekly": "1001", "keep_monthly": "1.5", "drill_every": "91",
	} {
		form := url.Values{}
		for k, v := range large {
			form[k] = v
		}
		form.Set(field, wrong)
		got := s.post(b, "/admin/plans", form)
		_, input, _ := strings.Cut(got.body, `id="plan-`+field+`"`)
		input, _, _ = strings.Cut(input, ">")
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(input, `aria-invalid="true"`) || strings.Count(got.body, `aria-invalid="true"`) != 1 {
			t.Errorf("%s %q: %d, at the field %s", field, wrong, got.status, input)
		}
		if field != "label" && !strings.Contains(got.body, `value="Large"`) || field != "cpu" && !strings.Contains(got.body, `value="7,5"`) {
			t.Errorf("%s: what was typed is lost", field)
		}
	}
	if got := s.post(b, "/admin/plans", large); got.status != http.StatusSeeOther {
		t.Fatalf("add: %d %s", got.status, got.body)
	}
	if got := s.post(b, "/admin/plans", large); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "already exists") {
		t.Errorf("add again: %d", got.status)
	}
	if p, err := s.db.UnguardedPlan(t.Context(), "large"); err != nil || p.CPU != 7500 || p.Memory != 9728 || p.Disk != 20480 || p.Stores != 3 ||
		p.BackupEvery != 6 || p.Keep != (store.PointRetention{Hourly: 1, Daily: 7, Monthly: 2}) || p.DrillEvery != 30 {
		t.Errorf("the plan is %+v, %v", p, err)
	}
	large.Set("cpu", "0.5")
	large.Set("name", "another")
	if got := s.post(b, "/admin/plans/large", large); got.status != http.StatusSeeOther {
		t.Errorf("save: %d", got.status)
	}
	if list := s.get(b, "/admin/plans").body; !strings.Contains(list, "WooCommerce doesn’t fit the Large plan.") || !strings.Contains(list, "CPU; the plan allows 0.5.") || strings.Contains(list, "another") {
		t.Error("the list does not say who does not fit")
	}
	if page := s.get(b, "/admin/plans/large").body; !strings.Contains(page, `value="0.5"`) || !strings.Contains(page, "at their next change") {
		t.Error("the form does not say when stores feel it")
	}
}

func TestTeamGetsItsPlan(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	actor, team := storetest.Actor(t, s.db, "mara")
	if got := s.post(b, "/admin/teams/"+team+"/plan", url.Values{"plan": {"gold"}}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Plan not found") {
		t.Errorf("an unknown plan: %d", got.status)
	}
	if got := s.post(b, "/admin/teams/"+team+"/plan", url.Values{"plan": {"free"}, "q": {"mara"}}); got.status != http.StatusSeeOther || got.location != "/admin/teams?q=mara" {
		t.Errorf("set: %d to %q", got.status, got.location)
	}
	if list := s.get(b, "/admin/teams?q=mara").body; !strings.Contains(list, `<option value="free" selected>`) {
		t.Errorf("the list does not show it")
	}
	if plan, err := s.db.TeamPlan(t.Context(), actor, actor.Teams(store.CreateStores)[0]); err != nil || plan.Name != "free" {
		t.Errorf("the plan is %+v, %v", plan, err)
	}
	if page := s.get(s.withSession(s.session("mara")), "/stores/new").body; !strings.Contains(page, "0 of 1 store") || !strings.Contains(page, "Stores of this team") {
		t.Error("the form does not show the plan's limit")
	}
}

// session signs in as somebody.
func (s site) session(name string) string {
	s.t.Helper()
	id, err := s.db.SignIn(s.t.Context(), store.Identity{Provider: "test", Subject: name, Name: name}, store.Browser{})
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// The administrator's pages work in a browser, with and without scripts.
func TestAdministrationInABrowser(t *testing.T) {
	t.Parallel()
	s := serve(t)
	storetest.Actor(t, s.db, "mara")
	b := s.openBrowser()
	b.Click(`a[href="/admin/users"]`)
	b.WaitFor(`input[name="q"]`)
	for _, path := range adminPages[1:] {
		b.Visit(s.url + path)
		look(b, "admin"+strings.ReplaceAll(strings.TrimPrefix(path, "/admin"), "/", "-"))
	}
	b.Visit(s.url + "/admin/queue")
	b.Until(isLive)
	s.create(s.developer(), "Nordwind")
	b.Until(`document.getElementById("admin-queue").innerText.includes("Nordwind")`)
	b.Script(false)
	b.Visit(s.url + "/admin/plans/pro")
	b.Type("#plan-pods", "x")
	b.Click(`form[action="/admin/plans/pro"] .btn-primary`)
	b.WaitFor(`#plan-pods[aria-invalid="true"]`)
	b.Visit(s.url + "/admin/users?q=mara")
	b.Click(`form[action$="/disable"] button`)
	b.WaitFor(`form[action$="/enable"]`)
}

// Whoever shuts the only owner of a team out is told so, and makes another.
func TestTeamsWithoutAnOwnerGetOne(t *testing.T) {
	t.Parallel()
	s := serve(t)
	admin, owner := s.developer(), s.person("owner")
	team := s.team(owner, "Nord <b>licht")
	link := s.invite(owner, team, "", store.Member)
	member := s.person("member")
	if got := s.post(member, link, nil); got.status != http.StatusSeeOther {
		t.Fatalf("join: %d", got.status)
	}
	who, _ := storetest.Actor(t, s.db, "owner")
	heir, _ := storetest.Actor(t, s.db, "member")
	appoint := "/admin" + team + "/owner"
	if got := s.post(admin, appoint, url.Values{"user": {heir.UserID}}); got.status != http.StatusConflict || !strings.Contains(got.body, "has an owner who can sign in") {
		t.Errorf("beside an owner: %d", got.status)
	}
	if got := s.post(admin, "/admin/users/"+heir.UserID+"/disable", nil); got.status != http.StatusSeeOther {
		t.Errorf("disable a member: %d", got.status)
	}
	s.post(admin, "/admin/users/"+heir.UserID+"/enable", nil)
	if got := s.submit(admin, "/admin/users/"+who.UserID+"/disable", nil); got.status != http.StatusOK || !strings.Contains(got.body, "These teams have no owner who can sign in: “Nord &lt;b&gt;licht”. Make someone else the owner under Teams.") {
		t.Errorf("disable the owner: %d %s", got.status, got.body)
	}
	if list := s.get(admin, "/admin/teams").body; !strings.Contains(list, "No owner can sign in") || !strings.Contains(list, `action="`+appoint+`"`) || !strings.Contains(list, "member, member") {
		t.Errorf("the list offers no other owner: %s", list)
	}
	if got := s.post(admin, appoint, url.Values{"user": {heir.UserID}, "q": {"nord"}}); got.status != http.StatusSeeOther || got.location != "/admin/teams?q=nord" {
		t.Errorf("make an owner: %d to %q", got.status, got.location)
	}
	if list := s.get(admin, "/admin/teams").body; strings.Contains(list, "No owner can sign in") {
		t.Error("the team has an owner, and the list says it has none")
	}
}

// What is known of a cluster is told in words, and how much of it the stores may take.
func TestClusterTellsWhatItHolds(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	if page := s.get(b, "/admin/clusters").body; !strings.Contains(page, "Nothing yet") || !strings.Contains(page, "Not configured") || strings.Contains(page, "unconfigured") {
		t.Errorf("an empty cluster: %s", page)
	}
	s.create(b, "First")
	s.create(b, "Second")
	c := s.work()
	if _, err := s.db.Fail(t.Context(), c, store.Failure{Code: store.TimedOut}); err != nil {
		t.Fatal(err)
	}
	page := s.get(b, "/admin/clusters").body
	for _, told := range []string{"2, 1 failed or not selling", "10 CPU, 16 GiB memory, 40 GiB disk, 40 pods", "Unknown: the cluster isn’t connected"} {
		if !strings.Contains(page, told) {
			t.Errorf("nothing is said of %q: %s", told, page)
		}
	}
}
