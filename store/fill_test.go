package store_test

import (
	"database/sql"
	"strings"
	"testing"
)

// raw opens the database beside the handle, for what only a test may do.
func raw(t testing.TB, url string) *sql.DB {
	t.Helper()
	driver, dsn := "pgx", url
	if path, lite := strings.CutPrefix(url, "sqlite:"); lite {
		driver, dsn = "sqlite", path
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// fill makes n stores of the team, most of them ready, in one statement.
func fill(t testing.TB, url string, b bundle, n int) {
	t.Helper()
	_, err := raw(t, url).ExecContext(t.Context(), `
		INSERT INTO stores
		WITH RECURSIVE many (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM many WHERE i < $4)
		SELECT 'store-' || i, CAST($1 AS TEXT), CAST($2 AS TEXT), 'Shop number ' || i, 'shop-' || i, 'store-shop-' || i, 'shop-' || i || '.localhost',
			CASE i % 4 WHEN 0 THEN 'medusa' ELSE 'woocommerce' END, 'blank', 'DE', 'EUR', 'owner@example.com', 'standard',
			CASE i % 10 WHEN 1 THEN 'failed' WHEN 2 THEN 'degraded' ELSE 'ready' END, 'present',
			1, 1, 'ready', '', '', '{}', 1, 1, '1.2.3', 'http://shop', 'http://shop/admin', '', '{}', 3000000000000000 + i, FALSE,
			'shop number ' || i || CAST($5 AS TEXT) || 'shop-' || i || '.localhost',
			0, '', 0, 0, CAST($3 AS TEXT), 1000000 + i, 1000000 + i, 1000000 + i, 0, 1000000 + i
		FROM many`, b.team, b.cluster.ID, b.actor.UserID, n, "\n")
	if err != nil {
		t.Fatal(err)
	}
}
