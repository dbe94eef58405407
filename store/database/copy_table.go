package database

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
)

// schemaTable is what its schema says of a table.
type schemaTable struct {
	name    string
	columns []schemaColumn
	refers  []string // to other tables
}

type schemaColumn struct {
	name string
	key  int    // its place in the primary key, from 1; 0 if it's not part of it
	kind string // its type on Postgres
}

// tablesOf reads the tables from the schema, each after those that it refers to.
func tablesOf(ctx context.Context, source *sql.Tx) ([]schemaTable, error) {
	tables, err := pairs(ctx, source, `
		SELECT m.name, c.name, c.pk FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND m.name <> $1 ORDER BY m.name, c.cid`, goose.DefaultTablename)
	if err != nil {
		return nil, err
	}
	references, err := pairs(ctx, source, `
		SELECT m.name, f."table", 0 FROM sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY m.name`)
	if err != nil {
		return nil, err
	}
	for _, r := range references {
		at := slices.IndexFunc(tables, func(t schemaTable) bool { return t.name == r.name })
		for _, to := range r.columns {
			tables[at].refers = append(tables[at].refers, to.name)
		}
	}
	return inOrder(tables)
}

// pairs groups what the query returns by its first column.
func pairs(ctx context.Context, source *sql.Tx, query string, args ...any) (all []schemaTable, err error) {
	rows, err := source.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // reading reports its errors
	for rows.Next() {
		var name string
		var of schemaColumn
		if err := rows.Scan(&name, &of.name, &of.key); err != nil {
			return nil, err
		}
		if len(all) == 0 || all[len(all)-1].name != name {
			all = append(all, schemaTable{name: name})
		}
		all[len(all)-1].columns = append(all[len(all)-1].columns, of)
	}
	return all, rows.Err()
}

// inOrder puts each table after those that it refers to. A table may refer to itself: its rows
// arrive in one statement, after which Postgres looks at them.
func inOrder(tables []schemaTable) (ordered []schemaTable, err error) {
	placed := map[string]bool{}
	for len(ordered) < len(tables) {
		before := len(ordered)
		for _, t := range tables {
			waits := slices.ContainsFunc(t.refers, func(to string) bool { return to != t.name && !placed[to] })
			if !placed[t.name] && !waits {
				ordered, placed[t.name] = append(ordered, t), true
			}
		}
		if len(ordered) == before {
			return nil, errors.New("some tables refer to each other in a circle: there is no order in which to copy them")
		}
	}
	return ordered, nil
}

func (t schemaTable) names() []string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return names
}

func (t schemaTable) list() string {
	names := t.names()
	for i := range names {
		names[i] = quote(names[i])
	}
	return strings.Join(names, ", ")
}

// order is the primary key, or all columns where there is none. The collation is for text: SQLite
// compares bytes.
func (t schemaTable) order(collation string) string {
	by := slices.DeleteFunc(slices.Clone(t.columns), func(c schemaColumn) bool { return c.key == 0 })
	if len(by) == 0 {
		by = t.columns
	}
	names := make([]string, len(by))
	for i, c := range by {
		names[i] = quote(c.name)
		if c.kind == "text" {
			names[i] += collation
		}
	}
	return strings.Join(names, ", ")
}

// scan reads a row of SQLite as Postgres takes it: SQLite has no truth values.
func (t schemaTable) scan(rows *sql.Rows) ([]any, error) {
	values, into := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	for i, c := range t.columns {
		if number, ok := values[i].(int64); ok && c.kind == "boolean" {
			values[i] = number != 0
		}
	}
	return values, nil
}

// quote makes a name of the schema safe in a statement.
func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
