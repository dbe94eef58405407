package database_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// Every search finds a name however somebody types it, on databases that know the case of ASCII
// only.
func TestEverySearchFindsNamesHoweverTheyAreTyped(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		for name, typed := range map[string][]string{
			"Özlem":       {"Özlem", "özlem", "ÖZLEM", "ozlem", norm.NFD.String("özlem"), "ÖZL"},
			"Straße":      {"straße", "STRASSE", "strasse"},
			"Ωμέγα":       {"ωμέγα", "ΩΜΈΓΑ", "ωμεγα"},
			"Ｆｕｌｌ 100%_!": {"full 100%", "ＦＵＬＬ", "full 100%_!"},
			"Łódź":        {"łódź", "ŁÓDŹ", "łodz"},
			"Ёлка":        {"ёлка", "ЁЛКА", "елка"},
		} {
			searches := b.searches(t, name)
			for _, text := range typed {
				for where, found := range searches {
					if n := found(t, text); n == 0 {
						t.Errorf("%s: %q does not find %q", where, text, name)
					}
					if n := found(t, text+"x"); n != 0 {
						t.Errorf("%s: %q finds %d", where, text+"x", n)
					}
				}
			}
		}
	})
}

// searches makes what bears the name, and returns how many each search finds.
func (b bundle) searches(t *testing.T, name string) map[string]func(*testing.T, string) int {
	t.Helper()
	admin := storetest.Admin(t, b.db)
	who, own := storetest.Actor(t, b.db, name)
	if _, err := b.db.CreateStore(t.Context(), who, store.NewStore{TeamID: own, Cluster: b.cluster, Name: name, Slug: "shop-" + strings.ToLower(storeMark(t)), Engine: "woocommerce"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.db.CreateTeam(t.Context(), b.actor, "Team of "+name); err != nil {
		t.Fatal(err)
	}
	renamed, err := b.db.CreateTeam(t.Context(), b.actor, "To be renamed")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.db.RenameTeam(t.Context(), b.now(t, "mara"), renamed.ID, "Renamed "+name); err != nil {
		t.Fatal(err)
	}
	teams := func(t *testing.T, text string) int {
		t.Helper()
		_, n, err := b.db.AllTeams(t.Context(), admin, store.Page{Search: text, Limit: 9})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	audit := func(t *testing.T, q store.AuditQuery) int {
		t.Helper()
		q.Limit = 9
		events, err := b.db.Audit(t.Context(), admin, q)
		if err != nil {
			t.Fatal(err)
		}
		return len(events)
	}
	return map[string]func(*testing.T, string) int{
		"users": func(t *testing.T, text string) int {
			t.Helper()
			_, n, err := b.db.Users(t.Context(), admin, store.Page{Search: text, Limit: 9})
			if err != nil {
				t.Fatal(err)
			}
			return n
		},
		"stores": func(t *testing.T, text string) int {
			t.Helper()
			list, err := b.db.ListStores(t.Context(), who, store.Query{Search: text, Limit: 9})
			if err != nil {
				t.Fatal(err)
			}
			return list.Total
		},
		"teams":           teams,
		"teams, made":     func(t *testing.T, text string) int { t.Helper(); return teams(t, "team of "+text) },
		"teams, renamed":  func(t *testing.T, text string) int { t.Helper(); return teams(t, "RENAMED "+text) },
		"audit by person": func(t *testing.T, text string) int { t.Helper(); return audit(t, store.AuditQuery{Person: text}) },
		"audit by object": func(t *testing.T, text string) int { t.Helper(); return audit(t, store.AuditQuery{Object: text}) },
	}
}

// storeMark is in an address that no other store of the test has.
func storeMark(t *testing.T) string {
	t.Helper()
	return strings.ReplaceAll(time.Now().Format("150405.000000"), ".", "")
}

// TestSearchesAreOfFoldedColumns reads the statements: a search of another column would know the
// case of ASCII only.
func TestSearchesAreOfFoldedColumns(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	searched := regexp.MustCompile(`([a-z.]+) LIKE \$`)
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range searched.FindAllStringSubmatch(string(text), -1) {
			found++
			switch column := strings.TrimLeft(match[1], "ut."); column {
			case "search", "who", "what", "kind":
			default:
				t.Errorf("%s searches %s", name, column)
			}
		}
	}
	if found < 5 {
		t.Errorf("%d searches only were found", found)
	}
}
