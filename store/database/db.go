// Package database keeps the records of package store on SQLite and Postgres: it runs each
// change in a transaction, hands out the work, tells subscribers what changed, and knows
// whether the database can be used. What may change into what is decided in package store.
package database

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"shopwright.dev/shopwright/store"
)

// DB is the handle on the database. It is safe for concurrent use.
type DB struct {
	write    *pool           // on SQLite a single connection: one writer at a time
	read     *pool           // the same pool on Postgres
	postgres *pgx.ConnConfig // nil on SQLite
	file     *file           // nil on Postgres
	now      func() time.Time
	health   *health
	feed     *feed
	sealer   *store.Sealer // nil where no secret is kept or read

	defaultPlan string // of teams that were given none
	log         *slog.Logger
}

// Option changes how the database is opened.
type Option func(*DB)

// WithLog logs, once each, when the database becomes unusable and when it is available again.
func WithLog(log *slog.Logger) Option { return func(db *DB) { db.log = log } }

// Exclusively refuses to open a SQLite file that another process has opened exclusively. Claims
// assume that one process works on the stores of a file. It means nothing on Postgres.
func Exclusively() Option {
	return func(db *DB) {
		if db.file != nil {
			db.file.exclusive = true
		}
	}
}

// Open connects to the database at the URL, either sqlite:PATH or postgres://…, brings its
// schema up to date and starts the change feed, which ends with Close. A database that
// cannot be used is left as it is, and the *Error says why; see [Passing].
func Open(ctx context.Context, databaseURL string, options ...Option) (*DB, error) {
	db, err := connect(databaseURL)
	if err != nil {
		return nil, err
	}
	db.defaultPlan = store.StandardPlan
	for _, set := range options {
		set(db)
	}
	last, err := db.begin(ctx)
	if err != nil {
		db.file.release()
		return nil, errors.Join(classify(err), db.closePools())
	}
	if db.log != nil { // until here the caller is told
		db.health.log = db.log
	}
	db.feed = startFeed(db, last)
	db.health.start(db.probe)
	return db, nil
}

func (db *DB) begin(ctx context.Context) (lastNumber int64, err error) {
	if err := db.reach(ctx); err != nil {
		return 0, err
	}
	if _, err := db.migrate(ctx); err != nil {
		return 0, err
	}
	return lastEvent(ctx, db.read)
}

// reach makes sure that there is a sound database, before anything is written to it.
func (db *DB) reach(ctx context.Context) error {
	if db.postgres == nil {
		return db.file.prepare(ctx)
	}
	ctx, end := db.read.bound(ctx)
	return end(refusePooler(ctx, db.postgres))
}

// Close ends the change feed and all its subscriptions, then the connections. Those to a
// damaged SQLite file end with the process instead: closing the last would write to it.
func (db *DB) Close() error {
	db.feed.stop()
	db.health.stop()
	defer db.file.release()
	if db.health.writable() {
		return db.closePools()
	}
	return nil
}

// freshWrite is how long ago the last write may be for Check to trust it.
const freshWrite = 10 * time.Second

// Check reports whether the database can be read and written now: nil, or an *Error with
// the code Unavailable.
func (db *DB) Check(ctx context.Context) error {
	if _, err := db.LastEvent(ctx); err != nil {
		return err
	}
	if err := db.health.state(); err != nil || !db.health.wroteBefore(freshWrite) {
		return err
	}
	return db.touch(ctx)
}

// touch writes what nobody reads.
func (db *DB) touch(ctx context.Context) error {
	return db.update(ctx, func(t tx) error { return t.lockClaims(ctx) })
}

// SharedByProcesses reports whether other processes may work on the same records.
// SQLite serves one process, Postgres many.
func (db *DB) SharedByProcesses() bool { return db.postgres != nil }

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
		path := strings.TrimPrefix(rest, "//")
		if path == "" {
			return nil, store.Invalidf("", "SHOPWRIGHT_DATABASE_URL has no file: it must be sqlite:PATH.")
		}
		return connectSQLite(path)
	case "postgres", "postgresql":
		return connectPostgres(databaseURL)
	}
	return nil, store.Invalidf("", "SHOPWRIGHT_DATABASE_URL must be sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE.")
}

// update runs fn in one transaction and pokes the change feed when it is committed. No
// transaction lasts longer than answerWithin.
func (db *DB) update(ctx context.Context, fn func(tx) error) error {
	if err := db.write.ready(); err != nil {
		return err
	}
	ctx, end := db.write.bound(ctx)
	if err := end(db.transact(ctx, fn)); err != nil {
		return err
	}
	db.health.wrote()
	db.feed.poke()
	return nil
}

func (db *DB) transact(ctx context.Context, fn func(tx) error) error {
	inner, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer inner.Rollback() //nolint:errcheck // after Commit it does nothing, before it the first error counts
	deadline, _ := ctx.Deadline()
	t := tx{inner: inner, deadline: deadline, postgres: db.postgres != nil}
	if t.now, err = db.clock(ctx, t); err != nil {
		return err
	}
	if err := fn(t); err != nil {
		return err
	}
	if err := inner.Commit(); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	return nil
}

// clock is the time that leases and limits use: the database's own where processes with
// skewed clocks may share it.
func (db *DB) clock(ctx context.Context, q querier) (int64, error) {
	if db.postgres == nil {
		return db.now().UnixMicro(), nil
	}
	var now int64
	err := q.QueryRowContext(ctx, `SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT`).Scan(&now)
	if err != nil {
		return 0, fmt.Errorf("read the database's clock: %w", err)
	}
	return now, nil
}

// since is when something was done for the first time with these records, which is now if it never was.
func (t tx) since(ctx context.Context, what string) (at int64, err error) {
	if _, err := t.ExecContext(ctx, `INSERT INTO counters (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, what, t.now); err != nil {
		return 0, fmt.Errorf("note since when there are %s: %w", what, err)
	}
	if err := t.QueryRowContext(ctx, `SELECT value FROM counters WHERE name = $1`, what).Scan(&at); err != nil {
		return 0, fmt.Errorf("read since when there are %s: %w", what, err)
	}
	return at, nil
}

// collect scans every row and closes them.
func collect[T any](rows *rows, err error, scan func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // it does nothing after the one below, before it the first error counts
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Close()
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
