package database_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// awkward is text that escapes, collations and encodings could change.
const awkward = `Ärger & "Tee"\N` + "\t\r\n" + `'; -- 東京 🍵 ß`

// many rows are more than one batch of a copy.
const many = 500

// fillEveryTable makes a SQLite file with rows in every table, n more stores among them, and closes it.
func fillEveryTable(t *testing.T, n int) (path string) {
	t.Helper()
	path, url := newFile(t)
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	b := bundle{db: db, cluster: storetest.Cluster(t, db)}
	b.actor, b.team = storetest.Actor(t, db, "mara")
	for _, name := range []string{"zoe", "Zed", "älva", "_x"} { // whose order depends on the collation
		storetest.Actor(t, db, name)
	}
	b.worn(t)
	st := b.create(t, "Tea & Tonic")
	fill(t, url, b, n)
	other := raw(t, url)
	for _, statement := range []string{
		`INSERT INTO used_states VALUES ('state', 1)`,
		`INSERT INTO login_links VALUES ('link', 1, 2, 0)`,
		`INSERT INTO invitations VALUES ('invitation', $team, '', 'viewer', 'secret', $user, 1, 2, 0, 0)`,
		`INSERT INTO invitation_mails VALUES ('mail', 'invitation', 'zoe@example.com', $user, 9223372036854775807)`,
		`INSERT INTO api_tokens VALUES ('token', $user, $team, $text, 'hash', 'stores:read', 1, 0, 2)`,
		`INSERT INTO idempotency_keys VALUES ($user, 'key', 'digest', $text, 1)`,
		`INSERT INTO revisions VALUES ($store, 1, 1, '{}', '1.2.3', '', 'offer', 'deployed', TRUE, '{}', '', $text, 1, 2),
			($store, 2, 1, '{}', '1.2.3', '', 'offer', 'failed', FALSE, '{}', $text, '', 1, 2)`,
		`INSERT INTO mails VALUES ('mail', 1, $user, 0, -1, 2)`,
		`INSERT INTO backup_targets VALUES ('target', $text, 'https://s3.example.com', 'shops', '', '', FALSE, '', 'key', 'sealed', TRUE, 1, 2)`,
		`INSERT INTO repositories VALUES ($store, 'sealed', 1, 2, 3)`,
		`INSERT INTO restore_points VALUES ('point', $store, 'target', 'manual', $text, $user, $text, '{}', 1, 2, 3)`,
		`INSERT INTO drills VALUES ('drill', $store, 'point', 1, 2, 3, $text, TRUE, '{}')`,
		`INSERT INTO recovery VALUES (1, 'age1', $text, 1, 2, 3, 4, $text)`,
		`UPDATE teams SET plan = 'pro' WHERE id = $team`,
		`UPDATE plans SET label = $text WHERE name = 'free'`,
		`UPDATE events SET object = $text WHERE number = 1`,
		`PRAGMA wal_checkpoint(TRUNCATE)`, // so that the file alone has it all
	} {
		args := []any{sql.Named("team", b.team), sql.Named("user", b.actor.UserID), sql.Named("store", st.ID), sql.Named("text", awkward)}
		if _, err := other.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := errors.Join(db.Close(), other.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// worn is a store with a past: it was opened, sold, and failed in an upgrade.
func (b bundle) worn(t *testing.T) {
	t.Helper()
	st := b.create(t, "Worn")
	c := b.claim(t, "one")
	b.advance(t, &c, store.Progress{Step: store.StepNamespace})
	b.advance(t, &c, store.Progress{Step: store.StepRelease, Finished: store.Note{Code: store.NamespaceCreated}})
	b.release(t, &c, 1, "1.0.0")
	order := store.Check{
		OK: true, Order: "7", Steps: []store.CheckStep{{Name: "order", Took: 1300 * time.Millisecond}},
		Address: store.Reached{Outcome: store.Answers, Note: store.Note{Code: store.AddressResponds, Facts: store.Facts{After: 12 * time.Millisecond}}},
	}
	opened := store.Opened{URL: "http://worn.localhost", AdminURL: "http://worn.localhost/admin", Volumes: []string{"data-0"}, Check: order, Next: time.Hour}
	if _, err := b.db.Complete(t.Context(), c, opened); err != nil {
		t.Fatal(err)
	}
	if err := b.db.Release(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	c = b.upgrade(t, st, store.UpgradeRequest{Chart: "1.1.0", Images: map[string]string{"shop": "2"}, Stay: true})
	b.release(t, &c, 2, "1.1.0")
	failure := store.Failure{
		Code: store.ImageNotPulled, Facts: store.Facts{Pod: "shop-0", Container: "shop", Image: "example.com/shop:2"}, Step: store.StepWorkloads,
		Evidence:  []store.Evidence{{Object: "pod/shop-0", Reason: "Failed", Message: awkward, Count: 3}},
		HelmLog:   []string{"upgrade"},
		LastWords: store.LastWords{Pod: "shop-0", Container: "shop", Lines: []string{awkward}},
	}
	if _, err := b.db.Fail(t.Context(), c, failure); err != nil {
		t.Fatal(err)
	}
	if err := b.db.Release(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// sorted is a database that sorts text unlike SQLite does.
func sorted(t *testing.T) (url string) {
	t.Helper()
	name := fmt.Sprintf("sorted%d", databases.Add(1))
	_, err := raw(t, postgres.URL("postgres")).ExecContext(t.Context(), `CREATE DATABASE "`+name+`" TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'`)
	if err != nil {
		t.Fatal(err)
	}
	return postgres.URL(name)
}

// rowsOf returns all rows of the table as one text each.
func rowsOf(t *testing.T, db *sql.DB, columns, table string) (all map[string]int) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT "+columns+" FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // it was only read from
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	all = map[string]int{}
	for rows.Next() {
		values, into := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i := range values { // truth values
			values[i].String = strings.NewReplacer("true", "1", "false", "0").Replace(values[i].String)
		}
		all[fmt.Sprintf("%+v", values)]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// tablesOf lists the tables of a SQLite database with their columns, without those of tools.
func tablesOf(t *testing.T, db *sql.DB) map[string]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `
		SELECT m.name, (SELECT group_concat('"' || c.name || '"') FROM pragma_table_info(m.name) c)
		FROM sqlite_schema m WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> 'goose_db_version'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // it was only read from
	tables := map[string]string{}
	for rows.Next() {
		var name, columns string
		if err := rows.Scan(&name, &columns); err != nil {
			t.Fatal(err)
		}
		tables[name] = columns
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return tables
}

func TestCopyHasEveryRow(t *testing.T) {
	t.Parallel()
	path, url := fillEveryTable(t, many), sorted(t)
	before := read(t, path)
	copied, err := database.Copy(t.Context(), path, url)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, read(t, path)) {
		t.Error("the SQLite file has changed")
	}
	from, to := raw(t, "sqlite:"+path), raw(t, url)
	tables := tablesOf(t, from)
	if len(copied) != len(tables) || len(tables) < 20 {
		t.Errorf("%d tables were copied, there are %d", len(copied), len(tables))
	}
	for _, c := range copied {
		columns, there := tables[c.Name]
		if !there {
			t.Fatalf("the table %s was copied", c.Name)
		}
		want, got := rowsOf(t, from, columns, c.Name), rowsOf(t, to, columns, c.Name)
		if len(want) == 0 {
			t.Errorf("the table %s has no rows: add one in fillEveryTable", c.Name)
		}
		if !reflect.DeepEqual(want, got) || int(c.Rows) != len(want) {
			t.Errorf("the table %s has %d rows, %d are reported, and it must have %d:\n%v\n%v", c.Name, len(got), c.Rows, len(want), got, want)
		}
	}
	b := setup(t, url) // as Shopwright opens it
	b.create(t, "After")
	events, err := b.db.LastEvent(t.Context())
	if err != nil || events < 2 {
		t.Errorf("the last event is %d, %v", events, err)
	}
}

// Numbers are counted in the table counters, which is copied like the others. A sequence of
// Postgres would begin anew after a copy.
func TestNoTableHasASequence(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	if _, err := database.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	var n int
	err := raw(t, url).QueryRowContext(t.Context(), `
		SELECT COUNT(*) FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name <> 'goose_db_version' AND (is_identity = 'YES' OR column_default LIKE 'nextval%')`).Scan(&n)
	if err != nil || n != 0 {
		t.Errorf("%d columns are counted by Postgres, %v: let Copy set their sequences", n, err)
	}
}

func TestCopyIsRefused(t *testing.T) {
	t.Parallel()
	path := fillEveryTable(t, many)
	for name, c := range map[string]struct {
		harm     func(t *testing.T, url string)
		sentence string
	}{
		"a target with data": {func(t *testing.T, url string) { setup(t, url) }, "The target already has data in the table"},
		"a target whose plan was changed": {func(t *testing.T, url string) {
			execAll(t, url, `UPDATE plans SET pods = pods + 1 WHERE name = 'pro'`)
		}, "The target already has data in the table plans"},
		"a newer target": {func(t *testing.T, url string) { setVersion(t, url, 99999) }, "newer version of Shopwright"},
		"a trigger that changes rows": {func(t *testing.T, url string) {
			execAll(t, url, `CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.label := NEW.label || chr(33); RETURN NEW; END'`,
				`CREATE TRIGGER spoil BEFORE INSERT ON plans FOR EACH ROW EXECUTE FUNCTION spoil()`)
		}, "The table plans differs after the copy (column label of row 1)"},
		"a trigger that drops a row": {func(t *testing.T, url string) {
			execAll(t, url, `CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
				`CREATE TRIGGER spoil BEFORE INSERT ON mails FOR EACH ROW EXECUTE FUNCTION spoil()`)
		}, "The table mails differs after the copy (only one side has row 1)"},
		"another column": {func(t *testing.T, url string) {
			execAll(t, url, `ALTER TABLE mails ADD COLUMN more TEXT`)
		}, "the table mails has 6 columns on SQLite and 7 on Postgres"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := newDatabase(t)
			if _, err := database.Migrate(t.Context(), url); err != nil {
				t.Fatal(err)
			}
			c.harm(t, url)
			to := raw(t, url)
			before := rowsOf(t, to, "*", "plans")
			mine := "sqlite:" + clone(t, path)
			if _, err := database.Copy(t.Context(), mine, url); err == nil || !strings.Contains(err.Error(), c.sentence) {
				t.Errorf("got %v, want %q", err, c.sentence)
			}
			if after := rowsOf(t, to, "*", "plans"); !reflect.DeepEqual(before, after) {
				t.Errorf("the target has changed from %v to %v", before, after)
			}
		})
	}
}

// clone copies the file, which only one at a time may use.
func clone(t *testing.T, path string) string {
	t.Helper()
	to, _ := newFile(t)
	if err := os.WriteFile(to, read(t, path), 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

func execAll(t *testing.T, url string, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := raw(t, url).ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func TestCopyFromAFileThatIsNotReady(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		harm     func(t *testing.T, url string)
		sentence string
	}{
		"in use": {func(t *testing.T, url string) { storetest.Open(t, url, database.Exclusively()) }, "A Shopwright server uses"},
		"newer": {func(t *testing.T, url string) {
			storetest.Open(t, url)
			setVersion(t, url, 99999)
		}, "newer version of Shopwright"},
		"older":  {empty, "Run shopwright migrate up on it"},
		"absent": {func(*testing.T, string) {}, "There is no database at"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, lite := newFile(t)
			c.harm(t, lite)
			url := newDatabase(t)
			if _, err := database.Copy(t.Context(), path, url); err == nil || !strings.Contains(err.Error(), c.sentence) {
				t.Errorf("got %v, want %q", err, c.sentence)
			}
			if schema, err := database.ReadSchema(t.Context(), url); err != nil || schema.Version != 0 {
				t.Errorf("the target has the schema %+v, %v", schema, err)
			}
		})
	}
}

func TestCopyToSQLite(t *testing.T) {
	t.Parallel()
	path, url := fillEveryTable(t, many), "sqlite:"+t.TempDir()+"/other.db"
	if _, err := database.Copy(t.Context(), path, url); err == nil || !strings.Contains(err.Error(), "must be postgres://") {
		t.Errorf("got %v", err)
	}
}

// A copy that failed can be started again with the same target.
func TestCopyAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	path, url := fillEveryTable(t, many), newDatabase(t)
	b := setup(t, url)
	if _, err := database.Copy(t.Context(), path, url); err == nil {
		t.Fatal("the target was overwritten")
	}
	if err := b.db.Check(t.Context()); err != nil {
		t.Errorf("the target can't be used: %v", err)
	}
	url = newDatabase(t)
	if _, err := database.Migrate(t.Context(), url); err != nil { // which is where a failed copy stands
		t.Fatal(err)
	}
	if _, err := database.Copy(t.Context(), path, url); err != nil {
		t.Error(err)
	}
}
