package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/store/storetest"
)

// ledger holds what is done against the audit log.
type ledger struct {
	site
	root, mara *http.Client // an administrator, and somebody
}

// tells does something, which must leave a line of that kind by that person.
func (l ledger) tells(kind store.Kind, by string, do func()) (told store.Event) {
	l.t.Helper()
	before := l.lastEvent()
	do()
	events := l.heard(before)
	at := slices.IndexFunc(events, func(e store.Event) bool { return e.Kind == kind })
	if at < 0 {
		l.t.Errorf("no line of the kind %s is left, but %+v", kind, events)
		return store.Event{}
	}
	if e := events[at]; e.Actor != by || e.ActorID == "" || e.Address != "127.0.0.1" || e.Object == "" || !e.Audit {
		l.t.Errorf("what %s did is told as %+v", by, e)
	}
	return events[at]
}

// posts is what a form does that is taken.
func (l ledger) posts(b *http.Client, path string, fields ...string) func() {
	return func() {
		l.t.Helper()
		form := url.Values{}
		for i := 0; i < len(fields); i += 2 {
			form.Set(fields[i], fields[i+1])
		}
		if got := l.post(b, path, form); got.status >= http.StatusBadRequest {
			l.t.Fatalf("POST %s: %d %s", path, got.status, got.body)
		}
	}
}

// calls is what a program asks for that it gets.
func (l ledger) calls(p program, method, path string, sent any) func() {
	return func() {
		l.t.Helper()
		if got := p.call(method, path, sent); got.status >= http.StatusBadRequest {
			l.t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
		}
	}
}

func (l ledger) wantChange(e store.Event, before, after string) {
	l.t.Helper()
	if line := phrase.Event(e); !strings.HasPrefix(line.Before, before) || !strings.HasPrefix(line.After, after) {
		l.t.Errorf("%s is told as from %q to %q", e.Kind, line.Before, line.After)
	}
}

func openLedger(t *testing.T) ledger {
	t.Helper()
	s := serve(t)
	return ledger{site: s, root: s.developer(), mara: s.person("mara")}
}

// invitationKey is the secret of a new invitation to the team, by its page.
func (l ledger) invitationKey(team, email string) (id, key string) {
	l.t.Helper()
	link, err := url.Parse(l.invite(l.mara, team, email, store.Viewer))
	if err != nil {
		l.t.Fatal(err)
	}
	key = link.Query().Get("key")
	actor, _ := storetest.Actor(l.t, l.db, "mara")
	pending, err := l.db.Invitations(l.t.Context(), actor, strings.TrimPrefix(team, "/teams/"))
	if err != nil || len(pending) == 0 {
		l.t.Fatalf("no invitation is pending: %v", err)
	}
	return pending[0].ID, key
}

func TestSignInsAreTold(t *testing.T) {
	t.Parallel()
	l := openLedger(t)
	other := l.browser()
	l.tells(store.SignedIn, "Developer", l.posts(other, "/sign-in/dev"))
	l.tells(store.SignedOut, "Developer", l.posts(other, "/sign-out"))
	l.tells(store.SessionEnded, "Developer", l.posts(l.root, "/account/sessions/end-others"))
	secret := l.session("mara")
	actor, team := storetest.Actor(t, l.db, "mara")
	sessions, err := l.db.Sessions(t.Context(), actor, secret)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(sessions, func(s store.OpenSession) bool { return s.Current })
	l.tells(store.SessionEnded, "mara", l.posts(l.mara, "/account/sessions/end", "session", sessions[at].ID))

	l.tells(store.TokenCreated, "mara", l.posts(l.mara, "/account/tokens", "name", "first", "team", team, "scope", "stores:read", "lifetime", "7"))
	tokens, err := l.db.Tokens(t.Context(), actor)
	if err != nil || len(tokens) != 1 {
		t.Fatalf("%d tokens, %v", len(tokens), err)
	}
	l.tells(store.TokenRevoked, "mara", l.posts(l.mara, "/account/tokens/"+tokens[0].ID+"/revoke"))
	p := l.programOf(actor, everyScope()...)
	me := read[v1.Me](t, p.call("GET", "/me", nil), 200)
	if e := l.tells(store.TokenRevoked, "mara", l.calls(p, "DELETE", "/tokens/"+me.Token.ID, nil)); e.Token != "test" {
		t.Errorf("revoked with the token %q", e.Token)
	}
}

