package provisioner

import (
	"context"
	"slices"

	"shopwright.dev/shopwright/provisioner/kube"
)

// StoreLabel is the label of a namespace with the id of its store.
const StoreLabel = kube.LabelStoreID

// Strays returns the namespaces of stores that the database does not have, for example because it was
// restored from an older backup. Nothing manages them, and what is in them keeps running. It sends no
// request to the cluster, and returns none while the cluster is unreachable.
func (p *Provisioner) Strays(ctx context.Context) ([]kube.OwnedNamespace, error) {
	conn := p.cluster.connection()
	if conn == nil || !conn.watcher.Synced() {
		return nil, nil
	}
	owned := conn.watcher.Namespaces() // before the database is read: it has a store before the cluster does
	known, err := p.db.UnguardedStoresInCluster(ctx, p.cluster.record.ID)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(owned, func(ns kube.OwnedNamespace) bool { return ns.Leaving || slices.Contains(known, ns.StoreID) }), nil
}
