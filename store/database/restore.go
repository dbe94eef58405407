package database

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"shopwright.dev/shopwright/store"
)

// PointToRestore returns a restore point and the store that it was made of, living or deleted, for an actor who may
// back that store up: the point holds all that the store knew of its customers.
func (db *DB) PointToRestore(ctx context.Context, actor store.Actor, id string) (store.RestorePoint, store.Store, error) {
	return findPoint(ctx, db.read, actor, id)
}

func findPoint(ctx context.Context, q querier, actor store.Actor, id string) (store.RestorePoint, store.Store, error) {
	none := store.NoSuch("restore point")
	p, err := scanPoint(q.QueryRowContext(ctx, `SELECT `+pointColumns.list("p")+`, t.name`+pointFrom+`WHERE p.id = $1 AND p.expired_at = 0`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return store.RestorePoint{}, store.Store{}, none
	}
	if err != nil {
		return store.RestorePoint{}, store.Store{}, fmt.Errorf("read restore point %s: %w", id, err)
	}
	from, err := queryStore(ctx, q, p.StoreID)
	switch {
	case err != nil:
		return store.RestorePoint{}, store.Store{}, err
	case !actor.May(store.ViewStores, from.TeamID):
		return store.RestorePoint{}, store.Store{}, none
	case !actor.May(store.BackUpStores, from.TeamID):
		return store.RestorePoint{}, store.Store{}, &store.Error{Code: store.Forbidden, Message: "You can view this restore point but not restore it. Ask a team owner."}
	}
	return p, from, nil
}

// restorable are the deleted stores that have restore points, of the teams in which the actor may restore them.
func restorable(actor store.Actor) (where string, args []any) {
	in, args := inList("stores.team_id", actor.Teams(store.BackUpStores), 1)
	return `stores.deleted_at > 0 AND stores.purpose = 'shop' AND ` + in + ` AND EXISTS (SELECT 1 FROM restore_points p WHERE p.store_id = stores.id AND p.expired_at = 0)`, args
}

// HasDeletedStores reports whether [DB.DeletedStores] returns any.
func (db *DB) HasDeletedStores(ctx context.Context, actor store.Actor) (has bool, err error) {
	where, args := restorable(actor)
	if err := db.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM stores WHERE `+where+`)`, args...).Scan(&has); err != nil {
		return false, fmt.Errorf("look for deleted stores with restore points: %w", err)
	}
	return has, nil
}

// DeletedStores returns the deleted stores that have restore points, the one deleted last first, of the teams in
// which the actor may restore them.
func (db *DB) DeletedStores(ctx context.Context, actor store.Actor) ([]store.Store, error) {
	where, args := restorable(actor)
	rows, err := db.read.QueryContext(ctx, `SELECT `+storeFields+` FROM `+storeTables+` WHERE `+where+` ORDER BY stores.deleted_at DESC, stores.id`, args...)
	stores, err := collect(rows, err, scanStore)
	if err != nil {
		return nil, fmt.Errorf("list the deleted stores with restore points: %w", err)
	}
	return stores, nil
}

// DeletedStore returns a deleted store and its restore points, newest first, for an actor who may restore them.
func (db *DB) DeletedStore(ctx context.Context, actor store.Actor, id string) (store.Store, []store.RestorePoint, error) {
	st, err := queryStore(ctx, db.read, id)
	if err != nil {
		return store.Store{}, nil, err
	}
	if st.Living() || !actor.May(store.BackUpStores, st.TeamID) {
		return store.Store{}, nil, store.NoSuch("store")
	}
	points, err := db.points(ctx, id, store.PointQuery{})
	return st, points, err
}

// originOf is what the new store is opened with. The point's row is locked: it can't expire before the store is there.
func (t tx) originOf(ctx context.Context, actor store.Actor, n store.NewStore) (store.NewStore, store.Origin, error) {
	if n.From == "" {
		return n, store.Origin{}, nil
	}
	p, from, err := t.lockPoint(ctx, actor, n.From)
	if err != nil {
		return n, store.Origin{}, err
	}
	simulated, err := t.isSimulated(ctx, n.Cluster.ID)
	if err != nil {
		return n, store.Origin{}, err
	}
	return n.OpenWith(from), store.OriginOf(p, from), p.Restorable(simulated)
}

// pointsBeingRestored are the ids of those that stores are still to be opened with.
func (t tx) pointsBeingRestored(ctx context.Context) (ids []string, err error) {
	rows, err := t.QueryContext(ctx, `SELECT origin FROM stores WHERE deleted_at = 0 AND desired = 'present' AND origin <> '{}'`)
	origins, err := collect(rows, err, func(row scanner) (o store.Origin, err error) { return o, row.Scan(document{&o}) })
	if err != nil {
		return nil, fmt.Errorf("read which restore points are being restored: %w", err)
	}
	for _, o := range origins {
		if o.Pending() {
			ids = append(ids, o.Point)
		}
	}
	return ids, nil
}

// OriginRepository returns the restore point that a claimed store is opened with, and where it is, with the
// secrets. ErrSealed says that one of them can't be read.
func (db *DB) OriginRepository(ctx context.Context, c store.Claim) (store.RestorePoint, store.Repository, error) {
	id := c.Store.Origin.Point
	p, err := scanPoint(db.read.QueryRowContext(ctx, `SELECT `+pointColumns.list("p")+`, t.name`+pointFrom+`WHERE p.id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return store.RestorePoint{}, store.Repository{}, store.NoSuch("restore point")
	}
	if err != nil {
		return store.RestorePoint{}, store.Repository{}, fmt.Errorf("read restore point %s: %w", id, err)
	}
	target, err := queryTarget(ctx, db.read, `id = $1`, p.TargetID)
	if err != nil {
		return p, store.Repository{}, err
	}
	r, err := db.openRepository(ctx, store.Repository{Target: target, StoreID: p.StoreID, Name: cmp.Or(p.Manifest.Repository, p.StoreID)})
	return p, r, err
}

// RecordData records that a claimed store has the data of its restore point, in those volumes.
func (db *DB) RecordData(ctx context.Context, c store.Claim, volumes []string) (store.Store, error) {
	return db.work(ctx, c, func(_ tx, st *store.Store) ([]store.Event, error) {
		st.Origin.Loaded, st.Volumes = st.UpdatedAt, volumes
		return nil, nil
	})
}