// A second provider that vouches for somebody is told, once.
func TestLinkedProvidersAreTold(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	l := ledger{site: e.site}
	count := func() (n int) {
		for _, told := range l.heard(0) {
			if told.Kind == store.IdentityLinked {
				n++
			}
		}
		return n
	}
	e.signIn(e.browser(), "work", "")
	if n := count(); n != 0 {
		t.Errorf("the first provider is told of %d times", n)
	}
	b := e.browser()
	e.signIn(b, "work", "")
	if told := l.tells(store.IdentityLinked, "Mara", func() { e.addMethod(b) }); phrase.Event(told).Message != "GitHub, mara@example.com" {
		t.Errorf("told as %+v", told)
	}
	e.signIn(e.browser(), "github", "")
	e.signIn(e.browser(), "work", "")
	if n := count(); n != 1 {
		t.Errorf("the second provider is told of %d times", n)
	}
	if page := e.get(b, "/audit?group=sign-ins").body; !strings.Contains(page, "added a sign-in method") {
		t.Error("the page does not tell of it")
	}
}

func TestAdministrationIsTold(t *testing.T) {
	t.Parallel()
	l := openLedger(t)
	actor, team := storetest.Actor(t, l.db, "mara")
	plan := func(pods string) []string {
		return []string{"name", "large", "label", "Large", "stores", "3", "cpu", "7", "memory", "9", "disk", "20", "pods", pods,
			"backup_every", "12", "keep_hourly", "1", "keep_daily", "7", "keep_weekly", "0", "keep_monthly", "0", "drill_every", "0"}
	}
	l.wantChange(l.tells(store.PlanAdded, "Developer", l.posts(l.root, "/admin/plans", plan("20")...)), "", "Large: 3 stores")
	l.wantChange(l.tells(store.PlanChanged, "Developer", l.posts(l.root, "/admin/plans/large", plan("30")...)), "Large: 3 stores", "Large: 3 stores")
	l.wantChange(l.tells(store.TeamPlanSet, "Developer", l.posts(l.root, "/admin/teams/"+team+"/plan", "plan", "large")), "", "large")
	user := "/admin/users/" + actor.UserID
	l.wantChange(l.tells(store.AdminMade, "Developer", l.posts(l.root, user+"/make-admin")), "user", "administrator")
	l.wantChange(l.tells(store.AdminUnmade, "Developer", l.posts(l.root, user+"/unmake-admin")), "administrator", "user")
	l.wantChange(l.tells(store.UserDisabled, "Developer", l.posts(l.root, user+"/disable")), "enabled", "disabled")
	l.wantChange(l.tells(store.UserEnabled, "Developer", l.posts(l.root, user+"/enable")), "disabled", "enabled")
}

func TestTeamsAreTold(t *testing.T) {
	t.Parallel()
	l := openLedger(t)
	guest := l.person("guest")
	var team string
	l.tells(store.TeamCreated, "mara", func() { team = l.team(l.mara, "Nordlicht") })
	l.wantChange(l.tells(store.TeamRenamed, "mara", l.posts(l.mara, team+"/name", "name", "Ostlicht")), "Nordlicht", "Ostlicht")
	var id, key string
	l.tells(store.MemberInvited, "mara", func() { id, _ = l.invitationKey(team, "late@example.com") })
	l.tells(store.InvitationAnew, "mara", l.posts(l.mara, team+"/invitations/"+id+"/renew"))
	l.tells(store.InvitationEnded, "mara", l.posts(l.mara, team+"/invitations/"+id+"/revoke"))
	_, key = l.invitationKey(team, "guest@example.com")
	l.wantChange(l.tells(store.MemberJoined, "guest", l.posts(guest, "/invitations", "key", key)), "", "viewer")
	l.wantChange(l.tells(store.RoleChanged, "mara", l.posts(l.mara, team+"/members/"+l.userID("guest"), "role", "member")), "viewer", "member")
	l.wantChange(l.tells(store.MemberRemoved, "guest", l.posts(guest, team+"/leave")), "member", "")
	l.tells(store.TeamDeleted, "mara", l.posts(l.mara, team+"/delete", "confirm", "Ostlicht"))
}

