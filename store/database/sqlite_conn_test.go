package database

import (
	"fmt"
	"path/filepath"
	"testing"
)

// A connection keeps its statements, but not without end, and runs on when it has dropped them.
func TestPreparedStatementsAreBounded(t *testing.T) {
	t.Parallel()
	db := openSQLite(filepath.Join(t.TempDir(), "prepared.db"), sqlitePragmas)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE numbers (n INTEGER PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
	const insert = `INSERT INTO numbers (n) VALUES ($1)`
	for i := range 2 * mostPrepared {
		if _, err := db.ExecContext(t.Context(), insert, i); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := db.QueryRowContext(t.Context(), fmt.Sprintf(`SELECT n FROM numbers WHERE n = $1 AND n < %d`, i+1), i).Scan(&n); err != nil || n != i {
			t.Fatalf("read %d, %v, want %d", n, err, i)
		}
	}
	if _, err := db.ExecContext(t.Context(), insert, 0); err == nil {
		t.Error("the same row is inserted twice")
	}
	if _, err := db.ExecContext(t.Context(), `ALTER TABLE numbers ADD COLUMN word TEXT NOT NULL DEFAULT 'none'`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), insert, -1); err != nil {
		t.Errorf("after a change of the schema: %v", err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	err = conn.Raw(func(c any) error {
		kept, ok := c.(*preparedConn)
		if !ok || len(kept.prepared) == 0 || len(kept.prepared) > mostPrepared || kept.prepared[insert] == nil {
			return fmt.Errorf("a %T keeps %d statements", c, len(kept.prepared))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
