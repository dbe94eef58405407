package database

import (
	"context"
	"fmt"
	"slices"
	"time"

	"shopwright.dev/shopwright/store"
)

// mostForgotten bounds how many points one backup deletes, and so how long that takes. The next ones delete
// the others.
const mostForgotten = 100

// BeginCleanup decides what a claimed backup deletes, and returns it with the ids of the snapshots. Points
// that the store's plan doesn't keep are not listed from then on. Only points in the backup's own target
// are considered. A replica that takes the backup over gets the same answer.
func (db *DB) BeginCleanup(ctx context.Context, c store.Claim) (cleanup store.Cleanup, snapshots []string, err error) {
	err = db.changeBackup(ctx, c, func(t tx, st store.Store, job *store.Job) error {
		if job.Point.Cleanup == nil {
			decided, err := t.decideCleanup(ctx, st, job.Point.Target)
			if err != nil {
				return err
			}
			job.Point.Cleanup = &decided
		}
		cleanup = *job.Point.Cleanup
		snapshots, err = t.snapshotsOf(ctx, cleanup)
		return err
	})
	return cleanup, snapshots, err
}

// decideCleanup marks the points of a locked store in a target that its plan doesn't keep.
func (t tx) decideCleanup(ctx context.Context, st store.Store, targetID string) (c store.Cleanup, err error) {
	plan, err := queryPlan(ctx, t, `name = $1`, st.Plan)
	if err != nil {
		return c, err
	}
	// A store that is to be opened with one of them locks it too, before it is there: see originOf.
	if _, err := t.ExecContext(ctx, `UPDATE restore_points SET note = note WHERE store_id = $1 AND target_id = $2`, st.ID, targetID); err != nil {
		return c, fmt.Errorf("lock the restore points of store %s: %w", st.ID, err)
	}
	kept, err := t.points(ctx, `store_id = $1 AND target_id = $2 AND expired_at = 0`, st.ID, targetID)
	if err != nil {
		return c, err
	}
	wanted, err := t.pointsBeingRestored(ctx)
	if err != nil {
		return c, err
	}
	for _, p := range plan.Keep.Over(kept) {
		if slices.Contains(wanted, p.ID) {
			continue // the next backup forgets it
		}
		if _, err := t.ExecContext(ctx, `UPDATE restore_points SET expired_at = $2 WHERE id = $1`, p.ID, t.now); err != nil {
			return c, fmt.Errorf("mark restore point %s: %w", p.ID, err)
		}
	}
	over, err := t.points(ctx, `store_id = $1 AND target_id = $2 AND expired_at > 0 ORDER BY expired_at, ended_at, id LIMIT $3`, st.ID, targetID, mostForgotten)
	if err != nil {
		return c, err
	}
	for _, p := range over {
		c.Points = append(c.Points, p.ID)
	}
	var created, pruned time.Time
	err = t.QueryRowContext(ctx, `SELECT created_at, pruned_at FROM repositories WHERE store_id = $1`, st.ID).Scan(at(&created), at(&pruned))
	if err != nil {
		return c, fmt.Errorf("read when the repository of store %s was pruned: %w", st.ID, err)
	}
	if pruned.IsZero() {
		pruned = created
	}
	// What restores a point locks nothing in the repository: data would go that it is still to read.
	read := slices.ContainsFunc(kept, func(p store.RestorePoint) bool { return slices.Contains(wanted, p.ID) })
	c.Prune = store.PruneDue(fromMicros(t.now), pruned) && !read
	return c, nil
}

func (t tx) points(ctx context.Context, where string, args ...any) ([]store.RestorePoint, error) {
	rows, err := t.QueryContext(ctx, `SELECT `+pointColumns.list("")+` FROM restore_points WHERE `+where, args...)
	points, err := collect(rows, err, func(row scanner) (p store.RestorePoint, err error) { return p, row.Scan(pointColumns.of(&p)...) })
	if err != nil {
		return nil, fmt.Errorf("read restore points: %w", err)
	}
	return points, nil
}

// snapshotsOf are the ids of the snapshots of a cleanup's points. Simulated points have none.
func (t tx) snapshotsOf(ctx context.Context, c store.Cleanup) (ids []string, err error) {
	for _, id := range c.Points {
		points, err := t.points(ctx, `id = $1`, id)
		if err != nil {
			return nil, err
		}
		for _, p := range points {
			ids = append(ids, p.Manifest.Database.Snapshot, p.Manifest.Files.Snapshot, p.Manifest.Snapshot)
		}
	}
	return slices.DeleteFunc(ids, func(id string) bool { return id == "" }), nil
}

// FinishCleanup records what came of the cleanup of a claimed backup, before the backup's point is
// recorded. Points whose snapshots are gone are deleted.
func (db *DB) FinishCleanup(ctx context.Context, c store.Claim, result store.CleanupResult) error {
	result = result.Storable()
	return db.changeBackup(ctx, c, func(t tx, st store.Store, job *store.Job) error {
		if job.Point.Cleanup != nil && result.Forgotten {
			for _, id := range job.Point.Cleanup.Points {
				if _, err := t.ExecContext(ctx, `DELETE FROM restore_points WHERE id = $1 AND expired_at > 0`, id); err != nil {
					return fmt.Errorf("delete restore point %s: %w", id, err)
				}
			}
		}
		if result.Pruned {
			if _, err := t.ExecContext(ctx, `UPDATE repositories SET pruned_at = $2 WHERE store_id = $1`, st.ID, t.now); err != nil {
				return fmt.Errorf("record when the repository of store %s was pruned: %w", st.ID, err)
			}
		}
		job.Cleanup = result
		return nil
	})
}
