package database_test

import (
	"database/sql"
	"testing"

	"shopwright.dev/shopwright/store/storetest"
)

// raw opens the database beside the handle, for what only a test may do.
func raw(t testing.TB, url string) *sql.DB {
	t.Helper()
	return storetest.Beside(t, url)
}

// fill makes n stores of the team, most of them ready, in two statements.
func fill(t testing.TB, url string, b bundle, n int) {
	t.Helper()
	db := raw(t, url)
	_, err := db.ExecContext(t.Context(), `
		INSERT INTO stores (id, team_id, cluster_id, name, slug, namespace, host, engine, template, country, currency, owner_email, plan, status, desired,
			generation, observed_generation, job_id, revision, sold, chart_version, url, admin_url, volumes, health, search, created_by, created_at, ready_at,
			deleted_at, updated_at)
		WITH RECURSIVE many (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM many WHERE i < $4)
		SELECT 'store-' || i, CAST($1 AS TEXT), CAST($2 AS TEXT), 'Shop number ' || i, 'shop-' || i, 'store-shop-' || i, 'shop-' || i || '.localhost',
			CASE i % 4 WHEN 0 THEN 'medusa' ELSE 'woocommerce' END, 'blank', 'DE', 'EUR', 'owner@example.com', 'standard',
			CASE i % 10 WHEN 1 THEN 'failed' WHEN 2 THEN 'degraded' ELSE 'ready' END, 'present',
			1, 1, 'job-' || i, 1, 1, '1.2.3', 'http://shop', 'http://shop/admin', '[]', '{}',
			'shop number ' || i || CAST($5 AS TEXT) || 'shop-' || i || '.localhost', CAST($3 AS TEXT), 1000000 + i, 1000000 + i, 0, 1000000 + i
		FROM many`, b.team, b.cluster.ID, b.actor.UserID, n, "\n")
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `
		INSERT INTO jobs (id, store_id, cluster_id, kind, exclusive, state, priority, due, args, step, note, result, attempt, worked, asked_by, asked_by_name,
			asked_at, began_at, ended_at)
		SELECT job_id, id, cluster_id, 'open', TRUE, 'done', 0, created_at, '{}', 'ready', '{}', '{}', 1, 0, created_by, 'mara', created_at, created_at, created_at
		FROM stores WHERE id LIKE 'store-%'
		UNION ALL
		SELECT 'check-' || id, id, cluster_id, 'check', FALSE, 'pending', 10, 3000000000000000 + created_at, '{}', '', '{}', '{}', 1, 0, '', '', created_at, 0, 0
		FROM stores WHERE id LIKE 'store-%'`)
	if err != nil {
		t.Fatal(err)
	}
}
