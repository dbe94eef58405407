package database

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"shopwright.dev/shopwright/store"
)

// AnswerWithin sets how long a call may take.
func AnswerWithin(limit time.Duration) Option {
	return func(db *DB) { db.write.within, db.read.within = limit, limit }
}

// LimitPages makes a SQLite file behave as if the disk were full once it has grown by that
// many pages; with a negative number there is room again.
func LimitPages(ctx context.Context, db *DB, more int) error {
	var pages int
	if err := db.write.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&pages); err != nil {
		return err
	}
	if more < 0 {
		pages = 1 << 30
	}
	var limit int
	return db.write.QueryRowContext(ctx, "PRAGMA max_page_count = "+strconv.Itoa(pages+more)).Scan(&limit)
}

// WhileLocked calls fn in the middle of a transaction that locks the counters.
func WhileLocked(ctx context.Context, db *DB, fn func()) error {
	return db.update(ctx, func(t tx) error {
		if err := t.lockClaims(ctx); err != nil {
			return err
		}
		if err := t.append(ctx, store.Event{}); err != nil {
			return err
		}
		fn()
		_, err := freeSlug(ctx, t, "any")
		return err
	})
}

// Statements are those with which a list is made: the counts and one page.
func Statements(actor store.Actor, q store.Query) map[string]struct {
	Text string
	Args []any
} {
	type statement = struct {
		Text string
		Args []any
	}
	count, counted := countOf(actor, q)
	page, paged := pageOf(actor, q)
	return map[string]statement{"count": {count, counted}, "page": {page, paged}}
}

// Synchronous is how a SQLite file is written: see https://sqlite.org/pragma.html#pragma_synchronous.
func Synchronous(ctx context.Context, db *DB) (level int, err error) {
	err = db.write.QueryRowContext(ctx, `PRAGMA synchronous`).Scan(&level)
	return level, err
}

// MigrateTo brings an empty database to that version of the schema.
func MigrateTo(ctx context.Context, databaseURL string, version int64) error {
	return withDatabase(ctx, databaseURL, func(ctx context.Context, db *DB) error {
		if err := db.reachAlone(ctx); err != nil {
			return err
		}
		provider, err := db.migrations()
		if err != nil {
			return err
		}
		_, err = provider.UpTo(ctx, version)
		return err
	})
}

// TablesInOrder are the tables of a SQLite database, each after those that it refers to.
func TablesInOrder(ctx context.Context, db *sql.DB) (names []string, err error) {
	snapshot, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer snapshot.Rollback() //nolint:errcheck // it was only read from
	tables, err := tablesOf(ctx, snapshot)
	for _, t := range tables {
		names = append(names, t.name)
	}
	return names, err
}

// Columns are those that the statements about these tables name.
func Columns() map[string]map[string]bool {
	all := map[string]map[string]bool{
		"stores": {"search": true},                                                               // written once
		"jobs":   {"exclusive": true, "holder": true, "claim_number": true, "claim_until": true}, // of the queue
		"drills": {},
	}
	for _, c := range storeColumns {
		all["stores"][c.name] = true
	}
	for _, c := range jobColumns {
		all["jobs"][c.name] = true
	}
	for _, c := range drillColumns {
		all["drills"][c.name] = true
	}
	return all
}
