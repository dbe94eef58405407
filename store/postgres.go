package store

import (
	"context"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	idleConnections = 8
	connectWithin   = 5 * time.Second
	// abandonedAfter is when Postgres ends a transaction whose process does not go on with
	// it, such as one that is cut off: its locks would hold up all others.
	abandonedAfter = "5s"
)

func connectPostgres(databaseURL string) (*DB, error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return nil, invalid("", "SHOPWRIGHT_DATABASE_URL cannot be read: %s", err)
	}
	limit(config)
	inner := stdlib.OpenDB(*config)
	inner.SetMaxOpenConns(16)
	inner.SetMaxIdleConns(idleConnections)
	inner.SetConnMaxIdleTime(5 * time.Minute)
	h := newHealth(unanswered, func() bool { return false })
	shared := &pool{DB: inner, health: h}
	return &DB{write: shared, read: shared, postgres: config, now: time.Now, health: h}, nil
}

// limit makes connections end that are cut off, here and at the server.
func limit(config *pgx.ConnConfig) {
	if config.ConnectTimeout <= 0 || config.ConnectTimeout > connectWithin {
		config.ConnectTimeout = connectWithin
	}
	dialer := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
	config.DialFunc = dialer.DialContext
	for name, value := range map[string]string{"idle_in_transaction_session_timeout": abandonedAfter, "application_name": "shopwright"} {
		if config.RuntimeParams[name] == "" {
			config.RuntimeParams[name] = value
		}
	}
}

// probe tries whether the trouble is over. The records' health learns what it meets.
func (db *DB) probe(ctx context.Context, known *Error) {
	if db.postgres == nil {
		db.probeFile(ctx, known)
		return
	}
	db.write.SetMaxIdleConns(0) // those that are cut off would cost a time-out each
	db.write.SetMaxIdleConns(idleConnections)
	_ = db.touch(ctx)
}
