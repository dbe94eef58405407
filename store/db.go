package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// DB is the handle on the records. It is safe for concurrent use.
type DB struct {
	write    *sql.DB // on SQLite a single connection: one writer at a time
	read     *sql.DB // the same pool on Postgres
	postgres bool
	url      string
	now      func() time.Time
	feed     *feed
}

// Open connects to the database at the URL, either sqlite:PATH or postgres://…, brings its
// schema up to date and starts the change feed, which ends with Close.
func Open(ctx context.Context, databaseURL string) (*DB, error) {
	db, err := connect(databaseURL)
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.closePools())
	}
	last, err := lastEvent(ctx, db.read)
	if err != nil {
		return nil, errors.Join(err, db.closePools())
	}
	db.feed = startFeed(db, last)
	return db, nil
}

// Close ends the change feed and all its subscriptions, then the connections.
func (db *DB) Close() error {
	db.feed.stop()
	return db.closePools()
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.read.PingContext(ctx) }

// SharedByProcesses reports whether other processes may work on the same records.
// SQLite serves one process, Postgres many.
func (db *DB) SharedByProcesses() bool { return db.postgres }

func (db *DB) closePools() error {
	if db.read == db.write {
		return db.write.Close()
	}
	return errors.Join(db.read.Close(), db.write.Close())
}

func connect(databaseURL string) (*DB, error) {
	scheme, rest, _ := strings.Cut(databaseURL, ":")
	switch scheme {
	case "sqlite":
		return connectSQLite(strings.TrimPrefix(rest, "//"))
	case "postgres", "postgresql":
		return connectPostgres(databaseURL)
	}
	return nil, fmt.Errorf("database URL starts with %q: it must be sqlite:PATH or postgres://…", scheme+":")
}

func connectSQLite(path string) (*DB, error) {
	const shared = "_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_dqs=0"
	write, err := sql.Open("sqlite", sqliteDSN(path, shared+"&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_txlock=immediate"))
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", sqliteDSN(path, shared+"&_pragma=query_only(1)&_txlock=deferred"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), write.Close())
	}
	read.SetMaxOpenConns(4)
	read.SetMaxIdleConns(4)
	return &DB{write: write, read: read, now: time.Now}, nil
}

func sqliteDSN(path, query string) string {
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query}).String()
}

func connectPostgres(databaseURL string) (*DB, error) {
	pool, err := sql.Open("pgx", databaseURL)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(8)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return &DB{write: pool, read: pool, postgres: true, url: databaseURL, now: time.Now}, nil
}

func (db *DB) migrate(ctx context.Context) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	dialect := goose.DialectSQLite3
	if db.postgres {
		dialect = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(dialect, db.write, dir)
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	return nil
}

// tx is one transaction with one point in time.
type tx struct {
	*sql.Tx
	now      int64
	postgres bool
}

// update runs fn in one transaction and pokes the change feed when it is committed.
func (db *DB) update(ctx context.Context, fn func(tx) error) error {
	inner, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer inner.Rollback() //nolint:errcheck // after Commit it does nothing, before it the first error counts
	now, err := db.clock(ctx, inner)
	if err != nil {
		return err
	}
	if err := fn(tx{Tx: inner, now: now, postgres: db.postgres}); err != nil {
		return err
	}
	if err := inner.Commit(); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	db.feed.poke()
	return nil
}

// clock is the time that leases and limits use: the database's own where processes with
// skewed clocks may share it.
func (db *DB) clock(ctx context.Context, q querier) (int64, error) {
	if !db.postgres {
		return db.now().UnixMicro(), nil
	}
	var now int64
	err := q.QueryRowContext(ctx, `SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT`).Scan(&now)
	if err != nil {
		return 0, fmt.Errorf("read the database's clock: %w", err)
	}
	return now, nil
}

// querier is what *sql.DB and *sql.Tx have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// collect scans every row and closes them.
func collect[T any](rows *sql.Rows, err error, scan func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells what matters
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// inList is the condition that the column has one of the values, as placeholders that
// start with $first, and the arguments for them. No value matches an empty list.
func inList(column string, values []string, first int) (string, []any) {
	if len(values) == 0 {
		return "1 = 0", nil
	}
	marks, args := make([]string, len(values)), make([]any, len(values))
	for i, v := range values {
		marks[i], args[i] = "$"+strconv.Itoa(first+i), v
	}
	return column + " IN (" + strings.Join(marks, ", ") + ")", args
}

type scanner interface{ Scan(dest ...any) error }

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
