package provisioner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
)

// comesBack is how long what has gone is given to come back by itself, as when somebody
// replaces it.
const comesBack = 2 * time.Second

// keep notices when something is missing in the cluster of a store that is ready, and sets
// it going again. It asks the API server for nothing: the watches know.
func (p *Provisioner) keep(ctx context.Context) {
	conn, err := p.cluster.wait(ctx)
	if err != nil {
		return
	}
	seen, cancel := conn.watcher.SubscribeLosses()
	defer cancel()
	p.inspectAll(ctx, conn)
	for {
		select {
		case <-ctx.Done():
			return
		case <-seen:
		}
		if sleep(ctx, comesBack) != nil {
			return
		}
		for id, loss := range conn.watcher.Losses() {
			p.inspect(ctx, conn, id, loss)
		}
	}
}

// inspectAll looks for what has gone while nobody watched.
func (p *Provisioner) inspectAll(ctx context.Context, conn *connection) {
	places, err := p.db.Places(ctx, p.cluster.record.ID)
	if err != nil {
		p.log.Error("stores that are ready are not inspected", "error", err)
		return
	}
	for _, place := range places {
		if place.Ready && missing(conn.watcher.Snapshot(place.Namespace), kube.Loss{}) != "" {
			p.inspect(ctx, conn, place.StoreID, kube.Loss{})
		}
	}
}

func (p *Provisioner) inspect(ctx context.Context, conn *connection, id string, loss kube.Loss) {
	st, err := p.db.Store(ctx, id)
	if err != nil || !st.CanRepair() { // not of these records, being removed, or at work
		return
	}
	what := missing(conn.watcher.Snapshot(st.Namespace), loss)
	if what == "" {
		return
	}
	p.log.Warn("something is missing", "store", st.ID, "slug", st.Slug, "missing", what)
	if err := p.db.RepairMissing(ctx, id, what); err != nil {
		p.log.Error("a store is not put back", "store", id, "error", err)
	}
}

// missing says what a store that is ready lacks, or nothing.
func missing(s kube.Snapshot, loss kube.Loss) string {
	switch {
	case s.Namespace.Phase == kube.Missing:
		return "The namespace has gone."
	case s.Namespace.Phase == kube.Terminating:
		return "The namespace is being removed."
	case len(s.Workloads) == 0:
		return "The release has gone."
	}
	for _, name := range loss.Workloads {
		if !slices.ContainsFunc(s.Workloads, func(w kube.Workload) bool { return w.Name == name }) {
			return fmt.Sprintf("The workload %s has gone.", name)
		}
	}
	return ""
}