// sell brings the store's work to its end, with the next revision in place.
func (l ledger) sell(revision int) {
	l.t.Helper()
	l.sellVersion(revision, "")
}

// sellVersion is sell with that version of the shop's program.
func (l ledger) sellVersion(revision int, version string) {
	l.t.Helper()
	l.sellChecked(revision, version, store.Check{OK: true})
}

// sellChecked is sellVersion with that order check.
func (l ledger) sellChecked(revision int, version string, check store.Check) {
	l.t.Helper()
	c := l.work()
	st, err := l.db.RecordRelease(l.t.Context(), c, store.Released{Number: revision, ChartVersion: fmt.Sprint("1.", revision), Version: version})
	if err != nil {
		l.t.Fatal(err)
	}
	c.Store = st
	if _, err := l.db.Complete(l.t.Context(), c, store.Opened{URL: "http://shop.localhost", Check: check}); err != nil {
		l.t.Fatal(err)
	}
	if err := l.db.Release(l.t.Context(), c); err != nil {
		l.t.Fatal(err)
	}
}

func (l ledger) failWork(f store.Failure) {
	l.t.Helper()
	c := l.work()
	if _, err := l.db.Fail(l.t.Context(), c, f); err != nil {
		l.t.Fatal(err)
	}
	if err := l.db.Release(l.t.Context(), c); err != nil {
		l.t.Fatal(err)
	}
}

func TestStoresAreTold(t *testing.T) {
	t.Parallel()
	l := openLedger(t)
	actor, _ := storetest.Actor(t, l.db, "mara")
	p := l.programOf(actor, everyScope()...)
	var st v1.Store
	if e := l.tells(store.StoreCreated, "mara", func() { st = p.make("Shop") }); e.Token != "test" || e.StoreID != st.ID {
		t.Errorf("created as %+v", e)
	}
	page, one := "/stores/"+st.ID, "/stores/"+st.ID
	l.failWork(store.Failure{Code: store.TimedOut})
	l.tells(store.StoreRetried, "mara", l.posts(l.mara, page+"/retry"))
	l.failWork(store.Failure{Code: store.TimedOut})
	l.tells(store.StoreRetried, "mara", l.calls(p, "POST", one+"/retry", nil))
	l.failWork(store.Failure{Code: store.DataLost})
	l.tells(store.StoreRebuilt, "mara", l.posts(l.mara, page+"/rebuild"))
	l.sell(1)
	l.tells(store.CheckAsked, "mara", l.posts(l.mara, page+"/check"))
	l.tells(store.CheckAsked, "mara", l.calls(p, "POST", one+"/check", nil))
	l.tells(store.StoreRepaired, "mara", l.posts(l.mara, page+"/repair"))
	l.sell(2)
	asked := l.tells(store.UpgradeAsked, "mara", l.calls(p, "POST", one+"/upgrade", `{"images": {"mariadb": "11.9"}}`))
	l.wantChange(asked, "revision 2, chart 1.2", "chart ")
	if after := phrase.Event(asked).After; !strings.HasSuffix(after, ", mariadb 11.9") || strings.Contains(after, "chart offered") {
		t.Errorf("the upgrade leads to %q", after)
	}
	l.tells(store.ChangeCancelled, "mara", l.calls(p, "POST", one+"/cancel", nil))
	l.sell(3)
	l.tells(store.UpgradeAsked, "mara", l.calls(p, "POST", one+"/upgrade", `{"images": {"mariadb": "11.9"}}`))
	l.tells(store.ChangeCancelled, "mara", l.posts(l.mara, page+"/cancel"))
	l.sell(4)
	l.wantChange(l.tells(store.RollbackAsked, "mara", l.posts(l.mara, page+"/releases/2/rollback")), "revision 4, chart 1.4", "revision 2")
	l.sell(5)
	l.wantChange(l.tells(store.OwnerAsked, "mara", l.posts(l.mara, page+"/owner", "owner_email", "noor@example.org")), "mara@example.com", "noor@example.org")
	l.tells(store.ChangeCancelled, "mara", l.posts(l.mara, page+"/cancel"))
	l.sell(6)
	l.tells(store.OwnerAsked, "mara", l.calls(p, "PUT", one+"/owner", `{"owner_email": "noor@example.org"}`))
	l.tells(store.StoreDeleteAsked, "mara", l.posts(l.mara, page+"/delete", "confirm", "Shop"))
}

