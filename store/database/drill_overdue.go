package database

import (
	"context"
	"fmt"
	"slices"
	"time"

	"shopwright.dev/shopwright/store"
)

// lateDrill is a store whose plan asks for drills, and what tells whether one is overdue.
type lateDrill struct {
	id            string
	plan          store.Plan
	first, passed time.Time // its first restore point, and its newest drill that passed; zero for none
	told          time.Time // when people were told last that one is overdue; zero for never
}

// UnguardedTellOverdueDrills tells of each store in the cluster whose drill is overdue, once until a drill passes, and
// returns of how many. It may be called at any time and by several processes.
func (db *DB) UnguardedTellOverdueDrills(ctx context.Context, clusterID string) (told int, err error) {
	us, err := db.clock(ctx, db.read)
	if err != nil {
		return 0, err
	}
	late, err := db.lateDrills(ctx, clusterID, fromMicros(us))
	if err != nil || len(late) == 0 {
		return 0, err
	}
	err = db.update(ctx, func(t tx) error {
		told = 0
		if err := t.lockClaims(ctx); err != nil { // so that two processes don't tell twice
			return err
		}
		for _, l := range late {
			last, err := t.toldOverdue(ctx, l.id)
			if err != nil {
				return err
			}
			if !last.Equal(l.told) {
				continue
			}
			st, err := queryStore(ctx, t, l.id)
			if err != nil {
				return err
			}
			if err := t.append(ctx, store.EventOf(st, store.Actor{}, store.DrillOverdue)); err != nil {
				return err
			}
			told++
		}
		return nil
	})
	return told, err
}

// toldOfOverdue is when people were told last that a drill of a store s is overdue; 0 for never.
const toldOfOverdue = `COALESCE((SELECT MAX(e.created_at) FROM events e WHERE e.store_id = s.id AND e.kind = 'drill.overdue'), 0)`

func (t tx) toldOverdue(ctx context.Context, storeID string) (last time.Time, err error) {
	if err := t.QueryRowContext(ctx, `SELECT `+toldOfOverdue+` FROM stores s WHERE s.id = $1`, storeID).Scan(at(&last)); err != nil {
		return last, fmt.Errorf("read when an overdue drill of store %s was told: %w", storeID, err)
	}
	return last, nil
}

// lateDrills are the stores in the cluster whose drill is overdue, unless people were told since the last one that passed.
func (db *DB) lateDrills(ctx context.Context, clusterID string, now time.Time) ([]lateDrill, error) {
	var since time.Time
	if err := db.read.QueryRowContext(ctx, `SELECT `+sinceDrills).Scan(at(&since)); err != nil {
		return nil, fmt.Errorf("read since when there are drills: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT s.id, p.drill_every, `+firstPoint+`, COALESCE(passed.at, 0), `+toldOfOverdue+`
		FROM stores s JOIN plans p ON p.name = s.plan
		LEFT JOIN (SELECT store_id, MAX(ended_at) AS at FROM drills WHERE ended_at > 0 AND failure = '{}' GROUP BY store_id) passed ON passed.store_id = s.id
		WHERE s.cluster_id = $1 AND s.deleted_at = 0 AND s.purpose = 'shop' AND s.desired = 'present' AND p.drill_every > 0`, clusterID)
	all, err := collect(rows, err, func(row scanner) (l lateDrill, err error) {
		return l, row.Scan(&l.id, &l.plan.DrillEvery, at(&l.first), at(&l.passed), at(&l.told))
	})
	if err != nil {
		return nil, fmt.Errorf("read which drills are overdue: %w", err)
	}
	return slices.DeleteFunc(all, func(l lateDrill) bool {
		return l.told.After(l.passed) || !l.plan.DrillSchedule(l.id).Overdue(now, l.passed, l.first, since)
	}), nil
}
