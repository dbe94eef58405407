package database

import (
	"context"
	"database/sql"
	"fmt"

	"shopwright.dev/shopwright/store"
)

// Queue returns what is being worked on, and then what waits, the longest waiting first.
func (db *DB) Queue(ctx context.Context, actor store.Actor) ([]store.QueueEntry, error) {
	if err := actor.MustAdminister(store.ViewInstallation, "page"); err != nil {
		return nil, err
	}
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return nil, err
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT (SELECT t.name FROM teams t WHERE t.id = stores.team_id), jobs.claim_until > $1, `+storeFields+` FROM `+storeTables+`
		WHERE jobs.ended_at = 0
		ORDER BY CASE WHEN jobs.began_at > 0 THEN 0 WHEN jobs.kind = 'remove' THEN 1 ELSE 2 END, jobs.asked_at, jobs.id`, now)
	entries, err := collect(rows, err, func(row scanner) (e store.QueueEntry, err error) {
		e.Store, err = scanStore(prefixed{row, []any{&e.Team, &e.Held}})
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the queue: %w", err)
	}
	return entries, nil
}

// prefixed scans columns that stand before those of a record.
type prefixed struct {
	row   scanner
	first []any
}

func (p prefixed) Scan(dest ...any) error { return p.row.Scan(append(p.first, dest...)...) }

// Clusters returns the clusters by name. What is promised is what the plans of the stores let
// them take together, those that are made for drills included: only the cluster itself knows what it has.
func (db *DB) Clusters(ctx context.Context, actor store.Actor) ([]store.ClusterAccount, error) {
	if err := actor.MustAdminister(store.ViewInstallation, "page"); err != nil {
		return nil, err
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT created_at, replaced_at, living, troubled, cpu, memory, disk, pods, `+clusterColumns+`
		FROM clusters LEFT JOIN (
			SELECT s.cluster_id, SUM(CASE WHEN s.purpose = 'shop' THEN 1 ELSE 0 END) AS living,
				SUM(CASE WHEN s.purpose = 'shop' AND s.status IN ('failed', 'degraded') THEN 1 ELSE 0 END) AS troubled,
				SUM(p.cpu) AS cpu, SUM(p.memory) AS memory, SUM(p.disk) AS disk, SUM(p.pods) AS pods
			FROM stores s JOIN plans p ON p.name = s.plan WHERE s.deleted_at = 0 GROUP BY s.cluster_id
		) placed ON placed.cluster_id = clusters.id ORDER BY name`)
	clusters, err := collect(rows, err, func(row scanner) (c store.ClusterAccount, err error) {
		var (
			created, replaced                         int64
			living, troubled, cpu, memory, disk, pods sql.NullInt64 // none where no store is
		)
		c.Cluster, err = scanCluster(prefixed{row, []any{&created, &replaced, &living, &troubled, &cpu, &memory, &disk, &pods}})
		c.Stores, c.Troubled = int(living.Int64), int(troubled.Int64)
		c.Promised = store.Take{CPU: int(cpu.Int64), Memory: int(memory.Int64), Disk: int(disk.Int64), Pods: int(pods.Int64)}
		c.CreatedAt, c.ReplacedAt = fromMicros(created), fromMicros(replaced)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("list clusters: %w", err)
	}
	return clusters, nil
}

// Versions returns what runs.
func (db *DB) Versions(ctx context.Context, actor store.Actor) (v store.Versions, err error) {
	if err := actor.MustAdminister(store.ViewInstallation, "page"); err != nil {
		return v, err
	}
	name, query := "SQLite ", `SELECT sqlite_version()`
	if db.postgres != nil {
		name, query = "PostgreSQL ", `SHOW server_version`
	}
	if err := db.read.QueryRowContext(ctx, query).Scan(&v.Database); err != nil {
		return v, fmt.Errorf("read the database's version: %w", err)
	}
	v.Database = name + v.Database
	if err := db.read.QueryRowContext(ctx, `SELECT MAX(version_id) FROM goose_db_version`).Scan(&v.Schema); err != nil {
		return v, fmt.Errorf("read the schema's version: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT engine, chart_version, COUNT(*) FROM stores WHERE deleted_at = 0 AND purpose = 'shop' GROUP BY engine, chart_version ORDER BY engine, chart_version`)
	v.Charts, err = collect(rows, err, func(row scanner) (c store.ChartUse, err error) {
		err = row.Scan(&c.Engine, &c.Version, &c.Stores)
		return c, err
	})
	if err != nil {
		return v, fmt.Errorf("count stores by chart: %w", err)
	}
	return v, nil
}
