package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// answerWithin bounds every call to the database and every transaction, so that nothing
// waits for ever on a database that has stopped to answer.
const answerWithin = 10 * time.Second

// errNoAnswer says that the bound was reached.
var errNoAnswer = fmt.Errorf("no answer within %s", answerWithin)

// querier is what a pool and a transaction have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) row
}

// pool is a pool of connections whose calls end in bounded time, and which tells the
// records' health what they met.
type pool struct {
	*sql.DB
	health *health
	file   *file         // of SQLite
	within time.Duration // a call must be answered
}

// ready returns an error when nothing may be written.
func (p *pool) ready() error {
	if err := p.health.barred(); err != nil {
		return err
	}
	if p.file != nil && !p.file.inPlace() {
		return p.health.judge(moved.error(fmt.Errorf("%s is not the file that was opened", p.file.path)))
	}
	return nil
}

// bound returns the context for one call and the function that ends it, which turns the
// call's error into one that says what is wrong with the database, if that is it.
func (p *pool) bound(ctx context.Context) (context.Context, func(error) error) {
	deadline := time.Now().Add(p.within)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	return ctx, func(err error) error {
		if err != nil && !time.Now().Before(deadline) {
			err = fmt.Errorf("%w: %w", errNoAnswer, err)
		}
		cancel()
		if p.file != nil {
			err = p.file.explain(err)
		}
		return p.health.judge(err)
	}
}

// ExecContext changes something outside any transaction.
func (p *pool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := p.ready(); err != nil {
		return nil, err
	}
	ctx, end := p.bound(ctx)
	result, err := p.DB.ExecContext(ctx, query, args...)
	if err = end(err); err == nil {
		p.health.wrote()
	}
	return result, err
}

// QueryContext reads rows, all of them within the bound.
func (p *pool) QueryContext(ctx context.Context, query string, args ...any) (*rows, error) {
	ctx, end := p.bound(ctx)
	return newRows(end)(p.DB.QueryContext(ctx, query, args...)) //nolint:rowserrcheck // collect closes them
}

// QueryRowContext reads one row.
func (p *pool) QueryRowContext(ctx context.Context, query string, args ...any) row {
	ctx, end := p.bound(ctx)
	return row{inner: p.DB.QueryRowContext(ctx, query, args...), end: end}
}

// tx is one transaction with one point in time. Its errors are judged when it ends.
type tx struct {
	inner    *sql.Tx
	deadline time.Time
	now      int64
	postgres bool
}

func (t tx) bound(ctx context.Context) (context.Context, func(error) error) {
	ctx, cancel := context.WithDeadline(ctx, t.deadline)
	return ctx, func(err error) error { cancel(); return err }
}

// ExecContext changes something.
func (t tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx, end := t.bound(ctx)
	result, err := t.inner.ExecContext(ctx, query, args...)
	return result, end(err)
}

// QueryContext reads rows.
func (t tx) QueryContext(ctx context.Context, query string, args ...any) (*rows, error) {
	ctx, end := t.bound(ctx)
	return newRows(end)(t.inner.QueryContext(ctx, query, args...)) //nolint:rowserrcheck // collect closes them
}

// QueryRowContext reads one row.
func (t tx) QueryRowContext(ctx context.Context, query string, args ...any) row {
	ctx, end := t.bound(ctx)
	return row{inner: t.inner.QueryRowContext(ctx, query, args...), end: end}
}

// rows are the answer to a call that lasts until they are closed.
type rows struct {
	*sql.Rows
	end func(error) error
}

func newRows(end func(error) error) func(*sql.Rows, error) (*rows, error) {
	return func(inner *sql.Rows, err error) (*rows, error) {
		if err != nil {
			return nil, end(err)
		}
		return &rows{Rows: inner, end: end}, nil
	}
}

// Close ends the call.
func (r *rows) Close() error {
	err := r.Rows.Close()
	return errors.Join(r.end(r.Err()), err)
}

// row is the answer to a call that lasts until it is scanned.
type row struct {
	inner *sql.Row
	end   func(error) error
}

// Scan ends the call.
func (r row) Scan(dest ...any) error { return r.end(r.inner.Scan(dest...)) }
