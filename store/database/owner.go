package database

import (
	"context"
	"errors"
	"fmt"

	"shopwright.dev/shopwright/store"
)

// OwnerEmail returns the default owner's address of a new store: a verified address of the actor, or
// nothing if there is none or a shop would not accept it.
func (db *DB) OwnerEmail(ctx context.Context, actor store.Actor) (string, error) {
	return ownerEmail(ctx, db.read, actor.UserID)
}

// ownerEmail prefers the address under which the user is known. It is empty if none can be used.
func ownerEmail(ctx context.Context, q querier, userID string) (string, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT i.email FROM identities i JOIN users u ON u.id = i.user_id
		WHERE i.user_id = $1 AND i.verified
		ORDER BY CASE WHEN LOWER(u.email) = i.email THEN 0 ELSE 1 END, i.created_at, i.email`, userID)
	verified, err := collect(rows, err, func(row scanner) (address string, err error) { return address, row.Scan(&address) })
	if err != nil {
		return "", fmt.Errorf("find an address of user %s: %w", userID, err)
	}
	for _, address := range verified {
		if clean, err := store.CleanOwnerEmail(address); err == nil { // an address in another alphabet can't be used
			return clean, nil
		}
	}
	return "", nil
}

// ChangeOwner changes the owner of a store. If the shop stores the address, the release in place is
// applied again with it, and the change is undone if that fails.
func (db *DB) ChangeOwner(ctx context.Context, actor store.Actor, id string, r store.OwnerRequest) (store.Store, error) {
	if !r.InShop {
		return db.noteOwner(ctx, actor, id, r)
	}
	return db.change(ctx, actor, id, store.UpgradeStores, func(_ tx, st *store.Store) (store.Event, error) {
		before := st.OwnerEmail
		if err := st.SetOwner(r); err != nil {
			return store.Event{}, err
		}
		asked := st.Begin(store.Change{
			Kind: store.OwnerChange, To: st.Sold, From: st.Sold, OwnerBefore: before,
		}, actor, store.OwnerAsked)
		asked.Data.Before, asked.Data.After = before, st.OwnerEmail
		return asked, nil
	})
}

// noteOwner changes only the database: the engine does not store the address in the shop.
func (db *DB) noteOwner(ctx context.Context, actor store.Actor, id string, r store.OwnerRequest) (store.Store, error) {
	if _, err := db.FindStoreTo(ctx, actor, store.UpgradeStores, id); err != nil {
		return store.Store{}, err
	}
	var st store.Store
	err := db.update(ctx, func(t tx) (err error) {
		if st, err = t.lockStore(ctx, id); err != nil {
			return err
		}
		before := st.OwnerEmail
		if err := st.SetOwner(r); err != nil {
			return err
		}
		if err := t.saveStore(ctx, st); err != nil {
			return err
		}
		changed := store.EventOf(st, actor, store.OwnerChanged)
		changed.JobID, changed.Data.Before, changed.Data.After = "", before, st.OwnerEmail
		return t.append(ctx, changed)
	})
	if errors.Is(err, store.ErrUnchanged) {
		err = nil
	}
	return st, err
}
