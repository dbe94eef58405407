package provisioner

import (
	"context"
	"slices"

	"shopwright.dev/shopwright/provisioner/kube"
)

// StoreLabel is the label of a namespace that says which store it is for.
const StoreLabel = kube.LabelStoreID

// Strays returns the namespaces that bear the id of a store which the database does not have, as
// after it was restored from an older backup. Nothing manages them, and what is in them keeps
// running. It asks the cluster for nothing, and returns none while the cluster is away.
func (p *Provisioner) Strays(ctx context.Context) ([]kube.OwnedNamespace, error) {
	conn := p.cluster.connection()
	if conn == nil || !conn.watcher.Synced() {
		return nil, nil
	}
	owned := conn.watcher.Namespaces() // before the database is read, where a store is recorded first
	known, err := p.db.UnguardedStoresInCluster(ctx, p.cluster.record.ID)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(owned, func(ns kube.OwnedNamespace) bool { return ns.Leaving || slices.Contains(known, ns.StoreID) }), nil
}
