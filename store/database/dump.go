package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"shopwright.dev/shopwright/store"
)

// dumpFormat is the version of what [DB.UnguardedDump] writes.
const dumpFormat = 1

// dumpHead is the first line of a dump.
type dumpHead struct {
	Format int   `json:"format"`
	Schema int64 `json:"schema"`
}

// dumpPart begins the rows of a table, each of which is a list of values in the order of the columns.
type dumpPart struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

// UnguardedDump writes all rows of all tables as they are at one moment, as lines of JSON that [Load] reads, each table
// after those that it refers to. It is for the platform's own backup.
func (db *DB) UnguardedDump(ctx context.Context, to io.Writer) error {
	schema, err := db.schema(ctx)
	if err != nil {
		return err
	}
	if err := current(schema); err != nil { // there may be columns that this binary doesn't know
		return err
	}
	tables, err := knownTables(ctx)
	if err != nil {
		return err
	}
	options := &sql.TxOptions{ReadOnly: true}
	if db.postgres != nil {
		options.Isolation = sql.LevelRepeatableRead
	}
	source, err := db.read.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("begin a dump: %w", err)
	}
	defer source.Rollback() //nolint:errcheck // it was only read from
	lines := json.NewEncoder(to)
	if err := lines.Encode(dumpHead{Format: dumpFormat, Schema: schema.Version}); err != nil {
		return err
	}
	for _, t := range tables {
		if err := dumpTable(ctx, source, t, lines); err != nil {
			return fmt.Errorf("dump the table %s: %w", t.name, err)
		}
	}
	return nil
}

// knownTables are those of this binary's schema, each after those that it refers to.
func knownTables(ctx context.Context) (tables []schemaTable, err error) {
	fresh, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer fresh.Close()      //nolint:errcheck // it goes with its content
	fresh.SetMaxOpenConns(1) // each would be a database of its own
	provider, err := sqliteMigrations(fresh)
	if err != nil {
		return nil, err
	}
	if _, err := provider.Up(ctx); err != nil {
		return nil, fmt.Errorf("make a fresh database: %w", err)
	}
	source, err := fresh.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer source.Rollback() //nolint:errcheck // it was only read from
	if tables, err = tablesOf(ctx, source); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	truths, err := pairs(ctx, source, `SELECT m.name, c.name, 0 FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.type = 'BOOLEAN' ORDER BY m.name`)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	for _, truth := range truths {
		markTruths(tables, truth)
	}
	return tables, nil
}

// markTruths notes which columns of a table are truth values, as Postgres calls them.
func markTruths(tables []schemaTable, truth schemaTable) {
	for _, t := range tables {
		for i, c := range t.columns {
			for _, b := range truth.columns {
				if t.name == truth.name && c.name == b.name {
					t.columns[i].kind = "boolean"
				}
			}
		}
	}
}

