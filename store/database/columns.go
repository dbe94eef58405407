package database

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// column is one column of a table, and the field of a record that it holds: Scan reads into what
// the function returns, and a statement writes it.
type column[T any] struct {
	name  string
	field func(*T) any
}

// columns are those of a table, each written once for all statements about it.
type columns[T any] []column[T]

// list names them for a SELECT or an INSERT, with the table before each where it has a name.
func (cs columns[T]) list(table string) string {
	if table != "" {
		table += "."
	}
	names := make([]string, len(cs))
	for i, c := range cs {
		names[i] = table + c.name
	}
	return strings.Join(names, ", ")
}

// marks are placeholders for all of them, the first of which is $1.
func (cs columns[T]) marks() string {
	marks := make([]string, len(cs))
	for i := range cs {
		marks[i] = "$" + strconv.Itoa(i+1)
	}
	return strings.Join(marks, ", ")
}

// sets assigns them in an UPDATE; the first placeholder has that number.
func (cs columns[T]) sets(first int) string {
	sets := make([]string, len(cs))
	for i, c := range cs {
		sets[i] = c.name + " = $" + strconv.Itoa(first+i)
	}
	return strings.Join(sets, ", ")
}

// of are the fields of a record in the same order.
func (cs columns[T]) of(record *T) []any {
	fields := make([]any, len(cs))
	for i, c := range cs {
		fields[i] = c.field(record)
	}
	return fields
}

// moment keeps a time as microseconds UTC, and the zero time as 0.
type moment time.Time

// Scan implements sql.Scanner.
func (m *moment) Scan(from any) error {
	us, ok := from.(int64)
	if !ok {
		return fmt.Errorf("a moment is kept as %T", from)
	}
	*m = moment(fromMicros(us))
	return nil
}

// Value implements driver.Valuer.
func (m moment) Value() (driver.Value, error) { return micros(time.Time(m)), nil }

func at(t *time.Time) any { return (*moment)(t) }

// length keeps a duration as microseconds.
type length time.Duration

// Scan implements sql.Scanner.
func (l *length) Scan(from any) error {
	us, ok := from.(int64)
	if !ok {
		return fmt.Errorf("a length of time is kept as %T", from)
	}
	*l = length(time.Duration(us) * time.Microsecond)
	return nil
}

// Value implements driver.Valuer.
func (l length) Value() (driver.Value, error) { return time.Duration(l).Microseconds(), nil }

// document keeps a part of a record as JSON. What is older may lack fields.
type document struct{ part any }

// Scan implements sql.Scanner.
func (d document) Scan(from any) error {
	switch text := from.(type) {
	case string:
		return json.Unmarshal([]byte(text), d.part)
	case []byte:
		return json.Unmarshal(text, d.part)
	}
	return fmt.Errorf("a document is kept as %T", from)
}

// Value implements driver.Valuer.
func (d document) Value() (driver.Value, error) {
	encoded, err := json.Marshal(d.part)
	return string(encoded), err
}
