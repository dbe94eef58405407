package database

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"shopwright.dev/shopwright/store"
)

// drillRemovalAgain is the pause before the failed removal of a drill's store is tried again. Nobody sees that store in
// a list, so nobody else would.
const drillRemovalAgain = 10 * time.Minute

// errDrillGoesOn says that a cluster has a drill already.
var errDrillGoesOn = errors.New("a drill goes on in the cluster")

// rehearsed is a store whose plan asks for drills.
type rehearsed struct {
	id     string
	plan   store.Plan
	newest store.Drill
	first  time.Time // when its first point was made; zero without one
}

// UnguardedStartDueDrill begins the drill of a cluster's store that has been due for the longest time, unless a drill
// goes on there. It may be called at any time and by several processes: one drill begins.
func (db *DB) UnguardedStartDueDrill(ctx context.Context, clusterID string) (drill store.Drill, begun bool, err error) {
	if err := db.prepareDrills(ctx); err != nil {
		return store.Drill{}, false, err
	}
	due, err := db.dueDrills(ctx, clusterID)
	if err != nil {
		return store.Drill{}, false, err
	}
	for _, r := range due {
		drill, err = db.startDueDrill(ctx, clusterID, r)
		switch {
		case err == nil:
			return drill, true, nil
		case errors.Is(err, errDrillGoesOn):
			return store.Drill{}, false, nil
		case store.ErrorCode(err) != store.Conflict: // a store that can't be rehearsed keeps no other waiting
			return store.Drill{}, false, err
		}
	}
	return store.Drill{}, false, nil
}

// drillsSince is the counter of when drills were first begun by schedule. None was overdue before.
const drillsSince = "drills"

// prepareDrills ends the drills whose stores are gone: a version that knows no drills may have deleted them.
func (db *DB) prepareDrills(ctx context.Context) error {
	return db.update(ctx, func(t tx) error {
		if _, err := t.since(ctx, drillsSince); err != nil {
			return err
		}
		gone := store.Failure{Code: store.DrillWasCancelled}
		_, err := t.ExecContext(ctx, `
			UPDATE drills SET ended_at = $1, failure = $2 WHERE ended_at = 0
				AND NOT EXISTS (SELECT 1 FROM stores s WHERE s.id = drills.id AND s.deleted_at = 0 AND s.desired = 'present')`, t.now, document{&gone})
		if err != nil {
			return fmt.Errorf("end drills whose stores are gone: %w", err)
		}
		return nil
	})
}

// dueDrills are the stores of a cluster whose drill is due, those first that have waited for longest.
func (db *DB) dueDrills(ctx context.Context, clusterID string) ([]rehearsed, error) {
	micros, err := db.clock(ctx, db.read)
	if err != nil {
		return nil, err
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT s.id, p.drill_every, `+firstPoint+`, COALESCE(d.id, ''), COALESCE(d.began_at, 0), COALESCE(d.ended_at, 0), COALESCE(d.failure, '{}')
		FROM stores s JOIN plans p ON p.name = s.plan
			LEFT JOIN drills d ON d.id = (SELECT n.id FROM drills n WHERE n.store_id = s.id ORDER BY n.began_at DESC, n.id DESC LIMIT 1)
		WHERE s.cluster_id = $1 AND s.deleted_at = 0 AND s.purpose = 'shop' AND s.desired = 'present' AND s.status IN ('ready', 'degraded')
			AND p.drill_every > 0`, clusterID)
	all, err := collect(rows, err, func(row scanner) (r rehearsed, err error) {
		return r, row.Scan(&r.id, &r.plan.DrillEvery, at(&r.first), &r.newest.ID, at(&r.newest.BeganAt), at(&r.newest.EndedAt), document{&r.newest.Failure})
	})
	if err != nil {
		return nil, fmt.Errorf("read which restores are rehearsed: %w", err)
	}
	now := fromMicros(micros)
	all = slices.DeleteFunc(all, func(r rehearsed) bool { return !r.plan.DrillSchedule(r.id).Due(now, r.newest, r.first) })
	slices.SortFunc(all, func(a, b rehearsed) int { return a.waitedSince().Compare(b.waitedSince()) })
	return all, nil
}

// waitedSince is when the last drill began, or when there was a point to restore for the first time.
func (r rehearsed) waitedSince() time.Time {
	if r.newest.ID == "" {
		return r.first
	}
	return r.newest.BeganAt
}

// startDueDrill begins a drill of the store, unless a drill goes on in the cluster or another process has begun one since the store was read.
func (db *DB) startDueDrill(ctx context.Context, clusterID string, r rehearsed) (drill store.Drill, err error) {
	err = db.update(ctx, func(t tx) error {
		if err := t.lockClaims(ctx); err != nil { // so that two processes don't begin two drills
			return err
		}
		var going bool
		err := t.QueryRowContext(ctx, `
			SELECT EXISTS (SELECT 1 FROM drills d JOIN stores s ON s.id = d.id WHERE s.cluster_id = $1 AND (d.ended_at = 0 OR d.store_id = $2 AND d.began_at > $3))`,
			clusterID, r.id, micros(r.newest.BeganAt)).Scan(&going)
		if err != nil {
			return fmt.Errorf("look for drills in cluster %s: %w", clusterID, err)
		}
		if going {
			return errDrillGoesOn
		}
		drill, err = t.startDrill(ctx, store.Actor{}, r.id, "")
		return err
	})
	return drill, err
}

// UnguardedRemoveDrillsAgain begins the removals of a cluster's drills again that have failed a while ago, and returns how
// many.
func (db *DB) UnguardedRemoveDrillsAgain(ctx context.Context, clusterID string) (begun int, err error) {
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return 0, err
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT s.id FROM stores s JOIN jobs j ON j.id = s.job_id
		WHERE s.cluster_id = $1 AND s.deleted_at = 0 AND s.purpose = 'drill' AND s.desired = 'absent' AND s.status = 'failed' AND j.ended_at < $2`,
		clusterID, now-drillRemovalAgain.Microseconds())
	ids, err := collect(rows, err, func(row scanner) (id string, err error) { return id, row.Scan(&id) })
	if err != nil {
		return 0, fmt.Errorf("read which drills are not removed: %w", err)
	}
	for _, id := range ids {
		var again bool
		err := db.update(ctx, func(t tx) error {
			st, err := t.lockStore(ctx, id)
			if again = err == nil && st.Living() && st.Status == store.Failed; !again {
				return err
			}
			return t.removeDrillAgain(ctx, store.Actor{}, &st)
		})
		if err != nil {
			return begun, err
		}
		if again {
			begun++
		}
	}
	return begun, nil
}
