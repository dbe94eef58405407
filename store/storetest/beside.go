package storetest

import (
	"database/sql"
	"testing"
)

// Beside opens a SQLite file that a program may have open, as another program would. A statement waits up to a minute
// for whoever is writing.
func Beside(t testing.TB, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
