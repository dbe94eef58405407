package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/jackc/pgx/v5"

	"shopwright.dev/shopwright/store"
)

// CopiedTable is a table that was copied, and how many rows it has.
type CopiedTable struct {
	Name string
	Rows int64
}

// Copy copies the SQLite file into the Postgres database at the URL, in one transaction that is
// committed only if every row is the same on both sides. An empty database gets the schema first.
// The target may hold nothing but what migrations put there; the file must be of this binary's
// schema, and no server may use it. Copy doesn't change the file.
func Copy(ctx context.Context, file, databaseURL string) ([]CopiedTable, error) {
	from, err := connectSQLite(strings.TrimPrefix(file, "sqlite:"))
	if err != nil {
		return nil, err
	}
	defer from.file.release()
	copied, err := copyFrom(ctx, from, databaseURL)
	return copied, errors.Join(classify(err), from.closePools())
}

func copyFrom(ctx context.Context, from *DB, databaseURL string) (copied []CopiedTable, err error) {
	if err := readySource(ctx, from); err != nil {
		return nil, err
	}
	to, err := connect(databaseURL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, to.closePools()) }()
	if to.postgres == nil {
		return nil, store.Invalidf("", "The target must be postgres://USER:PASSWORD@HOST:PORT/DATABASE: the copy goes from SQLite to Postgres.")
	}
	if err := readyTarget(ctx, to); err != nil {
		return nil, err
	}
	return transfer(ctx, from, to)
}

// readySource makes sure that the file is there, that nobody uses it, and that it has the schema
// of this binary.
func readySource(ctx context.Context, from *DB) error {
	if err := from.file.exists(); err != nil {
		return err
	}
	err := from.reachAlone(ctx)
	if errors.Is(err, errInUse) {
		return store.Invalidf("", "A Shopwright server uses %s. Stop it, then copy again.", from.file.path)
	}
	if err != nil {
		return err
	}
	schema, err := from.schema(ctx)
	if err != nil {
		return err
	}
	return current(schema)
}

// readyTarget makes sure that the database has the schema of this binary. An empty one gets it.
func readyTarget(ctx context.Context, to *DB) error {
	if err := to.reach(ctx); err != nil {
		return err
	}
	schema, err := to.schema(ctx)
	if err != nil {
		return err
	}
	if schema.Version > 0 {
		return current(schema)
	}
	_, err = to.migrate(ctx)
	return err
}

// current returns an error unless the database has the newest schema that this binary knows.
func current(s Schema) error {
	switch {
	case s.Newer():
		return newerSchema(s.Version, s.Known)
	case len(s.Pending) > 0:
		return store.Invalidf("", "The schema of %s is at version %d, and this binary needs %d. Run shopwright migrate up on it, then copy again.", s.Name, s.Version, s.Known)
	}
	return nil
}

// transfer copies all tables and compares them before it commits.
func transfer(ctx context.Context, from, to *DB) (copied []CopiedTable, err error) {
	source, err := from.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}) // one snapshot
	if err != nil {
		return nil, fmt.Errorf("read the SQLite file: %w", err)
	}
	defer source.Rollback() //nolint:errcheck // it was only read from
	tables, err := tablesOf(ctx, source)
	if err != nil {
		return nil, fmt.Errorf("read the schema of the SQLite file: %w", err)
	}
	conn, err := pgx.ConnectConfig(ctx, to.postgres)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // a lost commit has its own error
	err = pgx.BeginFunc(ctx, conn, func(target pgx.Tx) error {
		c := copying{source: source, target: target, tables: tables}
		copied, err = c.run(ctx)
		return err
	})
	return copied, err
}

// copying is one copy, in a transaction on each side.
type copying struct {
	source *sql.Tx
	target pgx.Tx
	tables []schemaTable // in the order of their references
}

func (c copying) run(ctx context.Context) (copied []CopiedTable, err error) {
	for _, step := range []func(context.Context) error{c.lock, c.learnTypes, c.wantFresh, c.empty} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	for _, t := range c.tables {
		if err := c.copy(ctx, t); err != nil {
			return nil, fmt.Errorf("copy the table %s: %w", t.name, err)
		}
	}
	for _, t := range c.tables {
		rows, err := c.compare(ctx, c.source, t)
		if d, ok := errors.AsType[difference](err); ok {
			return nil, store.Invalidf("", "The table %s differs after the copy (%s), so nothing was copied. Name a Postgres database without triggers of its own, then copy again.", t.name, d)
		}
		if err != nil {
			return nil, fmt.Errorf("compare the copied table %s: %w", t.name, err)
		}
		copied = append(copied, CopiedTable{Name: t.name, Rows: rows})
	}
	return copied, nil
}

// lock keeps servers from the target until the copy is complete, and lets the transaction take
// as long as it needs.
func (c copying) lock(ctx context.Context) error {
	for _, statement := range []string{
		"SET LOCAL " + abandoned + " = 0", "SET LOCAL statement_timeout = 0",
		"LOCK TABLE " + c.names() + " IN ACCESS EXCLUSIVE MODE",
	} {
		if _, err := c.target.Exec(ctx, statement); err != nil {
			return fmt.Errorf("lock the target: %w", err)
		}
	}
	return nil
}

