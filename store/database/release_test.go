package database_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// writeRelease has the tests write what stays of the present schema for those of later versions:
//
//	go test ./store/database -run TestUpgradeFromReleases -write-release 0.1.0
var writeRelease = flag.String("write-release", "", "version of the release that the present schema and data are kept of")

// A release leaves two files: the data of a database of it, with rows in every table, as statements
// that both databases take; and the sums of its migrations, which nobody changes any more.
const (
	releases = "testdata/releases"
	frozen   = releases + "/migrations.sha256"
)

func TestUpgradeFromReleases(t *testing.T) {
	if *writeRelease != "" {
		keepData(t, filepath.Join(releases, *writeRelease+".sql"))
		keepSums(t)
	}
	files, err := filepath.Glob(releases + "/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no release has left its data: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			onBoth(t, func(t *testing.T, url string) { upgradeFrom(t, url, file) })
		})
	}
}

// upgradeFrom brings a database of a release to the present schema. Everything in it must stay, and
// the program must work with it.
func upgradeFrom(t *testing.T, url, file string) {
	empty(t, url)
	data := string(read(t, file))
	var version int64
	if _, err := fmt.Sscanf(data, "-- schema %d\n", &version); err != nil {
		t.Fatalf("%s names no schema: %v", file, err)
	}
	if err := database.MigrateTo(t.Context(), url, version); err != nil {
		t.Fatal(err)
	}
	db := raw(t, url)
	if _, err := db.ExecContext(t.Context(), data); err != nil {
		t.Fatalf("put back the data of %s: %v", file, err)
	}
	before := map[string]map[string]int{}
	columns := map[string]string{}
	for _, line := range strings.Split(data, "\n") {
		if rest, found := strings.CutPrefix(line, "-- table "); found {
			name, list, _ := strings.Cut(rest, " ")
			columns[name] = list
			before[name] = rowsOf(t, db, list, name)
		}
	}
	if _, err := database.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	for name, want := range before {
		if got := rowsOf(t, db, columns[name], name); len(want) == 0 || !reflect.DeepEqual(want, got) {
			t.Errorf("the table %s had %d rows and has %d:\n%v\n%v", name, len(want), len(got), want, got)
		}
	}
	wantWorking(t, url)
}

// wantWorking opens the database and uses what is in it.
func wantWorking(t *testing.T, url string) {
	t.Helper()
	b := bundle{db: storetest.Open(t, url)}
	b.cluster = storetest.Cluster(t, b.db)
	b.actor, b.team = storetest.Actor(t, b.db, "mara")
	find(t, b, "tonic")
	if events, err := b.db.Activity(t.Context(), b.actor, 0, 100); err != nil || len(events) == 0 {
		t.Errorf("%d events are told, %v", len(events), err)
	}
	worn := b.store(t, find(t, b, "worn").ID)
	if worn.Status != store.Failed || worn.Job.Failure.Code != store.ImageNotPulled || worn.Health.Last.Order != "7" {
		t.Errorf("the store with a past is %+v", worn)
	}
	if got := b.history(t, worn.ID); got != `2 1.1.0 failed Chart 1.0.0 → 1.1.0, shop 2 by "mara", 1 1.0.0 deployed Opened by "mara"` {
		t.Errorf("its revisions are %s", got)
	}
	made := b.create(t, "After the upgrade")
	for b.store(t, made.ID).Status != store.Ready {
		b.complete(t, b.claim(t, "one"))
	}
}

// find returns the only store whose name has that word.
func find(t *testing.T, b bundle, word string) store.Store {
	t.Helper()
	list, err := b.db.ListStores(t.Context(), b.actor, store.Query{Limit: 10, Search: word})
	if err != nil || len(list.Stores) != 1 {
		t.Fatalf("%d stores are called %s, %v", list.Total, word, err)
	}
	return list.Stores[0]
}

// A released migration must not change: the same numbers must give every database the same schema.
func TestReleasedMigrationsAreFrozen(t *testing.T) {
	t.Parallel()
	for _, line := range strings.Split(strings.TrimSpace(string(read(t, frozen))), "\n") {
		sum, name, _ := strings.Cut(line, "  ")
		if got := sumOf(t, name); got != sum {
			t.Errorf("the migration %s was released, and has changed: add another one", name)
		}
	}
}

func sumOf(t *testing.T, migration string) string {
	t.Helper()
	sum := sha256.Sum256(read(t, filepath.Join("migrations", migration)))
	return hex.EncodeToString(sum[:])
}

func keepSums(t *testing.T) {
	t.Helper()
	files, err := os.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	var sums strings.Builder
	for _, file := range files {
		fmt.Fprintf(&sums, "%s  %s\n", sumOf(t, file.Name()), file.Name())
	}
	if err := os.WriteFile(frozen, []byte(sums.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// keepData writes the rows of a database that has some in every table. Those that migrations insert
// are replaced.
func keepData(t *testing.T, file string) {
	t.Helper()
	db := raw(t, "sqlite:"+fillEveryTable(t, 3))
	order, err := database.TablesInOrder(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	columns := tablesOf(t, db)
	var text strings.Builder
	fmt.Fprintf(&text, "-- schema %d\n", newestMigration(t))
	for _, name := range order {
		fmt.Fprintf(&text, "-- table %s %s\n", name, columns[name])
	}
	for i := range order {
		fmt.Fprintf(&text, "DELETE FROM %s;\n", order[len(order)-1-i])
	}
	for _, name := range order {
		for _, row := range statementRows(t, db, name) {
			fmt.Fprintf(&text, "INSERT INTO %s (%s) VALUES (%s);\n", name, columns[name], row)
		}
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// statementRows are the rows of the table as values of a statement that both databases take.
func statementRows(t *testing.T, db *sql.DB, table string) (all []string) {
	t.Helper()
	var values string
	err := db.QueryRowContext(t.Context(), `
		SELECT group_concat(CASE type WHEN 'BOOLEAN' THEN 'CASE "' || name || '" WHEN 0 THEN ''FALSE'' ELSE ''TRUE'' END' ELSE 'quote("' || name || '")' END, ' || '', '' || ')
		FROM pragma_table_info($1)`, table).Scan(&values)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := db.QueryContext(t.Context(), "SELECT "+values+" FROM "+table+" ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // it was only read from
	for rows.Next() {
		var row string
		if err := rows.Scan(&row); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
