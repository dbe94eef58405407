package database

import (
	"context"
	"net"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"shopwright.dev/shopwright/store"
)

const (
	idleConnections = 8
	connectWithin   = 5 * time.Second
	// abandoned is the setting by which Postgres ends a transaction whose process does not go on with it, such as
	// one that is cut off: its locks would hold up all others.
	abandoned      = "idle_in_transaction_session_timeout"
	abandonedAfter = "5s"
)

// unreadableURL does not quote the URL: where its password is written wrongly, no part of it is known to be safe.
const unreadableURL = "SHOPWRIGHT_DATABASE_URL is invalid. It must be postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=MODE: write special characters of the password as %%XX (/ is %%2F, ? is %%3F, # is %%23, @ is %%40), and one of disable, prefer, require, verify-ca and verify-full for the mode."

// isMisread reports whether the rest of a password that holds @ or a question mark was taken for the host or for
// a parameter of the session.
func isMisread(config *pgx.ConnConfig) bool {
	for name := range config.RuntimeParams {
		if strings.ContainsFunc(name, func(r rune) bool { return r != '_' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			return true
		}
	}
	return strings.LastIndex(config.Host, "@") > 0 // at the start it is a socket without a file
}

func connectPostgres(databaseURL string) (*DB, error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil || isMisread(config) {
		return nil, store.Invalidf("", unreadableURL) // the error would print parts of the password
	}
	limit(config)
	inner := stdlib.OpenDB(*config)
	inner.SetMaxOpenConns(16)
	inner.SetMaxIdleConns(idleConnections)
	inner.SetConnMaxIdleTime(5 * time.Minute)
	h := newHealth(unanswered, func() bool { return false })
	shared := &pool{DB: inner, health: h, within: answerWithin}
	return &DB{write: shared, read: shared, postgres: config, now: time.Now, health: h}, nil
}

// limit makes connections end that are cut off, here and at the server.
func limit(config *pgx.ConnConfig) {
	if config.ConnectTimeout <= 0 || config.ConnectTimeout > connectWithin {
		config.ConnectTimeout = connectWithin
	}
	dialer := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
	config.DialFunc = dialer.DialContext
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "shopwright"
	}
	if config.RuntimeParams[abandoned] == "" {
		// Not as a parameter of the session's start: PgBouncer refuses those that it does not know.
		config.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
			return conn.Exec(ctx, "SET "+abandoned+" = '"+abandonedAfter+"'").Close()
		}
	}
}

// probe tries whether the trouble is over. The database's health learns what it meets.
func (db *DB) probe(ctx context.Context, known *store.Error) {
	if db.postgres == nil {
		db.probeFile(ctx, known)
		return
	}
	db.write.SetMaxIdleConns(0) // those that are cut off would cost a time-out each
	db.write.SetMaxIdleConns(idleConnections)
	_ = db.touch(ctx)
}
