package engine_test

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// medusaDatabase starts a database of the chart, and returns its port and what asks it as Medusa: the rows of
// the last statement, a line each.
func medusaDatabase(t *testing.T) (port string, query func(statement string, args ...any) string) {
	t.Helper()
	d := newDatabase(t)
	end := d.start(t)
	t.Cleanup(func() { end(syscall.SIGINT) })
	eventually(t, "PostgreSQL lets medusa in", func() bool { return d.ask(t, "medusa") == nil })
	return d.port, func(statement string, args ...any) string {
		t.Helper()
		ctx := context.Background()
		db, err := pgx.Connect(ctx, fmt.Sprintf("postgres://medusa:%s@127.0.0.1:%s/medusa?sslmode=disable", ownersPassword, d.port))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close(ctx) }()
		if !strings.HasPrefix(statement, "SELECT") {
			if _, err := db.Exec(ctx, statement, args...); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
			return ""
		}
		rows, err := db.Query(ctx, statement, args...)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		return strings.Join(lines, "\n")
	}
}

// A shop of Medusa, as far as the restore looks at it.
const medusaShop = `CREATE TABLE orders AS SELECT g AS id, md5(g::text) AS note FROM generate_series(1, 50000) g; ALTER TABLE orders ADD PRIMARY KEY (id);
CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE INDEX ON orders USING gin (note gin_trgm_ops);
CREATE SEQUENCE display START 1001; SELECT nextval('display'); CREATE VIEW paid AS SELECT id FROM orders WHERE id < 10;
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n';
CREATE TABLE image (id text PRIMARY KEY, url text NOT NULL, metadata jsonb, searched text GENERATED ALWAYS AS (lower(url)) STORED);
INSERT INTO image VALUES ('a', 'http://old.example.com/static/a.jpg', '{"sizes": ["http://old.example.com/static/s.jpg", "https://OLD.example.com"]}'),
	('b', 'http://old.example.com.au/b.jpg', '{"by": "me@old.example.com"}'), ('c', 'http://old.example.com:9000/c.jpg', NULL), ('d', 'See http://old.example.com. Or http://www.old.example.com/', NULL);
CREATE TABLE shopwright_setup (name text PRIMARY KEY, value text NOT NULL, at timestamptz NOT NULL DEFAULT now());
INSERT INTO shopwright_setup (name, value) VALUES ('began', '2.21.2-3'), ('sells', 'yes'), ('migrated', '2.21.2-4')`

func TestMedusaIsRestoredIntoANewShop(t *testing.T) {
	t.Parallel()
	oldPort, old := medusaDatabase(t)
	old(medusaShop)
	b := newBackup(t, medusa(t, unchanged), bucketServer(t).URL, oldPort, "/app/static")
	point := b.point(t, "the point")
	newPort, query := medusaDatabase(t)
	query("CREATE TABLE left_over (id int); CREATE TABLE orders (id int); CREATE SCHEMA other; CREATE TABLE other.one (id int); CREATE TABLE shopwright_setup (name text PRIMARY KEY, value text NOT NULL, at timestamptz NOT NULL DEFAULT now()); INSERT INTO shopwright_setup VALUES ('began', 'x')")
	r := newRestore(t, medusa(t, unchanged), b, point, newPort)
	r.write(t, "files/stale.jpg", "stale")

	const marks = "SELECT coalesce(string_agg(name, ' ' ORDER BY name), '') FROM shopwright_setup"
	for range 2 {
		r.restore(t)
		for _, same := range []string{
			"SELECT count(*) || ' ' || md5(string_agg(id || note, ',' ORDER BY id)) FROM orders", "SELECT last_value::text FROM display", "SELECT count(*)::text FROM paid", "SELECT twice(21)::text",
			"SELECT string_agg(indexdef, ',' ORDER BY indexname) FROM pg_indexes WHERE tablename = 'orders'",
		} {
			if got, want := query(same), old(same); got != want {
				t.Errorf("%s: %s, want %s", same, got, want)
			}
		}
		if got := query("SELECT string_agg(schemaname || '.' || tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"); got != "public.image public.kept public.orders public.shopwright_setup" {
			t.Errorf("the tables are %s", got)
		}
		if got := query(marks); got != "restored" {
			t.Errorf("the setup finds the marks %q", got)
		}
		const want = `a http://shop.localhost:8081/static/a.jpg {"sizes": ["http://shop.localhost:8081/static/s.jpg", "http://shop.localhost:8081"]} http://shop.localhost:8081/static/a.jpg
b http://old.example.com.au/b.jpg {"by": "me@old.example.com"} http://old.example.com.au/b.jpg
c http://old.example.com:9000/c.jpg - http://old.example.com:9000/c.jpg
d See http://shop.localhost:8081. Or http://www.old.example.com/ - see http://shop.localhost:8081. or http://www.old.example.com/`
		if got := query("SELECT id || ' ' || url || ' ' || coalesce(metadata::text, '-') || ' ' || searched FROM image ORDER BY id"); got != want {
			t.Errorf("the images are\n%s", got)
		}
		wantTexts(t, r.files, map[string]string{"upload.jpg": strings.Repeat("picture", 10_000), "stale.jpg": ""})
	}
}

// Until the whole dump is read the database stays as it was, and Medusa finds no marks of the other store.
func TestMedusaIsRestoredWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	oldPort, old := medusaDatabase(t)
	old(medusaShop)
	b := newBackup(t, medusa(t, unchanged), bucketServer(t).URL, oldPort, "/app/static")
	point := b.point(t, "the point")
	newPort, query := medusaDatabase(t)
	query("CREATE TABLE left_over (id int)")
	r := newRestore(t, medusa(t, unchanged), b, point, newPort)
	tables := func() string {
		return query("SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public'")
	}
	whole := b.restic(t, "dump", point.Database.SnapshotID, "database.dump")
	for name, script := range map[string]string{
		"cut":                     "head -c 1000000 \"$HOME/whole\"; exit 3",
		"cut, and nobody says so": "head -c 1000000 \"$HOME/whole\"",
		"empty":                   "exit 0",
		"no dump":                 "echo nothing",
	} {
		r.write(t, "whole", whole)
		r.write(t, "work-of-restore/restic", "#!/bin/sh\n"+script+"\n")
		makeRunnable(t, r.dir+"/work-of-restore/restic")
		cmd, said := r.command(t, "database", "the point")
		if err := cmd.Run(); err == nil {
			t.Errorf("%s: it succeeds: %s", name, said)
		}
		if got := tables(); got != "kept left_over" {
			t.Errorf("%s: in the database are %s", name, got)
		}
	}
	// The rest of the dump doesn't come: it is killed in the middle of it, however busy the machine is.
	r.write(t, "work-of-restore/restic", "#!/bin/sh\nhead -c 1000000 \"$HOME/whole\"; exec sleep 3600\n")
	makeRunnable(t, r.dir+"/work-of-restore/restic")
	r.killWhen(t, "database", func() bool {
		return query("SELECT count(*)::text FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'COPY%'") != "0"
	})
	eventually(t, "the transaction is undone", func() bool { return tables() == "kept left_over" })
	r.restore(t)
	if got := tables(); got != "image kept orders shopwright_setup" {
		t.Errorf("in the database are %s", got)
	}
}
