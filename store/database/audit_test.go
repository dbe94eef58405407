package database_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

var root = store.Actor{UserID: "root", Name: "root", Admin: true}

func (b bundle) audit(t *testing.T, actor store.Actor, q store.AuditQuery) []store.Event {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 1000
	}
	events, err := b.db.Audit(t.Context(), actor, q)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func auditKinds(events []store.Event) string {
	var all []string
	for _, e := range events {
		all = append(all, string(e.Kind))
	}
	return strings.Join(all, " ")
}

func TestAuditTellsWhoMayKnow(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", map[string]store.Role{"admin": store.TeamAdmin, "member": store.Member})
		request := b.request("Shop")
		request.TeamID = team
		mara.Address = "203.0.113.7"
		if _, err := b.db.CreateStore(t.Context(), mara, request); err != nil {
			t.Fatal(err)
		}
		b.claim(t, "one")
		const want = "store.created member.added member.added team.created"
		if got := auditKinds(b.audit(t, b.now(t, "admin"), store.AuditQuery{TeamID: team})); got != want {
			t.Errorf("the team's log: %s", got)
		}
		for _, name := range []string{"member", "stranger"} {
			if got := auditKinds(b.audit(t, b.now(t, name), store.AuditQuery{TeamID: team})); got != "" {
				t.Errorf("%s reads %s", name, got)
			}
			for _, e := range b.audit(t, b.now(t, name), store.AuditQuery{}) {
				if e.Actor != name {
					t.Errorf("%s reads of %s", name, e.Actor)
				}
			}
		}
		if all := auditKinds(b.audit(t, root, store.AuditQuery{})); strings.Count(all, "member.added") != 2 || strings.Count(all, "user.signed_in") < 4 {
			t.Errorf("an administrator reads %s", all)
		}
		token := root
		token.Token, token.Scopes = "deploy", []store.Scope{store.ReadStores}
		_, err := b.db.Audit(t.Context(), token, store.AuditQuery{Limit: 1})
		wantError(t, err, store.Forbidden, "")
		if !b.now(t, "member").MayAudit() || token.MayAudit() {
			t.Error("who may read some of the log is not who reads some")
		}
		member, err := b.db.Activity(t.Context(), b.now(t, "member"), 0, 100)
		if err != nil || !slices.ContainsFunc(member, func(e store.Event) bool { return e.Kind == store.StoreCreated }) ||
			slices.ContainsFunc(member, func(e store.Event) bool { return e.Address == "203.0.113.7" }) {
			t.Errorf("a member's activity: %+v, %v", member, err)
		}
	})
}

func TestAuditIsFiltered(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", nil)
		for _, name := range []string{"Ärmel 100%", "Other"} {
			request := b.request(name)
			request.TeamID = team
			if _, err := b.db.CreateStore(t.Context(), mara, request); err != nil {
				t.Fatal(err)
			}
		}
		deploy := mara
		deploy.Token, deploy.Scopes, deploy.Address = "Nightly Deploy", store.Scopes(), "203.0.113.7"
		if err := b.db.RenameTeam(t.Context(), deploy, team, "Südlicht"); err != nil {
			t.Fatal(err)
		}
		whole := b.audit(t, mara, store.AuditQuery{TeamID: team})
		middle := whole[1].At
		for name, c := range map[string]struct {
			query store.AuditQuery
			want  string
		}{
			"a token":             {store.AuditQuery{Person: "nightly"}, "team.renamed"},
			"a person":            {store.AuditQuery{Person: "MARA", TeamID: team}, "team.renamed store.created store.created team.created"},
			"nobody":              {store.AuditQuery{Person: "nobody"}, ""},
			"an object":           {store.AuditQuery{Object: "ÄRMEL"}, "store.created"},
			"a name of before":    {store.AuditQuery{Object: "nordlicht", TeamID: team, Group: store.AuditTeams}, "team.renamed team.created"},
			"an address":          {store.AuditQuery{Person: "203.0.113", TeamID: team}, "team.renamed"},
			"a sign of a pattern": {store.AuditQuery{Object: "0%"}, "store.created"},
			"a pattern":           {store.AuditQuery{Object: "t_er"}, ""},
			"a group":             {store.AuditQuery{Group: store.AuditTeams}, "team.renamed team.created"},
			"another group":       {store.AuditQuery{Group: store.AuditStores}, "store.created store.created"},
			"no group":            {store.AuditQuery{Group: "made-up"}, ""},
			"from then on":        {store.AuditQuery{TeamID: team, From: middle}, "team.renamed store.created"},
			"before then":         {store.AuditQuery{TeamID: team, Until: middle}, "store.created team.created"},
			"a page":              {store.AuditQuery{TeamID: team, Limit: 2}, "team.renamed store.created"},
			"the next page":       {store.AuditQuery{TeamID: team, Limit: 2, Before: whole[1].Number}, "store.created team.created"},
			"a foreign team":      {store.AuditQuery{TeamID: "foreign"}, ""},
			"everything at once":  {store.AuditQuery{TeamID: team, Person: "mara", Object: "other", Group: store.AuditStores, From: middle, Until: time.Now().Add(time.Hour), Before: 1 << 60}, "store.created"},
		} {
			if got := auditKinds(b.audit(t, mara, c.query)); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	})
}

