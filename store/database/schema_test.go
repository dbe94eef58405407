package database_test

import (
	"os"
	"strings"
	"sync"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// newestMigration is the version of the newest migration.
func newestMigration(t *testing.T) (version int64) {
	t.Helper()
	files, err := os.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(files)) // they are numbered from 1 without gaps
}

// empty makes the SQLite file of the URL, as Postgres databases are there from the beginning.
func empty(t *testing.T, url string) {
	t.Helper()
	if path, lite := strings.CutPrefix(url, "sqlite:"); lite {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSchemaOfAnEmptyDatabase(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		empty(t, url)
		for range 2 { // the second shows that the first has written nothing
			schema, err := database.ReadSchema(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			if schema.Version != 0 || schema.Known != newestMigration(t) || len(schema.Pending) != int(newestMigration(t)) || schema.Newer() {
				t.Errorf("the schema is %+v", schema)
			}
			if first := schema.Pending[0]; first.Version != 1 || first.Name != "00001_records.sql" {
				t.Errorf("the first migration is %+v", first)
			}
		}
		applied, err := database.Migrate(t.Context(), url)
		if err != nil || len(applied) != int(newestMigration(t)) {
			t.Fatalf("applied %v, %v", applied, err)
		}
		if applied, err = database.Migrate(t.Context(), url); err != nil || len(applied) != 0 {
			t.Errorf("applied again %v, %v", applied, err)
		}
		schema, err := database.ReadSchema(t.Context(), url)
		if err != nil || schema.Version != newestMigration(t) || len(schema.Pending) != 0 {
			t.Errorf("the schema is %+v, %v", schema, err)
		}
		setup(t, url).create(t, "Shop")
	})
}

func TestSchemaNamesNoPassword(t *testing.T) {
	t.Parallel()
	url, err := postgres.Guarded(t.Context(), "named", "secret")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := database.ReadSchema(t.Context(), url)
	if err != nil || schema.Kind != "Postgres" || !strings.HasPrefix(schema.Name, "named at ") || strings.Contains(schema.Name, "secret") {
		t.Errorf("the database is %q, %v", schema.Name, err)
	}
}

func TestSchemaOfNoFile(t *testing.T) {
	t.Parallel()
	path, url := newFile(t)
	if _, err := database.ReadSchema(t.Context(), url); err == nil || !strings.Contains(err.Error(), "There is no database at") {
		t.Errorf("got %v", err)
	}
	if _, err := database.Migrate(t.Context(), url); err == nil || !strings.Contains(err.Error(), "There is no database at") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file was made: %v", err)
	}
}

func TestNewerSchemaIsReportedAndNotMigrated(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		empty(t, url)
		if _, err := database.Migrate(t.Context(), url); err != nil {
			t.Fatal(err)
		}
		setVersion(t, url, 99999)
		setReaders(t, url, 99999)
		schema, err := database.ReadSchema(t.Context(), url)
		if err != nil || schema.Version != 99999 || !schema.Newer() || !schema.Refused() || len(schema.Pending) != 0 {
			t.Errorf("the schema is %+v, %v", schema, err)
		}
		_, err = database.Migrate(t.Context(), url)
		wantUnavailable(t, err, "newer version of Shopwright")
	})
}

// A binary goes on, and starts again, beside the next release: migrations only add.
func TestBinaryRunsBesideTheNextSchema(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		before := b.create(t, "Before")
		for _, change := range []string{
			`ALTER TABLE stores ADD COLUMN later TEXT NOT NULL DEFAULT ''`,
			`ALTER TABLE jobs ADD COLUMN later BIGINT NOT NULL DEFAULT 0`,
			`ALTER TABLE events ADD COLUMN later BOOLEAN NOT NULL DEFAULT FALSE`,
			`CREATE TABLE later (id TEXT PRIMARY KEY, store_id TEXT NOT NULL REFERENCES stores (id))`,
		} {
			if _, err := raw(t, url).ExecContext(t.Context(), change); err != nil {
				t.Fatal(err)
			}
		}
		setVersion(t, url, newestMigration(t)+1)
		schema, err := database.ReadSchema(t.Context(), url)
		if err != nil || !schema.Newer() || schema.Refused() {
			t.Errorf("the schema is %+v, %v", schema, err)
		}
		if applied, err := database.Migrate(t.Context(), url); err != nil || len(applied) != 0 {
			t.Errorf("migrated %v, %v", applied, err)
		}
		b.complete(t, b.claim(t, "running"))
		b.create(t, "Beside")
		if err := b.db.Close(); err != nil {
			t.Fatal(err)
		}
		b.db = storetest.Open(t, url)
		b.complete(t, b.claim(t, "started again"))
		list, err := b.db.ListStores(t.Context(), b.actor, store.Query{Limit: 10})
		if err != nil || list.Counts[store.Ready] != 2 {
			t.Errorf("%v, %v", list.Counts, err)
		}
		if got := b.store(t, before.ID); got.Name != before.Name || got.Status != store.Ready {
			t.Errorf("%+v", got)
		}
	})
}

// setReaders makes the database refuse binaries that do not know that version.
func setReaders(t *testing.T, url string, version int64) {
	t.Helper()
	if _, err := raw(t, url).ExecContext(t.Context(), `UPDATE counters SET value = $1 WHERE name = 'readers'`, version); err != nil {
		t.Fatal(err)
	}
}

// setVersion makes the schema look like one of that version.
func setVersion(t *testing.T, url string, version int64) {
	t.Helper()
	db := raw(t, url)
	if _, err := db.ExecContext(t.Context(), `DELETE FROM goose_db_version WHERE version_id > $1`, version); err != nil {
		t.Fatal(err)
	}
	if version == 0 {
		return
	}
	if _, err := db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, $2)`, version, true); err != nil {
		t.Fatal(err)
	}
}

// Commands and servers wait for each other on Postgres.
func TestMigrateBesideServersThatStart(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			if i%2 == 0 {
				if _, err := database.Migrate(t.Context(), url); err != nil {
					t.Error(err)
				}
				return
			}
			openAndClose(t, url)
		})
	}
	all.Wait()
}

func TestMigrateBesideAServerOnSQLite(t *testing.T) {
	t.Parallel()
	_, url := newFile(t)
	storetest.Open(t, url, database.Exclusively())
	if applied, err := database.Migrate(t.Context(), url); err != nil || len(applied) != 0 {
		t.Errorf("with nothing to do it applied %v, %v", applied, err)
	}
	setVersion(t, url, 0)
	if _, err := database.Migrate(t.Context(), url); err == nil || !strings.Contains(err.Error(), "another Shopwright uses the database") {
		t.Errorf("got %v", err)
	}
}