func dumpTable(ctx context.Context, source *sql.Tx, t schemaTable, lines *json.Encoder) error {
	if err := lines.Encode(dumpPart{Table: t.name, Columns: t.names()}); err != nil {
		return err
	}
	rows, err := source.QueryContext(ctx, "SELECT "+t.list()+" FROM "+quote(t.name))
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // reading reports its errors
	for rows.Next() {
		values, err := t.scan(rows)
		if err != nil {
			return err
		}
		if err := lines.Encode(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ErrHasData says that a database already has data, which nothing is loaded over.
var ErrHasData error = store.Invalidf("", "The database already has data, which would be lost. Name an empty one.")

// Loading says what is done with a backup of the database besides loading it. That is done, or nothing is loaded.
type Loading struct {
	Sealer     *store.Sealer // seals the secrets again, if its first key is another one than that of the backup; nil to leave them
	NewCluster bool          // the clusters are lost, too: [DB.UnguardedReplaceClusters] is still to be called
}

// loadWithin bounds the load of a whole database.
const loadWithin = time.Hour

// replacing is the counter that is there while a restore still has to bring stores back in another cluster.
const replacing = "replacing clusters"

// IsEmpty reports whether a database holds nothing yet but what migrations put there. It changes nothing.
func IsEmpty(ctx context.Context, databaseURL string) (empty bool, err error) {
	if path, lite := strings.CutPrefix(databaseURL, "sqlite:"); lite {
		if _, err := os.Stat(strings.TrimPrefix(path, "//")); errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
	}
	db, err := connect(databaseURL)
	if err != nil {
		return false, err
	}
	defer db.file.release()
	empty, err = db.isEmpty(ctx)
	return empty, errors.Join(classify(err), db.closePools())
}

func (db *DB) isEmpty(ctx context.Context) (bool, error) {
	if err := db.reach(ctx); err != nil {
		return false, err
	}
	version, _, err := db.schemaVersion(ctx)
	if err != nil || version == 0 {
		return err == nil, err
	}
	has, err := hasData(ctx, db.read)
	return !has, err
}

func hasData(ctx context.Context, q querier) (has bool, err error) {
	if err := q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM users)`).Scan(&has); err != nil {
		return false, fmt.Errorf("look into the database: %w", err)
	}
	return has, nil
}

// Load reads what [DB.UnguardedDump] wrote into a database that holds nothing yet but what migrations put there, and
// returns how many rows it has then. A SQLite file is made if there is none. All is loaded, or nothing: of several
// processes one loads, and the others get [ErrHasData].
func Load(ctx context.Context, databaseURL string, from io.Reader, as Loading) (rows int64, err error) {
	db, err := connect(databaseURL)
	if err != nil {
		return 0, err
	}
	defer db.file.release()
	db.sealer = as.Sealer
	rows, err = db.load(ctx, from, as)
	return rows, errors.Join(classify(err), db.closePools())
}

func (db *DB) load(ctx context.Context, from io.Reader, as Loading) (rows int64, err error) {
	if err := db.reachAlone(ctx); err != nil {
		return 0, err
	}
	if _, err := db.migrate(ctx); err != nil {
		return 0, err
	}
	schema, err := db.schema(ctx)
	if err != nil {
		return 0, err
	}
	tables, err := knownTables(ctx)
	if err != nil {
		return 0, err
	}
	target, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("begin to load: %w", err)
	}
	defer target.Rollback() //nolint:errcheck // after Commit it does nothing, before it the first error counts
	t := tx{inner: target, deadline: time.Now().Add(loadWithin), postgres: db.postgres != nil}
	if err := t.holdEmpty(ctx); err != nil {
		return 0, err
	}
	l := loading{target: target, tables: tables, lines: json.NewDecoder(from)}
	if rows, err = l.run(ctx, schema.Known); err != nil {
		return 0, err
	}
	if err := db.adapt(ctx, t, as); err != nil {
		return 0, err
	}
	return rows, target.Commit()
}

// holdEmpty makes sure that the database is empty, and stays so for everybody else until the transaction ends.
func (t tx) holdEmpty(ctx context.Context) error {
	if t.postgres {
		if _, err := t.ExecContext(ctx, `LOCK TABLE users IN EXCLUSIVE MODE`); err != nil {
			return fmt.Errorf("lock the database: %w", err)
		}
	}
	has, err := hasData(ctx, t)
	if err == nil && has {
		err = ErrHasData
	}
	return err
}

// adapt fits what was loaded to where it is now.
func (db *DB) adapt(ctx context.Context, t tx, as Loading) error {
	// The settings of this machine may not say how long points of deleted stores are kept.
	if _, err := t.ExecContext(ctx, `DELETE FROM counters WHERE name = '`+erasures+`'`); err != nil {
		return fmt.Errorf("put off the erasure of restore points: %w", err)
	}
	if as.NewCluster {
		if _, err := t.since(ctx, replacing); err != nil {
			return err
		}
	}
	if as.Sealer == nil {
		return nil
	}
	_, err := db.reseal(ctx, t)
	return err
}

// loading is one load, in a transaction.
type loading struct {
	target *sql.Tx
	tables []schemaTable // in the order of their references
	lines  *json.Decoder
	insert string // of the present table
	rows   int64
}

func (l *loading) run(ctx context.Context, known int64) (int64, error) {
	var head dumpHead
	l.lines.UseNumber()
	if err := l.lines.Decode(&head); err != nil || head.Format != dumpFormat {
		return 0, store.Invalidf("", "This isn’t a backup of Shopwright’s database.")
	}
	if head.Schema > known {
		return 0, newerSchema(head.Schema, known)
	}
	for i := len(l.tables) - 1; i >= 0; i-- {
		if _, err := l.target.ExecContext(ctx, "DELETE FROM "+quote(l.tables[i].name)); err != nil {
			return 0, fmt.Errorf("empty the table %s: %w", l.tables[i].name, err)
		}
	}
	for {
		var line json.RawMessage
		if err := l.lines.Decode(&line); errors.Is(err, io.EOF) {
			return l.rows, nil
		} else if err != nil {
			return 0, fmt.Errorf("read the backup of the database: %w", err)
		}
		if err := l.read(ctx, line); err != nil {
			return 0, err
		}
	}
}

// read loads a line: the head of a table, or a row of it.
func (l *loading) read(ctx context.Context, line json.RawMessage) error {
	if strings.HasPrefix(string(line), "{") {
		var part dumpPart
		if err := json.Unmarshal(line, &part); err != nil {
			return fmt.Errorf("read the backup of the database: %w", err)
		}
		return l.begin(part)
	}
	values, err := valuesOf(line)
	if err != nil {
		return err
	}
	if _, err := l.target.ExecContext(ctx, l.insert, values...); err != nil {
		return fmt.Errorf("load a row: %w", err)
	}
	l.rows++
	return nil
}

// begin prepares the statement for the rows of a table. Columns that came later have their defaults.
func (l *loading) begin(part dumpPart) error {
	for _, t := range l.tables {
		if t.name != part.Table {
			continue
		}
		names, marks := make([]string, len(part.Columns)), make([]string, len(part.Columns))
		for i, column := range part.Columns {
			names[i], marks[i] = quote(column), fmt.Sprintf("$%d", i+1)
		}
		l.insert = "INSERT INTO " + quote(t.name) + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(marks, ", ") + ")"
		return nil
	}
	return store.Invalidf("", "The backup has a table %s, which this version doesn’t know.", part.Table)
}

// valuesOf reads a row: texts, whole numbers and truth values.
func valuesOf(line json.RawMessage) ([]any, error) {
	decoder := json.NewDecoder(strings.NewReader(string(line)))
	decoder.UseNumber()
	var values []any
	if err := decoder.Decode(&values); err != nil {
		return nil, fmt.Errorf("read the backup of the database: %w", err)
	}
	for i, v := range values {
		number, ok := v.(json.Number)
		if !ok {
			continue
		}
		whole, err := number.Int64()
		if err != nil {
			return nil, fmt.Errorf("read the backup of the database: %w", err)
		}
		values[i] = whole
	}
	return values, nil
}
