package database

import (
	"context"
	"fmt"
	"slices"

	"shopwright.dev/shopwright/store"
)

// Replacement returns which stores [DB.ReplaceCluster] brings back, or has brought back and how far they are, in the order
// in which it does: those of larger plans first, then the oldest.
func (db *DB) Replacement(ctx context.Context, actor store.Actor, clusterID string) (store.Replacement, error) {
	if err := actor.MustAdminister(store.ManageClusters, "cluster"); err != nil {
		return store.Replacement{}, err
	}
	return db.replacement(ctx, clusterID)
}

func (db *DB) replacement(ctx context.Context, clusterID string) (r store.Replacement, err error) {
	rows, err := db.read.QueryContext(ctx, `SELECT replaced_at, `+clusterColumns+` FROM clusters WHERE id = $1`, clusterID)
	found, err := collect(rows, err, func(row scanner) (r store.Replacement, err error) {
		r.Cluster, err = scanCluster(prefixed{row, []any{at(&r.At)}})
		return r, err
	})
	switch {
	case err != nil:
		return r, fmt.Errorf("read cluster %s: %w", clusterID, err)
	case len(found) == 0:
		return r, store.NoSuch("cluster")
	}
	r = found[0]
	r.Stores, err = db.returning(ctx, r.Cluster)
	if !r.At.IsZero() { // later ones have nothing to come back from
		r.Stores = slices.DeleteFunc(r.Stores, func(one store.Returning) bool { return one.Store.CreatedAt.After(r.At) })
	}
	return r, err
}

func (db *DB) returning(ctx context.Context, c store.Cluster) ([]store.Returning, error) {
	points, err := db.newestPoints(ctx, c)
	if err != nil {
		return nil, err
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT (SELECT t.name FROM teams t WHERE t.id = stores.team_id), `+storeFields+` FROM `+storeTables+` JOIN plans ON plans.name = stores.plan
		WHERE stores.cluster_id = $1 AND stores.deleted_at = 0 AND stores.purpose = 'shop' AND stores.desired = 'present'
		ORDER BY plans.position DESC, stores.created_at, stores.id`, c.ID)
	all, err := collect(rows, err, func(row scanner) (r store.Returning, err error) {
		r.Store, err = scanStore(prefixed{row, []any{&r.Team}})
		r.Point = points[r.Store.ID]
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("list the stores of cluster %s: %w", c.ID, err)
	}
	return all, nil
}

// newestPoints are the newest restore points of a cluster's living stores, by store, if they can be restored.
func (db *DB) newestPoints(ctx context.Context, c store.Cluster) (map[string]store.RestorePoint, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT `+pointColumns.list("p")+`, t.name`+pointFrom+`JOIN stores s ON s.id = p.store_id
		WHERE s.cluster_id = $1 AND s.deleted_at = 0 AND p.expired_at = 0
			AND NOT EXISTS (SELECT 1 FROM restore_points n WHERE n.store_id = p.store_id AND n.expired_at = 0 AND n.ended_at > p.ended_at)`, c.ID)
	points, err := collect(rows, err, scanPoint)
	if err != nil {
		return nil, fmt.Errorf("read the newest restore points in cluster %s: %w", c.ID, err)
	}
	newest := map[string]store.RestorePoint{}
	for _, p := range points {
		if p, ok, err := db.restorablePoint(ctx, p, c.Simulated); err != nil {
			return nil, err
		} else if ok {
			newest[p.StoreID] = p
		}
	}
	return newest, nil
}

// restorablePoint is the newest point of a store, or an older one if that can't be restored.
func (db *DB) restorablePoint(ctx context.Context, newest store.RestorePoint, simulated bool) (p store.RestorePoint, ok bool, err error) {
	if newest.Restorable(simulated) == nil {
		return newest, true, nil
	}
	points, err := db.points(ctx, newest.StoreID, store.PointQuery{})
	i := slices.IndexFunc(points, func(p store.RestorePoint) bool { return p.Restorable(simulated) == nil })
	if i < 0 {
		return p, false, err
	}
	return points[i], true, err
}