func (c copying) names() string {
	names := make([]string, len(c.tables))
	for i, t := range c.tables {
		names[i] = quote(t.name)
	}
	return strings.Join(names, ", ")
}

// learnTypes notes the types that the columns have on Postgres, and makes sure that both sides
// have the same ones.
func (c copying) learnTypes(ctx context.Context) error {
	for i, t := range c.tables {
		types, err := c.types(ctx, t.name)
		if err != nil {
			return fmt.Errorf("read the schema of the target: %w", err)
		}
		if len(types) != len(t.columns) {
			return fmt.Errorf("the table %s has %d columns on SQLite and %d on Postgres", t.name, len(t.columns), len(types))
		}
		for j, column := range t.columns {
			if types[column.name] == "" {
				return fmt.Errorf("the table %s has no column %s on Postgres", t.name, column.name)
			}
			c.tables[i].columns[j].kind = types[column.name]
		}
	}
	return nil
}

func (c copying) types(ctx context.Context, table string) (map[string]string, error) {
	rows, err := c.target.Query(ctx, `
		SELECT column_name, data_type FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = $1 AND is_generated = 'NEVER'`, table)
	if err != nil {
		return nil, err
	}
	types := map[string]string{}
	var name, kind string
	_, err = pgx.ForEachRow(rows, []any{&name, &kind}, func() error { types[name] = kind; return nil })
	return types, err
}

// wantFresh refuses a target that holds anything but what migrations put there.
func (c copying) wantFresh(ctx context.Context) error {
	fresh, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return err
	}
	defer fresh.Close()      //nolint:errcheck // it goes with its content
	fresh.SetMaxOpenConns(1) // each would be a database of its own
	provider, err := sqliteMigrations(fresh)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("make a fresh database: %w", err)
	}
	for _, t := range c.tables {
		_, err := c.compare(ctx, fresh, t)
		if errors.As(err, new(difference)) {
			return store.Invalidf("", "The target already has data in the table %s, and a copy would overwrite it. Name an empty Postgres database.", t.name)
		}
		if err != nil {
			return fmt.Errorf("look into the table %s of the target: %w", t.name, err)
		}
	}
	return nil
}

// empty removes what migrations put into the target: the source has it too, as it is now.
func (c copying) empty(ctx context.Context) error {
	if _, err := c.target.Exec(ctx, "TRUNCATE "+c.names()); err != nil {
		return fmt.Errorf("empty the target: %w", err)
	}
	return nil
}

func (c copying) copy(ctx context.Context, t schemaTable) (err error) {
	rows, err := c.source.QueryContext(ctx, "SELECT "+t.list()+" FROM "+quote(t.name))
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // reading reports its errors
	_, err = c.target.CopyFrom(ctx, pgx.Identifier{t.name}, t.names(), pgx.CopyFromFunc(func() ([]any, error) {
		if !rows.Next() {
			return nil, rows.Err()
		}
		return t.scan(rows)
	}))
	return errors.Join(err, rows.Err())
}

// reader is a database or a transaction on SQLite.
type reader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// difference says that a table is not the same on both sides.
type difference struct {
	row    int64  // counted from 1, in the order of the key
	column string // empty if only one side has the row
}

func (d difference) Error() string {
	if d.column == "" {
		return fmt.Sprintf("only one side has row %d", d.row)
	}
	return fmt.Sprintf("column %s of row %d", d.column, d.row)
}

// compare reads the table on both sides in the order of its key, and returns how many rows it has
// or a [difference].
func (c copying) compare(ctx context.Context, lite reader, t schemaTable) (n int64, err error) {
	left, err := lite.QueryContext(ctx, "SELECT "+t.list()+" FROM "+quote(t.name)+" ORDER BY "+t.order(""))
	if err != nil {
		return 0, err
	}
	defer left.Close() //nolint:errcheck // reading reports its errors
	right, err := c.target.Query(ctx, "SELECT "+t.list()+" FROM "+quote(t.name)+" ORDER BY "+t.order(` COLLATE "C"`))
	if err != nil {
		return 0, err
	}
	defer right.Close()
	for left.Next() {
		n++
		if !right.Next() {
			return 0, errors.Join(difference{row: n}, right.Err())
		}
		if err := t.compareRow(left, right, n); err != nil {
			return 0, err
		}
	}
	if right.Next() {
		return 0, errors.Join(difference{row: n + 1}, left.Err())
	}
	return n, errors.Join(left.Err(), right.Err())
}

func (t schemaTable) compareRow(left *sql.Rows, right pgx.Rows, n int64) error {
	want, err := t.scan(left)
	if err != nil {
		return err
	}
	got, err := right.Values()
	if err != nil {
		return err
	}
	for i, column := range t.columns {
		if !reflect.DeepEqual(plain(got[i]), want[i]) {
			return difference{row: n, column: column.name}
		}
	}
	return nil
}

// plain is a value that Postgres returned as SQLite returns it.
func plain(value any) any {
	switch v := value.(type) {
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	}
	return value
}
