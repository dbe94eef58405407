package database

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path"
	"strconv"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrateWithin bounds how long a change of the schema may take.
const migrateWithin = 5 * time.Minute

// Schema is the version of a database's schema beside the versions that this binary knows.
type Schema struct {
	Kind    string // SQLite or Postgres
	Name    string // the file, or the database and its host; no user or password
	Version int64  // 0 for an empty database
	Known   int64  // the newest version that this binary knows
	Needed  int64  // the version that a binary must know to use the database
	Pending []Migration
}

// Migration is one numbered change of the schema.
type Migration struct {
	Version int64
	Name    string // of its file
}

// Newer reports whether a newer binary has migrated the database.
func (s Schema) Newer() bool { return s.Version > s.Known }

// Refused reports whether this binary cannot use the database, because a newer one has changed what
// this one relies on. While migrations only add, the release before them can.
func (s Schema) Refused() bool { return s.Needed > s.Known }

// ReadSchema returns the schema of the database at the URL. It writes nothing, and makes no
// SQLite file.
func ReadSchema(ctx context.Context, databaseURL string) (schema Schema, err error) {
	err = withDatabase(ctx, databaseURL, func(ctx context.Context, db *DB) error {
		schema, err = db.schema(ctx)
		return err
	})
	return schema, err
}

// Migrate applies the pending migrations to the database at the URL and returns them. It takes
// the lock that [Open] takes with [Exclusively]: on Postgres it waits for others that migrate,
// and a SQLite file that a server uses is refused, unless nothing is pending. So is a schema that
// this binary cannot use.
func Migrate(ctx context.Context, databaseURL string) (applied []Migration, err error) {
	err = withDatabase(ctx, databaseURL, func(ctx context.Context, db *DB) error {
		schema, err := db.schema(ctx)
		switch {
		case err != nil:
			return err
		case schema.Refused():
			return newerSchema(schema.Version, schema.Known)
		case len(schema.Pending) == 0:
			return nil
		}
		if err := db.reachAlone(ctx); err != nil {
			return err
		}
		applied, err = db.migrate(ctx)
		return err
	})
	return applied, err
}

// withDatabase calls fn with a handle that has no change feed and has migrated nothing.
func withDatabase(ctx context.Context, databaseURL string, fn func(context.Context, *DB) error) error {
	db, err := connect(databaseURL)
	if err != nil {
		return err
	}
	defer db.file.release()
	if db.file != nil {
		err = db.file.exists()
	}
	if err == nil {
		err = fn(ctx, db)
	}
	return errors.Join(classify(err), db.closePools())
}

// reachAlone is reach, and locks a SQLite file against servers.
func (db *DB) reachAlone(ctx context.Context) error {
	if db.file != nil {
		db.file.exclusive = true
	}
	return db.reach(ctx)
}

// schema reads the version of the schema, which is 0 where there is none.
func (db *DB) schema(ctx context.Context) (Schema, error) {
	provider, err := db.migrations()
	if err != nil {
		return Schema{}, fmt.Errorf("prepare migrations: %w", err)
	}
	version, needed, err := db.schemaVersion(ctx)
	if err != nil {
		return Schema{}, fmt.Errorf("read the schema's version: %w", err)
	}
	schema := Schema{Version: version, Needed: needed}
	schema.Kind, schema.Name = db.describe()
	for _, source := range provider.ListSources() {
		schema.Known = max(schema.Known, source.Version)
		if source.Version > version {
			schema.Pending = append(schema.Pending, Migration{Version: source.Version, Name: path.Base(source.Path)})
		}
	}
	return schema, nil
}

// schemaVersion is the version of the schema, and the one that a binary must know to use it. It asks
// without [goose.Provider], which would make the table of versions.
func (db *DB) schemaVersion(ctx context.Context) (version, needed int64, err error) {
	ctx, end := db.read.bound(ctx)
	defer func() { err = end(err) }()
	conn, err := db.read.Conn(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close() //nolint:errcheck // it was only read from
	dialect, there := database.DialectPostgres, `SELECT to_regclass($1) IS NOT NULL`
	if db.postgres == nil {
		dialect, there = database.DialectSQLite3, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = $1)`
	}
	versions, err := database.NewStore(dialect, goose.DefaultTablename)
	if err != nil {
		return 0, 0, err
	}
	var migrated bool
	if err := conn.QueryRowContext(ctx, there, goose.DefaultTablename).Scan(&migrated); err != nil || !migrated {
		return 0, 0, err
	}
	version, err = versions.GetLatestVersion(ctx, conn)
	if errors.Is(err, database.ErrVersionNotFound) {
		return 0, 0, nil
	}
	if err != nil || version == 0 {
		return 0, 0, err
	}
	err = conn.QueryRowContext(ctx, `SELECT value FROM counters WHERE name = 'readers'`).Scan(&needed)
	return version, needed, err
}

// describe names the database without the user and the password.
func (db *DB) describe() (kind, name string) {
	if db.postgres == nil {
		return "SQLite", db.file.path
	}
	at := net.JoinHostPort(db.postgres.Host, strconv.Itoa(int(db.postgres.Port)))
	return "Postgres", db.postgres.Database + " at " + at
}

// migrate brings the schema up to date. One that a newer binary has changed is left as it is, and
// refused if this one cannot use it.
func (db *DB) migrate(ctx context.Context) ([]Migration, error) {
	ctx, cancel := context.WithTimeout(ctx, migrateWithin)
	defer cancel()
	provider, err := db.migrations()
	if err != nil {
		return nil, fmt.Errorf("prepare migrations: %w", err)
	}
	current, known, err := provider.GetVersions(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the schema's version: %w", err)
	}
	if current > known {
		return nil, db.checkNewer(ctx)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate database: %w", err)
	}
	applied := make([]Migration, len(results))
	for i, r := range results {
		applied[i] = Migration{Version: r.Source.Version, Name: path.Base(r.Source.Path)}
	}
	return applied, nil
}

func (db *DB) checkNewer(ctx context.Context) error {
	schema, err := db.schema(ctx)
	if err != nil || !schema.Refused() {
		return err
	}
	return newerSchema(schema.Version, schema.Known)
}

// migrations lets one process at a time change the schema.
func (db *DB) migrations() (*goose.Provider, error) {
	if db.postgres == nil {
		return sqliteMigrations(db.write.DB)
	}
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, uint64(migrateWithin.Seconds())))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db.write.DB, dir, goose.WithSessionLocker(locker))
}

func sqliteMigrations(db *sql.DB) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, dir)
}