// ReplaceCluster lets the cluster with that UID, which answers now and is empty, take the place of one that is lost: its
// stores are rebuilt with their newest restore points. The platform finds out that the others have lost their data. A
// process that has been connected to the lost cluster must be restarted. If it comes to an end halfway, it can be asked
// for again; afterwards it is a Conflict.
func (db *DB) ReplaceCluster(ctx context.Context, actor store.Actor, clusterID, answering string) error {
	if err := actor.MustAdminister(store.ManageClusters, "cluster"); err != nil {
		return err
	}
	r, err := db.replacement(ctx, clusterID)
	if err != nil {
		return err
	}
	if answering == "" || r.Cluster.UID == "" || r.Cluster.UID == answering {
		return &store.Error{Code: store.Conflict, Message: "No other cluster answers in place of " + r.Cluster.Name + ", or one has taken its place already. If this page says otherwise, restart Shopwright."}
	}
	return db.replaceCluster(ctx, actor, r, r.Cluster.UID)
}

// UnguardedReplacing reports whether a restore into another cluster has loaded the database, and the stores are still to
// be brought back by [DB.UnguardedReplaceClusters].
func (db *DB) UnguardedReplacing(ctx context.Context) (due bool, err error) {
	err = db.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM counters WHERE name = '`+replacing+`')`).Scan(&due)
	if err != nil {
		return false, fmt.Errorf("read whether clusters are lost: %w", err)
	}
	return due, nil
}

// UnguardedReplaceClusters does what [DB.ReplaceCluster] does, for all clusters. The operator says that they are lost, so
// the one that answers next takes the place, even if it is the same one, wiped. It returns how many stores come back, and
// how many don't.
func (db *DB) UnguardedReplaceClusters(ctx context.Context) (back, lost int, err error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id FROM clusters ORDER BY name`)
	ids, err := collect(rows, err, func(row scanner) (id string, err error) { return id, row.Scan(&id) })
	if err != nil {
		return 0, 0, fmt.Errorf("list clusters: %w", err)
	}
	for _, id := range ids {
		r, err := db.replacement(ctx, id)
		if err != nil {
			return 0, 0, err
		}
		if err := db.replaceCluster(ctx, store.Actor{}, r, ""); err != nil {
			return 0, 0, err
		}
		if r, err = db.replacement(ctx, id); err != nil {
			return 0, 0, err
		}
		for _, one := range r.Stores {
			if one.Store.BroughtBack() {
				back++
			} else {
				lost++
			}
		}
	}
	return back, lost, db.update(ctx, func(t tx) error {
		_, err := t.ExecContext(ctx, `DELETE FROM counters WHERE name = '`+replacing+`'`)
		return err
	})
}

// replaceCluster brings the stores back in another cluster than the one with the UID lost, which is empty if any may take
// the place.
func (db *DB) replaceCluster(ctx context.Context, actor store.Actor, r store.Replacement, lost string) error {
	for _, one := range r.Stores { // one after the other, so that they stand in the queue in this order
		if err := db.bringBack(ctx, actor, one); err != nil {
			return err
		}
	}
	return db.update(ctx, func(t tx) error {
		_, err := t.ExecContext(ctx, `UPDATE clusters SET uid = '', lost_uid = $3, replaced_at = $2 WHERE id = $1`, r.Cluster.ID, t.now, lost)
		if err != nil {
			return fmt.Errorf("replace cluster %s: %w", r.Cluster.ID, err)
		}
		return t.append(ctx, actor.Sign(store.Event{Kind: store.ClusterReplaced, Object: r.Cluster.Name}))
	})
}

// bringBack has a store rebuilt with its newest restore point, unless it is already.
func (db *DB) bringBack(ctx context.Context, actor store.Actor, r store.Returning) error {
	_, err := db.tryChange(ctx, r.Store.ID, func(_ tx, st *store.Store) (store.Event, error) {
		if r.Store = *st; !r.CanReturn() {
			return store.Event{}, store.ErrUnchanged
		}
		return st.RebuildElsewhere(store.OriginOf(r.Point, *st), actor), nil
	})
	return err
}
