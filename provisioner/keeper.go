package provisioner

import (
	"context"
	"slices"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// comesBack is the grace period for a lost object to come back by itself, as when somebody replaces it.
const comesBack = 2 * time.Second

// keepAgain is the pause after a failed read or write of the database.
const keepAgain = 10 * time.Second

// keeper holds the losses that are not handled yet.
type keeper struct {
	*Provisioner
	conn   *connection
	unread bool                 // the stores were not compared with the watches yet
	left   map[string]kube.Loss // losses that are not handled yet, by store id
	told   bool                 // it was logged that losses are left
}

// keep detects missing objects of ready stores and has the stores repaired. It sends no request to the
// API server: it reads the informers' caches.
func (p *Provisioner) keep(ctx context.Context) {
	conn, err := p.cluster.wait(ctx)
	if err != nil {
		return
	}
	k := &keeper{Provisioner: p, conn: conn, unread: true, left: map[string]kube.Loss{}}
	seen, cancel := conn.watcher.SubscribeLosses()
	defer cancel()
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		case <-seen:
			if sleep(ctx, comesBack) != nil {
				return
			}
		}
		if k.look(ctx); k.unread || len(k.left) > 0 {
			again.Reset(keepAgain)
		}
	}
}

// look handles the losses. Those that fail with a database error stay for the next call.
func (k *keeper) look(ctx context.Context) {
	for id, gone := range k.conn.watcher.Losses() {
		k.add(id, gone)
	}
	if k.unread {
		if err := k.readAll(ctx); err != nil {
			k.tell(ctx, err)
			return
		}
	}
	for id, gone := range k.left {
		err := k.inspect(ctx, id, gone)
		if err == nil {
			delete(k.left, id)
			continue
		}
		k.tell(ctx, err)
		if store.ErrorCode(err) == store.Unavailable { // the others would fail as well
			return
		}
	}
	k.told = len(k.left) > 0
}

func (k *keeper) add(id string, gone kube.Loss) {
	known := k.left[id]
	known.Namespace = known.Namespace || gone.Namespace
	known.Workloads = append(known.Workloads, gone.Workloads...)
	k.left[id] = known
}

// tell logs an error, but only the first one while losses are left.
func (k *keeper) tell(ctx context.Context, err error) {
	if ctx.Err() == nil && !k.told {
		k.log.Error("missing objects are not restored yet", "stores", len(k.left), "error", err)
		k.told = true
	}
}

// readAll finds objects that were deleted while no watch ran.
func (k *keeper) readAll(ctx context.Context) error {
	places, err := k.db.UnguardedPlaces(ctx, k.cluster.record.ID)
	if err != nil {
		return err
	}
	k.unread = false
	for _, place := range places {
		if place.Ready && missing(k.conn.watcher.Snapshot(place.Namespace), place, kube.Loss{}).Code != "" {
			k.add(place.StoreID, kube.Loss{})
		}
	}
	return nil
}

// inspect starts the repair of a store that lacks something. An error means that the database could not
// be read or written.
func (k *keeper) inspect(ctx context.Context, id string, gone kube.Loss) error {
	st, err := k.db.UnguardedStore(ctx, id)
	if store.ErrorCode(err) == store.NotFound { // not in this database: see Strays
		return nil
	}
	if err != nil || !st.CanRepair() { // it is being removed or changed
		return err
	}
	what := missing(k.conn.watcher.Snapshot(st.Namespace), store.Place{StoreID: st.ID, Volumes: st.Volumes}, gone)
	if what.Code == "" {
		return nil
	}
	if err := k.db.UnguardedRepairMissing(ctx, id, what); err != nil {
		return err
	}
	k.log.Warn("objects are missing", "store", st.ID, "slug", st.Slug, "missing", phrase.Note(what))
	return nil
}

// missing returns a note of what a ready store at the place lacks. The code is empty if nothing is missing.
func missing(s kube.Snapshot, place store.Place, loss kube.Loss) store.Note {
	switch {
	case s.Namespace.Phase == kube.Missing && len(s.Workloads) > 0:
		return store.Note{Code: store.NamespaceUnmarked}
	case s.Namespace.Phase == kube.Missing:
		return store.Note{Code: store.NamespaceMissing}
	case s.Namespace.Phase == kube.Terminating:
		return store.Note{Code: store.NamespaceDeleted}
	case s.Namespace.StoreID != place.StoreID:
		return store.Note{Code: store.NamespaceOfAnother}
	case len(s.Workloads) == 0:
		return store.Note{Code: store.ReleaseMissing}
	}
	for _, name := range loss.Workloads {
		if !slices.ContainsFunc(s.Workloads, func(w kube.Workload) bool { return w.Name == name }) {
			return store.Note{Code: store.WorkloadMissing, Facts: store.Facts{Name: name}}
		}
	}
	if gone := lost(place.Volumes, s); len(gone) > 0 {
		return store.Note{Code: store.DisksMissing, Facts: store.Facts{Names: gone}}
	}
	return store.Note{}
}
