package handlers_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// line is one of the audit log's JSON file.
type line struct {
	Number                                                   int64
	Time, Person, Address, Kind, Object, Before, After, Team string
}

func (s site) auditFile(b *http.Client, query string) (lines []line, text string) {
	s.t.Helper()
	got := s.get(b, "/audit.json?"+query)
	if got.status != http.StatusOK || !strings.Contains(got.header.Get("Content-Disposition"), "attachment") {
		s.t.Fatalf("the file: %d %v", got.status, got.header)
	}
	if err := json.Unmarshal([]byte(got.body), &lines); err != nil {
		s.t.Fatalf("the file is no JSON: %v: %.200s", err, got.body)
	}
	return lines, got.body
}

func kindsOf(lines []line) string {
	var all []string
	for _, l := range lines {
		all = append(all, l.Kind)
	}
	return strings.Join(all, " ")
}

func TestAuditPage(t *testing.T) {
	t.Parallel()
	s := serve(t)
	mara, guest := s.person("mara"), s.person("guest")
	team := s.team(mara, "Nordlicht")
	id := strings.TrimPrefix(team, "/teams/")
	link := s.invite(mara, team, "guest@example.com", store.Viewer)
	s.join(guest, link)
	s.post(mara, team+"/members/"+s.userID("guest"), url.Values{"role": {"member"}})
	page := s.post(mara, "/stores", url.Values{"name": {"=cmd|' /C calc'!A0"}, "engine": {"woocommerce"}, "team": {id}}).location

	whole := s.get(mara, "/audit?team="+id).body
	for _, told := range []string{
		"changed the role of", ">viewer</span>", ">member</span>", `href="` + page + `"`, "joined the team", "created the team", `href="` + team + `"`, "127.0.0.1", "guest@example.com",
	} {
		if !strings.Contains(whole, told) {
			t.Errorf("the log does not say %q", told)
		}
	}
	for query, want := range map[string]string{
		"team=" + id:                               "store.created member.role_changed member.joined member.invited team.created",
		"team=" + id + "&person=GUEST":             "member.joined",
		"team=" + id + "&group=stores":             "store.created",
		"team=" + id + "&object=guest":             "member.role_changed member.joined member.invited",
		"team=" + id + "&from=2000-01-01":          "store.created member.role_changed member.joined member.invited team.created",
		"team=" + id + "&until=2000-01-01":         "",
		"team=" + id + "&from=9999-12-31":          "",
		"group=sign-ins&person=mara&from=nonsense": "user.signed_in",
		"team=none-such":                           "",
	} {
		lines, _ := s.auditFile(mara, query)
		if got := kindsOf(lines); got != want {
			t.Errorf("%s: %s", query, got)
		}
		if got := s.get(mara, "/audit?"+query); got.status != http.StatusOK || strings.Count(got.body, `<tr id="audit-`) != len(lines) {
			t.Errorf("%s: the page shows other lines than the file", query)
		}
	}
	if got := s.get(mara, "/audit?from=nonsense&person=mara"); !strings.Contains(got.body, "Dates look like") || !strings.Contains(got.body, `value="mara"`) {
		t.Error("a day that is none is not told")
	}
	if lines, text := s.auditFile(guest, ""); strings.Contains(text, "Nordlicht") || len(lines) == 0 {
		t.Errorf("a member reads the team's log: %s", text)
	}
	if lines, text := s.auditFile(mara, ""); strings.Contains(text, link[len("/invitations?key="):]) || lines[0].Team != "Nordlicht" || lines[1].Before != "viewer" || lines[1].After != "member" || lines[1].Address != "127.0.0.1" {
		t.Errorf("the file: %+v", lines)
	}
	if got := s.get(s.browser(), "/audit.csv"); got.status != http.StatusSeeOther {
		t.Errorf("the file for nobody: %d", got.status)
	}
}

func TestAuditTableHasNoFormulas(t *testing.T) {
	t.Parallel()
	s := serve(t)
	mara := s.person("mara")
	names := []string{"=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "a,b\"c", "plain"}
	for _, name := range names {
		s.team(mara, name)
	}
	got := s.get(mara, "/audit.csv?group=teams")
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(rows) != len(names)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, name := range names {
		want := name
		if i < 5 {
			want = "'" + name
		}
		row := rows[len(names)-i]
		if object, team := row[7], row[10]; object != want || team != want {
			t.Errorf("%q is written as %q and %q", name, object, team)
		}
	}
}

// TestAuditFileIsWhole takes away more lines than are read together, and reads as many on
// the pages.
func TestAuditFileIsWhole(t *testing.T) {
	t.Parallel()
	s := serve(t)
	mara := s.person("mara")
	team := s.team(mara, "Nordlicht")
	actor, _ := storetest.Actor(t, s.db, "mara")
	const renamed = 1100
	for n := range renamed {
		if err := s.db.RenameTeam(t.Context(), actor, strings.TrimPrefix(team, "/teams/"), fmt.Sprint("Name ", n)); err != nil {
			t.Fatal(err)
		}
	}
	lines, _ := s.auditFile(mara, "group=teams")
	if len(lines) != renamed+1 {
		t.Fatalf("%d lines", len(lines))
	}
	for i := 1; i < len(lines); i++ {
		if lines[i].Number >= lines[i-1].Number {
			t.Fatalf("line %d follows line %d", lines[i].Number, lines[i-1].Number)
		}
	}
	seen, pages := 0, 0
	for path := "/audit?group=teams"; path != "" && pages < 100; pages++ {
		body := s.get(mara, path).body
		seen += strings.Count(body, `<tr id="audit-`)
		path = olderPage(body)
	}
	if seen != renamed+1 || pages != (renamed+1+49)/50 {
		t.Errorf("%d lines on %d pages", seen, pages)
	}
}

// olderPage is where the page leads on, if it does.
func olderPage(body string) string {
	link := regexp.MustCompile(`href="(/audit\?[^"]*before=[^"]*)"`).FindStringSubmatch(body)
	if link == nil {
		return ""
	}
	return html.UnescapeString(link[1])
}

func TestAdministratorReadsEverything(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.team(s.person("mara"), "Nordlicht")
	secret, err := s.db.CreateLoginLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root := s.browser()
	s.post(root, "/sign-in/link", url.Values{"key": {secret}})
	lines, text := s.auditFile(root, "group=teams")
	if kindsOf(lines) != "team.created" || strings.Contains(text, secret) {
		t.Errorf("an administrator reads %s", text)
	}
	if got := s.get(root, "/audit?group=teams"); !strings.Contains(got.body, "Nordlicht") || strings.Contains(got.body, `href="/teams/`+"0") {
		t.Error("the page does not tell of the team, or leads to it")
	}
}
