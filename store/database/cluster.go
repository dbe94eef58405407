package database

import (
	"context"
	"database/sql"
	"fmt"

	"shopwright.dev/shopwright/store"
)

const clusterColumns = `id, name, base_domain, ingress_class, storage_class, uid, version, simulated, seen_at`

// EnsureCluster makes the configured cluster's record, or brings it up to date. Stores
// that exist keep the host they were made with.
func (db *DB) EnsureCluster(ctx context.Context, s store.ClusterSettings) (store.Cluster, error) {
	var c store.Cluster
	err := db.update(ctx, func(t tx) error {
		_, err := t.ExecContext(ctx, `
			INSERT INTO clusters (id, name, connection, kubeconfig, base_domain, ingress_class, storage_class, region,
				visibility, lifecycle, capacity, uid, version, simulated, created_at, seen_at)
			VALUES ($1, $2, 'configured', '', $3, $4, $5, '', 'public', 'active', 0, '', '', $6, $7, 0)
			ON CONFLICT (name) DO UPDATE SET base_domain = excluded.base_domain,
				ingress_class = excluded.ingress_class, storage_class = excluded.storage_class`,
			store.NewID(), s.Name, s.BaseDomain, s.IngressClass, s.StorageClass, false, t.now)
		if err != nil {
			return err
		}
		c, err = scanCluster(t.QueryRowContext(ctx, `SELECT `+clusterColumns+` FROM clusters WHERE name = $1`, s.Name))
		return err
	})
	if err != nil {
		return store.Cluster{}, fmt.Errorf("record cluster %s: %w", s.Name, err)
	}
	return c, nil
}

// RecordClusterSeen writes what the cluster says of itself. A cluster that has a UID keeps
// it: ErrStale says that another cluster answers now, or one whose place another has taken.
func (db *DB) RecordClusterSeen(ctx context.Context, id, uid, version string, simulated bool) error {
	return db.update(ctx, func(t tx) error {
		result, err := t.ExecContext(ctx, `
			UPDATE clusters SET uid = $2, version = $3, simulated = $4, seen_at = $5
			WHERE id = $1 AND (uid = '' AND lost_uid <> $2 OR uid = $2)`, id, uid, version, simulated, t.now)
		return expectOne(result, err, "record cluster")
	})
}

// ClusterUID returns the UID of the cluster that the database means; empty until first seen, and after another one took its
// place.
func (db *DB) ClusterUID(ctx context.Context, id string) (uid string, err error) {
	if err := db.read.QueryRowContext(ctx, `SELECT uid FROM clusters WHERE id = $1`, id).Scan(&uid); err != nil {
		return "", fmt.Errorf("read the UID of cluster %s: %w", id, err)
	}
	return uid, nil
}

func scanCluster(row scanner) (store.Cluster, error) {
	var (
		c    store.Cluster
		seen int64
	)
	err := row.Scan(&c.ID, &c.Name, &c.BaseDomain, &c.IngressClass, &c.StorageClass, &c.UID, &c.Version, &c.Simulated, &seen)
	c.SeenAt = fromMicros(seen)
	return c, err
}

// expectOne returns ErrStale unless exactly one row was written.
func expectOne(result sql.Result, err error, doing string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if n != 1 {
		return fmt.Errorf("%s: %w", doing, store.ErrStale)
	}
	return nil
}
