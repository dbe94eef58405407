package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

const idleConnections = 8

func connectPostgres(databaseURL string) (*DB, error) {
	inner, err := sql.Open("pgx", databaseURL)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	inner.SetMaxOpenConns(16)
	inner.SetMaxIdleConns(idleConnections)
	inner.SetConnMaxIdleTime(5 * time.Minute)
	h := newHealth(unanswered)
	shared := &pool{DB: inner, health: h}
	return &DB{write: shared, read: shared, postgres: true, url: databaseURL, now: time.Now, health: h}, nil
}

// probe tries whether the trouble is over. The records' health learns what it meets.
func (db *DB) probe(ctx context.Context, known *Error) {
	if !db.postgres {
		db.probeFile(ctx, known)
		return
	}
	db.write.SetMaxIdleConns(0) // those that are cut off would cost a time-out each
	db.write.SetMaxIdleConns(idleConnections)
	_ = db.touch(ctx)
}
