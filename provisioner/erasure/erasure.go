// Package erasure deletes the restore points of stores that were deleted long ago from where they were written to.
// It knows the database and the buckets, and nothing of clusters.
package erasure

import (
	"context"
	"log/slog"
	"time"

	"shopwright.dev/shopwright/provisioner/bucket"
	"shopwright.dev/shopwright/store/database"
)

// every is the pause between two looks.
const every = time.Hour

// Eraser erases what is due.
type Eraser struct {
	DB    *database.DB
	After time.Duration // since the store was deleted; zero for never
	Log   *slog.Logger
}

// Run erases until the context ends. Several processes may do so beside each other.
func (e Eraser) Run(ctx context.Context) {
	for e.After > 0 && ctx.Err() == nil {
		e.Erase(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(every):
		}
	}
}

// Erase erases what is due now. What fails is tried again the next time.
func (e Eraser) Erase(ctx context.Context) {
	due, err := e.DB.UnguardedBeginErasures(ctx, e.After)
	if err != nil && ctx.Err() == nil {
		e.Log.Error("read which restore points are to be erased", "error", err)
	}
	for _, one := range due {
		objects, err := bucket.Erase(ctx, one.Target, one.StoreID)
		if err == nil {
			err = e.DB.UnguardedErased(ctx, one)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			e.Log.Warn("the restore points of a deleted store can’t be erased for now", "store", one.StoreID, "target", one.Target.Name, "objects", objects, "error", err)
		default:
			e.Log.Info("the restore points of a deleted store are erased", "store", one.StoreID, "target", one.Target.Name, "objects", objects)
		}
	}
}
