package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"shopwright.dev/shopwright/store"
)

// mostDrills is how many drills of a store are kept. The newest one that passed is kept beside them.
const mostDrills = 10

var drillColumns = columns[store.Drill]{
	{"id", func(d *store.Drill) any { return &d.ID }},
	{"store_id", func(d *store.Drill) any { return &d.StoreID }},
	{"point_id", func(d *store.Drill) any { return &d.PointID }},
	{"made_at", func(d *store.Drill) any { return at(&d.MadeAt) }},
	{"began_at", func(d *store.Drill) any { return at(&d.BeganAt) }},
	{"ended_at", func(d *store.Drill) any { return at(&d.EndedAt) }},
	{"order_number", func(d *store.Drill) any { return &d.Order }},
	{"simulated", func(d *store.Drill) any { return &d.Simulated }},
	{"failure", func(d *store.Drill) any { return document{&d.Failure} }},
}

func scanDrill(row scanner) (d store.Drill, err error) { return d, row.Scan(drillColumns.of(&d)...) }

// StartDrill begins a drill of a store with that restore point of it, or with its newest one.
func (db *DB) StartDrill(ctx context.Context, actor store.Actor, id, pointID string) (drill store.Drill, err error) {
	if _, err := db.FindStoreTo(ctx, actor, store.BackUpStores, id); err != nil {
		return store.Drill{}, err
	}
	err = db.update(ctx, func(t tx) (err error) { drill, err = t.startDrill(ctx, actor, id, pointID); return err })
	return drill, err
}

// startDrill makes the store in which the restore of another one is rehearsed. While that one's row is locked, none of
// its points expires.
func (t tx) startDrill(ctx context.Context, actor store.Actor, id, pointID string) (store.Drill, error) {
	from, err := t.lockStore(ctx, id)
	if err != nil {
		return store.Drill{}, err
	}
	if err := t.checkDrill(ctx, from); err != nil {
		return store.Drill{}, err
	}
	cluster, err := scanCluster(t.QueryRowContext(ctx, `SELECT `+clusterColumns+` FROM clusters WHERE id = $1`, from.ClusterID))
	if err != nil {
		return store.Drill{}, fmt.Errorf("read cluster %s: %w", from.ClusterID, err)
	}
	point, err := t.pointForDrill(ctx, from.ID, pointID, cluster.Simulated)
	if err != nil {
		return store.Drill{}, err
	}
	slug, err := freeSlug(ctx, t, "drill-"+strings.ToLower(rand.Text()[:8]))
	if err != nil {
		return store.Drill{}, err
	}
	st := store.DrillOf(from, point, cluster, slug, actor, fromMicros(t.now))
	drill := store.Drill{ID: st.ID, StoreID: from.ID, PointID: point.ID, MadeAt: point.EndedAt, BeganAt: st.CreatedAt}
	if err := t.insertDrill(ctx, st, drill); err != nil {
		return store.Drill{}, err
	}
	kind := store.DrillAsked
	if actor.UserID == "" {
		kind = store.DrillScheduled
	}
	return drill, t.append(ctx, store.DrillEvent(from, actor, kind, drill))
}

