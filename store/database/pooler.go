package database

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"shopwright.dev/shopwright/store"
)

// pooledTries is how often two connections are compared: other clients of a pooler may come in between.
const pooledTries = 5

// refusePooler makes sure that each connection is a session of its own. Change notices, the lock around a
// migration and prepared statements belong to a session; a pooler that shares sessions between transactions
// (PgBouncer's pool_mode = transaction) loses them now and then. It gives itself away when two connections
// that are open at once are served by the same process of Postgres.
func refusePooler(ctx context.Context, config *pgx.ConnConfig) error {
	one, err := pgconn.ConnectConfig(ctx, config.Config.Copy())
	if err != nil {
		return err
	}
	defer one.Close(ctx) //nolint:errcheck // it was only read from
	other, err := pgconn.ConnectConfig(ctx, config.Config.Copy())
	if err != nil {
		return err
	}
	defer other.Close(ctx) //nolint:errcheck // likewise
	for range pooledTries {
		a, errA := servedBy(ctx, one)
		b, errB := servedBy(ctx, other)
		if err := errors.Join(errA, errB); err != nil {
			return err
		}
		if a == b {
			return store.Invalidf("", "SHOPWRIGHT_DATABASE_URL points to a pooler in transaction mode, but Shopwright needs session mode. Set the pooler’s mode to session (PgBouncer: pool_mode = session), or connect to Postgres directly.")
		}
	}
	return nil
}

// servedBy asks in the simple protocol, which needs no prepared statement.
func servedBy(ctx context.Context, conn *pgconn.PgConn) (process string, err error) {
	results, err := conn.Exec(ctx, "SELECT pg_backend_pid()").ReadAll()
	if err != nil {
		return "", err
	}
	return string(results[0].Rows[0][0]), nil
}
