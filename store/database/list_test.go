package database_test

import (
	"database/sql"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// TestListReadsIndexes asks both databases how they would read the list of somebody who has
// ten thousand stores. A page reads its own rows only. Counting by status reads none on
// SQLite; Postgres rightly reads the table when nearly every row of it counts.
func TestListReadsIndexes(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		fill(t, url, b, 10_000)
		db, lite := raw(t, url), strings.HasPrefix(url, "sqlite:")
		if !lite { // Postgres does this by itself, a while after
			if _, err := db.ExecContext(t.Context(), "VACUUM ANALYZE stores"); err != nil {
				t.Fatal(err)
			}
		}
		for name, query := range map[string]store.Query{
			"newest":           {Limit: 25},
			"oldest, far down": {Limit: 25, Offset: 5000, Sort: store.Oldest},
			"by name":          {Limit: 25, Sort: store.ByName},
			"failed":           {Limit: 25, Status: store.Failed},
			"none there":       {Limit: 25, Status: store.Sleeping, Engine: "medusa"},
			"of an engine":     {Limit: 25, Engine: "medusa"},
		} {
			for part, s := range database.Statements(b.actor, query) {
				plan := explain(t, db, url, s.Text, s.Args)
				if (lite || part == "page") && readsAllRows(plan) {
					t.Errorf("%s, %s: reads all rows:\n%s", name, part, plan)
				}
				if lite && part == "count" && !strings.Contains(plan, "COVERING INDEX") {
					t.Errorf("%s: counting reads rows:\n%s", name, plan)
				}
			}
		}
	})
}

func readsAllRows(plan string) bool {
	return strings.Contains(plan, "Seq Scan on stores") || strings.Contains(plan, "SCAN stores")
}

// explain returns the database's plan for a statement.
func explain(t *testing.T, db *sql.DB, url, statement string, args []any) string {
	t.Helper()
	verb := "EXPLAIN "
	if strings.HasPrefix(url, "sqlite:") {
		verb = "EXPLAIN QUERY PLAN "
	}
	rows, err := db.QueryContext(t.Context(), verb+statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells what matters
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		cells := make([]any, len(columns))
		for i := range cells {
			cells[i] = new(any)
		}
		cells[len(cells)-1] = new(string) // the text is the last column of both
		if err := rows.Scan(cells...); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(*cells[len(cells)-1].(*string) + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// TestListOverTeams has the stores of two teams in one order, and counts all of them.
func TestListOverTeams(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		fill(t, url, b, 60)
		other, team := storetest.Actor(t, b.db, "other")
		if _, err := raw(t, url).ExecContext(t.Context(), `UPDATE stores SET team_id = $1 WHERE created_at % 2 = 0`, team); err != nil {
			t.Fatal(err)
		}
		if n, err := b.db.CountStores(t.Context(), other); err != nil || n != 30 {
			t.Errorf("one of the teams has %d stores, %v", n, err)
		}
		both := store.Actor{UserID: "both", Roles: map[string]store.Role{b.team: store.Owner, team: store.Viewer}}
		list, err := b.db.ListStores(t.Context(), both, store.Query{Limit: 3, Offset: 1})
		if err != nil || list.Total != 60 || names(list.Stores) != "Shop number 59 Shop number 58 Shop number 57" {
			t.Errorf("both teams' list: %s of %d, %v", names(list.Stores), list.Total, err)
		}
	})
}