// What is written down holds none of the secrets that open something.
func TestRecordsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	l := openLedger(t)
	actor, personal := storetest.Actor(t, l.db, "mara")
	link, err := l.db.CreateLoginLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.posts(l.browser(), "/sign-in/link", "key", link)()
	made := l.submit(l.mara, "/account/tokens", url.Values{"name": {"x"}, "team": {personal}, "scope": {"stores:read"}, "lifetime": {"7"}})
	token := tokenOnPage.FindStringSubmatch(made.body)
	if token == nil {
		t.Fatalf("no token is made: %d", made.status)
	}
	team := l.team(l.mara, "Nordlicht")
	_, key := l.invitationKey(team, "guest@example.com")
	guest := l.person("guest")
	l.posts(guest, "/invitations", "key", key)()
	session := l.session("mara")
	l.get(l.withSession(session), "/account")
	p := l.programOf(actor, everyScope()...)
	p.make("Shop")
	l.wantNowhere(map[string]string{"a token": token[1], "another token": p.token, "a login link": link, "an invitation": key, "a session": session})
}

// wantNowhere looks for texts in all that is written down.
func (s site) wantNowhere(secrets map[string]string) {
	s.t.Helper()
	for table, text := range s.everything() {
		for what, secret := range secrets {
			if secret == "" || strings.Contains(text, secret) {
				s.t.Errorf("the secret of %s stands in the table %s", what, table)
			}
		}
	}
}

// everything is the text of all rows, by table.
func (s site) everything() map[string]string {
	s.t.Helper()
	db, all := s.raw(), map[string]string{}
	tables, err := db.QueryContext(s.t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table'`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer tables.Close() //nolint:errcheck // what was read is all there is
	var names []string
	for tables.Next() {
		var name string
		if err := tables.Scan(&name); err != nil {
			s.t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := tables.Err(); err != nil || !slices.Contains(names, "events") {
		s.t.Fatalf("the tables are %v, %v", names, err)
	}
	for _, name := range names {
		all[name] = s.rowsOf(name)
	}
	return all
}

func (s site) rowsOf(table string) string {
	s.t.Helper()
	rows, err := s.raw().QueryContext(s.t.Context(), `SELECT * FROM "`+table+`"`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // what was read is all there is
	columns, err := rows.Columns()
	if err != nil {
		s.t.Fatal(err)
	}
	var text strings.Builder
	for rows.Next() {
		cells, at := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			at[i] = &cells[i]
		}
		if err := rows.Scan(at...); err != nil {
			s.t.Fatal(err)
		}
		fmt.Fprintln(&text, cells...)
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
	return text.String()
}

// What the cluster tells of a shop's login is told too, and stands nowhere.
func TestShownCredentialsAreTold(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	l, p := ledger{site: s.site, root: s.owner}, s.program(everyScope()...)
	l.tells(store.CredentialsShown, "Developer", l.posts(s.owner, s.page+"/credentials"))
	if e := l.tells(store.CredentialsShown, "Developer", l.calls(p, "GET", s.page+"/credentials", nil)); e.Token != "test" {
		t.Errorf("shown to the token %q", e.Token)
	}
	l.wantNowhere(map[string]string{"a shop’s login": s.password()})
}
