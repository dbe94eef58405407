package database

import (
	"context"
	"fmt"

	"shopwright.dev/shopwright/store"
)

// Rebuild reopens a store whose data is lost, with that restore point of it, or empty without one.
func (db *DB) Rebuild(ctx context.Context, actor store.Actor, id, point string) (store.Store, error) {
	return db.change(ctx, actor, id, store.RetryStores, func(t tx, st *store.Store) (store.Event, error) {
		if !st.CanRebuild() {
			return store.Event{}, &store.Error{Code: store.Conflict, Message: "This store is " + string(st.Status) + ". Only a store whose data is lost can be rebuilt."}
		}
		with, err := t.ownPoint(ctx, actor, *st, point)
		if err != nil {
			return store.Event{}, err
		}
		return st.Rebuild(with, actor), nil
	})
}

// ownPoint is what a store is opened with that is rebuilt with a restore point of its own; zero without one.
func (t tx) ownPoint(ctx context.Context, actor store.Actor, st store.Store, id string) (store.Origin, error) {
	if id == "" {
		return store.Origin{}, nil
	}
	p, from, err := t.lockPoint(ctx, actor, id)
	switch {
	case err != nil:
		return store.Origin{}, err
	case from.ID != st.ID:
		return store.Origin{}, store.NoSuch("restore point")
	}
	simulated, err := t.isSimulated(ctx, st.ClusterID)
	if err != nil {
		return store.Origin{}, err
	}
	return store.OriginOf(p, from), p.Restorable(simulated)
}

// lockPoint reads a restore point and the store that it was made of. It can't expire before the transaction ends.
func (t tx) lockPoint(ctx context.Context, actor store.Actor, id string) (store.RestorePoint, store.Store, error) {
	if _, err := t.ExecContext(ctx, `UPDATE restore_points SET note = note WHERE id = $1`, id); err != nil {
		return store.RestorePoint{}, store.Store{}, fmt.Errorf("lock restore point %s: %w", id, err)
	}
	return findPoint(ctx, t, actor, id)
}

func (t tx) isSimulated(ctx context.Context, clusterID string) (simulated bool, err error) {
	if err := t.QueryRowContext(ctx, `SELECT simulated FROM clusters WHERE id = $1`, clusterID).Scan(&simulated); err != nil {
		return false, fmt.Errorf("read whether cluster %s is simulated: %w", clusterID, err)
	}
	return simulated, nil
}
