package database

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"shopwright.dev/shopwright/store"
)

// erasures is the counter of when this database was first looked through for points to erase. A version that erased none,
// or another machine, may have been meant to keep them.
const erasures = "erasures"

// UnguardedBeginErasures returns what is to be erased in the targets of stores that were deleted so long ago, with the
// targets' secrets. Nothing is for as long after it was called for the first time with this database. From then on their points can't be restored any more. A store whose point is being restored has
// its turn afterwards. What can't be read doesn't keep the others waiting.
func (db *DB) UnguardedBeginErasures(ctx context.Context, after time.Duration) (all []store.Erasure, err error) {
	var now, since int64
	err = db.update(ctx, func(t tx) (err error) {
		now = t.now
		since, err = t.since(ctx, erasures)
		return err
	})
	if err != nil || since > now-after.Microseconds() {
		return nil, err
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT DISTINCT p.store_id FROM restore_points p JOIN stores s ON s.id = p.store_id
		WHERE s.deleted_at > 0 AND s.deleted_at < $1 ORDER BY p.store_id`, now-after.Microseconds())
	ids, err := collect(rows, err, func(row scanner) (id string, err error) { return id, row.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("read which restore points are to be erased: %w", err)
	}
	var failed []error
	for _, id := range ids {
		points, err := db.beginErasure(ctx, id)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		found, err := db.erasuresOf(ctx, points)
		all, failed = append(all, found...), append(failed, err)
	}
	return all, errors.Join(failed...)
}

// beginErasure hides the points of a deleted store, and returns them; none while one of them is being restored.
func (db *DB) beginErasure(ctx context.Context, storeID string) (points []store.RestorePoint, err error) {
	err = db.update(ctx, func(t tx) error {
		// A store that is to be opened with one of them locks it too, before it is there: see originOf.
		if _, err := t.ExecContext(ctx, `UPDATE restore_points SET note = note WHERE store_id = $1`, storeID); err != nil {
			return fmt.Errorf("lock the restore points of store %s: %w", storeID, err)
		}
		wanted, err := t.pointsBeingRestored(ctx)
		if err != nil {
			return err
		}
		if points, err = t.points(ctx, `store_id = $1`, storeID); err != nil {
			return err
		}
		if slices.ContainsFunc(points, func(p store.RestorePoint) bool { return slices.Contains(wanted, p.ID) }) {
			points = nil
			return nil
		}
		_, err = t.ExecContext(ctx, `UPDATE restore_points SET expired_at = $2 WHERE store_id = $1 AND expired_at = 0`, storeID, t.now)
		if err != nil {
			return fmt.Errorf("mark the restore points of store %s: %w", storeID, err)
		}
		return nil
	})
	return points, err
}

// erasuresOf are the repositories that these points of one store are in, one for each target.
func (db *DB) erasuresOf(ctx context.Context, points []store.RestorePoint) (all []store.Erasure, err error) {
	for _, p := range points {
		if slices.ContainsFunc(all, func(e store.Erasure) bool { return e.Target.ID == p.TargetID }) {
			continue
		}
		target, err := queryTarget(ctx, db.read, `id = $1`, p.TargetID)
		if err != nil {
			return all, err
		}
		if target.Secret, err = db.unseal(targetSecrets(), target.ID, target.Secret); err != nil {
			return all, fmt.Errorf("open the key of backup target %s: %w", target.Name, err)
		}
		all = append(all, store.Erasure{StoreID: p.StoreID, Target: target})
	}
	return all, nil
}

// UnguardedErased records that a deleted store has no restore points in a target any more. With the last of them its
// repository's password goes.
func (db *DB) UnguardedErased(ctx context.Context, e store.Erasure) error {
	return db.update(ctx, func(t tx) error {
		st, err := queryStore(ctx, t, e.StoreID)
		if err != nil {
			return err
		}
		result, err := t.ExecContext(ctx, `DELETE FROM restore_points WHERE store_id = $1 AND target_id = $2 AND expired_at > 0`, e.StoreID, e.Target.ID)
		if err != nil {
			return fmt.Errorf("delete the restore points of store %s: %w", e.StoreID, err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 { // another replica was first
			return err
		}
		_, err = t.ExecContext(ctx, `
			DELETE FROM repositories WHERE store_id = $1 AND NOT EXISTS (SELECT 1 FROM restore_points WHERE store_id = $1)`, e.StoreID)
		if err != nil {
			return fmt.Errorf("delete the repository password of store %s: %w", e.StoreID, err)
		}
		erased := store.EventOf(st, store.Actor{}, store.PointsErased)
		erased.Data.Note = store.Quote(cmp.Or(e.Target.Name, e.Target.ID))
		return t.append(ctx, erased)
	})
}
