package database

import (
	"context"
	"fmt"
	"time"

	"shopwright.dev/shopwright/store"
)

// Drills returns the rehearsals of a store's restore.
func (db *DB) Drills(ctx context.Context, actor store.Actor, storeID string) (store.Drills, error) {
	st, err := db.FindStore(ctx, actor, storeID)
	if err != nil {
		return store.Drills{}, err
	}
	return db.drillsOf(ctx, st)
}

func (db *DB) drillsOf(ctx context.Context, st store.Store) (d store.Drills, err error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT `+drillColumns.list("")+` FROM drills WHERE store_id = $1 ORDER BY began_at DESC, id DESC LIMIT $2`, st.ID, mostDrills)
	if d.Newest, err = collect(rows, err, scanDrill); err != nil {
		return store.Drills{}, fmt.Errorf("read the drills of store %s: %w", st.ID, err)
	}
	if st.IsDrill() {
		return d, nil
	}
	var (
		plan          store.Plan
		first, passed time.Time
		since         time.Time // zero before the first look
	)
	err = db.read.QueryRowContext(ctx, `
		SELECT p.drill_every, `+firstPoint+`, COALESCE((SELECT MAX(ended_at) FROM drills WHERE `+passedDrill+`), 0), `+sinceDrills+`
		FROM stores s JOIN plans p ON p.name = s.plan WHERE s.id = $1`, st.ID).Scan(&plan.DrillEvery, at(&first), at(&passed), at(&since))
	if err != nil {
		return store.Drills{}, fmt.Errorf("read how often the restore of store %s is rehearsed: %w", st.ID, err)
	}
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return store.Drills{}, err
	}
	schedule := plan.DrillSchedule(st.ID)
	d.Every, d.Overdue = schedule.Every, schedule.Overdue(fromMicros(now), passed, first, since)
	if st.CanBackUp() {
		d.Next = schedule.Next(fromMicros(now), newestDrill(d), first)
	}
	return d, nil
}

func newestDrill(d store.Drills) store.Drill {
	if len(d.Newest) == 0 {
		return store.Drill{}
	}
	return d.Newest[0]
}

// sinceDrills is when drills were first begun by schedule; 0 before.
const sinceDrills = `COALESCE((SELECT value FROM counters WHERE name = '` + drillsSince + `'), 0)`

// firstPoint is when the first restore point was made that is kept of a store s; 0 for none.
const firstPoint = `COALESCE((SELECT MIN(r.ended_at) FROM restore_points r WHERE r.store_id = s.id AND r.expired_at = 0), 0)`