// TestAuditOutlivesWhatItIsAbout keeps every line as it was written.
func TestAuditOutlivesWhatItIsAbout(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", map[string]store.Role{"guest": store.Viewer})
		request := b.request("Shop")
		request.TeamID = team
		st, err := b.db.CreateStore(t.Context(), mara, request)
		if err != nil {
			t.Fatal(err)
		}
		_, secret := b.invite(t, mara, team, "late@example.com", store.Member)
		before := b.audit(t, root, store.AuditQuery{TeamID: team})
		b.remove(t, mara, st)
		if err := b.db.RemoveMember(t.Context(), mara, team, b.now(t, "guest").UserID); err != nil {
			t.Fatal(err)
		}
		if err := b.db.DeleteTeam(t.Context(), mara, team); err != nil {
			t.Fatal(err)
		}
		after := b.audit(t, root, store.AuditQuery{TeamID: team})
		if kept := after[len(after)-len(before):]; !reflect.DeepEqual(kept, before) {
			t.Errorf("kept as %+v, written as %+v", kept, before)
		}
		if got := auditKinds(after[:len(after)-len(before)]); got != "team.deleted member.removed invitation.revoked member.removed store.deleted store.delete_asked" {
			t.Errorf("what came after: %s", got)
		}
		text, err := json.Marshal(after)
		if err != nil || strings.Contains(string(text), secret) {
			t.Errorf("the log has a secret: %s, %v", text, err)
		}
		names, err := b.db.TeamNames(t.Context(), root, []string{team})
		if err != nil || names[team] != "Nordlicht" {
			t.Errorf("the team's name is %v, %v", names, err)
		}
		if names, err := b.db.TeamNames(t.Context(), b.now(t, "stranger"), []string{team, b.team}); err != nil || len(names) != 0 {
			t.Errorf("a stranger is told the names %v, %v", names, err)
		}
	})
}

func TestAuditDoesNotTellViewersOfInvitations(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		team, mara := b.found(t, "Nordlicht", map[string]store.Role{"guest": store.Viewer})
		b.invite(t, mara, team, "private@example.com", store.Member)
		seen, err := b.db.Activity(t.Context(), b.now(t, "guest"), 0, 100)
		if err != nil || !slices.ContainsFunc(seen, func(e store.Event) bool { return e.Kind == store.MemberInvited }) ||
			slices.ContainsFunc(seen, func(e store.Event) bool { return strings.Contains(fmt.Sprint(e.Object, e.Data), "private") }) {
			t.Errorf("a viewer's activity: %+v, %v", seen, err)
		}
	})
}

func TestLivingStores(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		lives, gone := b.create(t, "Lives"), b.create(t, "Gone")
		ids := []string{lives.ID, gone.ID, "unknown"}
		if _, err := b.db.RequestDelete(t.Context(), b.actor, gone.ID, store.DeleteRequest{}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.db.Archive(t.Context(), b.claim(t, "one"), store.Note{}); err != nil {
			t.Fatal(err)
		}
		living, err := b.db.LivingStores(t.Context(), b.actor, ids)
		if err != nil || len(living) != 1 || !living[lives.ID] {
			t.Errorf("living: %v, %v", living, err)
		}
		if foreign, err := b.db.LivingStores(t.Context(), b.now(t, "stranger"), ids); err != nil || len(foreign) != 0 {
			t.Errorf("a stranger is told of %v, %v", foreign, err)
		}
	})
}

// Missed events are delivered as live ones are: without details for readers of the audit log only.
func TestWhoIsInvitedIsNotToldToViewers(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		admin := storetest.Admin(t, b.db)
		team, mara := b.found(t, "Nordlicht", map[string]store.Role{"viewer": store.Viewer})
		b.invite(t, mara, team, "guest@example.com", store.Viewer)
		for who, knows := range map[string]bool{"viewer": false, "mara": true} {
			actor := b.now(t, who)
			events, err := b.db.EventsAfter(t.Context(), actor, 0, "", 100)
			if err != nil {
				t.Fatal(err)
			}
			invited := slices.IndexFunc(events, func(e store.Event) bool { return e.Kind == store.MemberInvited })
			if invited < 0 || (events[invited].Object != "") != knows {
				t.Errorf("%s is told %+v", who, events)
			}
			if slices.ContainsFunc(events, func(e store.Event) bool { return !actor.Sees(e) }) {
				t.Errorf("%s is told of the installation: %+v", who, events)
			}
		}
		if events, err := b.db.EventsAfter(t.Context(), admin, 0, "", 100); err != nil || !slices.ContainsFunc(events, func(e store.Event) bool { return e.Kind == store.AdminMade }) {
			t.Errorf("an administrator is told %+v, %v", events, err)
		}
	})
}

// The log is only added to: nothing of ours changes a line or takes one away, in either
// database, but what is no audit. A trigger would need another text for each.
func TestAuditIsAppendOnly(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	migrations, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(migrations) == 0 {
		t.Fatalf("%d migrations, %v", len(migrations), err)
	}
	rewrites := regexp.MustCompile(`(?is)\b(UPDATE|DELETE\s+FROM|TRUNCATE(\s+TABLE)?|REPLACE\s+INTO|MERGE\s+INTO)\s+"?events\b|INSERT\s+INTO\s+"?events\b[^` + "`" + `;]*ON\s+CONFLICT`)
	drops := regexp.MustCompile(`(?i)DROP\s+TABLE\s+"?events\b`)
	for _, name := range append(files, migrations...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		up = strings.ReplaceAll(up, "DELETE FROM events WHERE NOT audit AND ", "")
		if found := rewrites.FindString(up) + drops.FindString(up); found != "" && !strings.HasSuffix(name, "_test.go") {
			t.Errorf("%s changes what was written: %q", name, found)
		}
	}
}
