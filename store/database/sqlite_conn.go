package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"modernc.org/sqlite"
)

// sqliteConnector opens the connections of a pool.
type sqliteConnector struct {
	driver *sqlite.Driver
	dsn    string
}

// Driver implements driver.Connector.
func (c *sqliteConnector) Driver() driver.Driver { return c.driver }

// Connect implements driver.Connector.
func (c *sqliteConnector) Connect(context.Context) (driver.Conn, error) {
	opened, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	inner, ok := opened.(sqliteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the SQLite driver’s %T lacks a method that is needed", opened), opened.Close())
	}
	return &preparedConn{sqliteConn: inner, prepared: map[string]sqliteStmt{}}, nil
}

// sqliteConn is what the driver's connections can do and database/sql uses.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// mostPrepared bounds the statements that a connection keeps. There are fewer texts of statements, but for
// those with lists and filters.
const mostPrepared = 200

// preparedConn keeps the statements it has prepared, as pgx does for PostgreSQL: SQLite takes longer to parse
// most of them than to run them. A statement must not run while its own rows are open, so rows are read to
// their end before anything else is done on the connection.
type preparedConn struct {
	sqliteConn
	prepared map[string]sqliteStmt
}

// ExecContext implements driver.ExecerContext.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	stmt, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args)
}

// QueryContext implements driver.QueryerContext.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	stmt, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args)
}

func (c *preparedConn) prepare(ctx context.Context, query string) (sqliteStmt, error) {
	if stmt, ok := c.prepared[query]; ok {
		return stmt, nil
	}
	if len(c.prepared) >= mostPrepared {
		if err := c.forget(); err != nil {
			return nil, err
		}
	}
	made, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	stmt, ok := made.(sqliteStmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the SQLite driver’s %T lacks a method that is needed", made), made.Close())
	}
	c.prepared[query] = stmt
	return stmt, nil
}

// forget drops all statements.
func (c *preparedConn) forget() (err error) {
	for query, stmt := range c.prepared {
		err = errors.Join(err, stmt.Close())
		delete(c.prepared, query)
	}
	return err
}

// Close implements driver.Conn.
func (c *preparedConn) Close() error { return errors.Join(c.forget(), c.sqliteConn.Close()) }
