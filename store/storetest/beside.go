package storetest

import (
	"database/sql"
	"strings"
	"testing"
)

// Beside opens the database at a URL that a program may have open, as another program would. On SQLite a statement
// waits for another writer, up to a minute.
func Beside(t testing.TB, databaseURL string) *sql.DB {
	t.Helper()
	driver, address := "pgx", databaseURL
	if file, lite := strings.CutPrefix(databaseURL, "sqlite:"); lite {
		driver, address = "sqlite", "file:"+file+"?_pragma=busy_timeout(60000)"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