// checkDrill returns why no drill of a locked store can begin, if so.
func (t tx) checkDrill(ctx context.Context, from store.Store) error {
	if !from.CanDrill() {
		return &store.Error{Code: store.Conflict, Message: "This store is " + string(from.Status) + ". A restore drill needs a store that stays."}
	}
	var going bool
	err := t.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM drills WHERE store_id = $1 AND ended_at = 0)`, from.ID).Scan(&going)
	if err != nil {
		return fmt.Errorf("look for a drill of store %s: %w", from.ID, err)
	}
	if going {
		return &store.Error{Code: store.Conflict, Message: "A restore drill of this store is already in progress."}
	}
	return nil
}

// pointForDrill is that point of a locked store, or the newest one that can be restored.
func (t tx) pointForDrill(ctx context.Context, storeID, pointID string, simulated bool) (store.RestorePoint, error) {
	points, err := t.points(ctx, `store_id = $1 AND expired_at = 0 ORDER BY ended_at DESC, id`, storeID)
	if err != nil {
		return store.RestorePoint{}, err
	}
	for _, p := range points {
		refusal := p.Restorable(simulated)
		if p.ID == pointID || pointID == "" && refusal == nil {
			return p, refusal
		}
	}
	if pointID != "" {
		return store.RestorePoint{}, store.NoSuch("restore point")
	}
	return store.RestorePoint{}, &store.Error{Code: store.Conflict, Message: "This store has no restore point. Back it up first."}
}

func (t tx) insertDrill(ctx context.Context, st store.Store, drill store.Drill) error {
	if err := t.insertStore(ctx, st); err != nil {
		return err
	}
	if err := t.insertJob(ctx, &st.Job); err != nil {
		return err
	}
	_, err := t.ExecContext(ctx, `INSERT INTO drills (`+drillColumns.list("")+`) VALUES (`+drillColumns.marks()+`)`, drillColumns.of(&drill)...)
	if err != nil {
		return fmt.Errorf("record the drill of store %s: %w", drill.StoreID, err)
	}
	return nil
}

// endDrill records what came of the drill that is made in a locked store, whose job has ended, and begins the removal
// of that store. It returns the events that tell the rehearsed store of it.
func (t tx) endDrill(ctx context.Context, st *store.Store, actor store.Actor, check store.Check, f store.Failure) ([]store.Event, error) {
	ended := st.Job
	st.EndDrill(actor)
	if err := t.replaceJob(ctx, ended, st); err != nil {
		return nil, err
	}
	drill, err := scanDrill(t.QueryRowContext(ctx, `
		UPDATE drills SET ended_at = $2, order_number = $3, simulated = $4, failure = $5 WHERE id = $1 AND ended_at = 0
		RETURNING `+drillColumns.list(""), st.ID, t.now, check.Order, check.Simulated, document{&f}))
	if errors.Is(err, sql.ErrNoRows) { // the records of the rehearsed store are gone
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("record the end of drill %s: %w", st.ID, err)
	}
	if err := t.pruneDrills(ctx, drill.StoreID); err != nil {
		return nil, err
	}
	from, err := queryStore(ctx, t, drill.StoreID)
	if err != nil {
		return nil, err
	}
	told := store.DrillEvent(from, actor, drillKind(drill), drill)
	told.Step = f.Step
	if drill.Passed() {
		told.Data.Note = check.Outcome()
	}
	return []store.Event{told}, nil
}

// failDrill records why the work on a locked drill's store ended: the drill has failed, or the store's removal, which
// is tried again later.
func (t tx) failDrill(ctx context.Context, st *store.Store, f store.Failure) ([]store.Event, error) {
	if st.Desired == store.Present {
		return t.endDrill(ctx, st, store.Actor{}, store.Check{}, f)
	}
	st.Status, st.ObservedGeneration = store.Failed, st.Generation
	return nil, nil
}

func drillKind(d store.Drill) store.Kind {
	switch d.Failure.Code {
	case "":
		return store.DrillPassed
	case store.DrillWasCancelled:
		return store.DrillCancelled
	}
	return store.DrillFailed
}

// pruneDrills forgets old drills of a store.
func (t tx) pruneDrills(ctx context.Context, storeID string) error {
	_, err := t.ExecContext(ctx, `
		DELETE FROM drills WHERE store_id = $1 AND ended_at > 0
			AND id NOT IN (SELECT id FROM drills WHERE store_id = $1 ORDER BY began_at DESC, id DESC LIMIT $2)
			AND id <> COALESCE((SELECT id FROM drills WHERE `+passedDrill+` ORDER BY ended_at DESC, id LIMIT 1), '')`, storeID, mostDrills)
	if err != nil {
		return fmt.Errorf("forget old drills of store %s: %w", storeID, err)
	}
	return nil
}

// passedDrill is the condition that a drill of the store $1 has passed.
const passedDrill = `store_id = $1 AND ended_at > 0 AND failure = '{}'`

// cancelDrill ends the drill that is made in that store, and begins the store's removal.
func (t tx) cancelDrill(ctx context.Context, actor store.Actor, id string) (store.Store, error) {
	st, err := t.lockStore(ctx, id)
	if err != nil || st.Desired == store.Absent && st.Status != store.Failed {
		return st, err
	}
	if st.Desired == store.Absent { // its removal has failed
		return st, t.removeDrillAgain(ctx, actor, &st)
	}
	f := store.Failure{Code: store.DrillWasCancelled, Facts: store.Facts{Person: actor.Name}, Step: st.Job.Step, At: st.UpdatedAt}
	st.Job.Failure = f
	st.Job.End(store.JobCancelled, st.UpdatedAt)
	events, err := t.endDrill(ctx, &st, actor, store.Check{}, f)
	if err != nil {
		return st, err
	}
	for _, e := range events {
		if err := t.append(ctx, e); err != nil {
			return st, err
		}
	}
	return st, nil
}

// cancelDrillOf ends the drill of a locked store that goes on, if one does.
func (t tx) cancelDrillOf(ctx context.Context, actor store.Actor, storeID string) error {
	var id string
	err := t.QueryRowContext(ctx, `SELECT id FROM drills WHERE store_id = $1 AND ended_at = 0`, storeID).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for a drill of store %s: %w", storeID, err)
	}
	_, err = t.cancelDrill(ctx, actor, id)
	return err
}

// removeDrillAgain begins the removal of a locked drill's store once more, after it has failed.
func (t tx) removeDrillAgain(ctx context.Context, actor store.Actor, st *store.Store) error {
	failed := st.Job
	st.EndDrill(actor)
	st.Job.Attempt = failed.Attempt + 1
	return t.replaceJob(ctx, failed, st)
}
