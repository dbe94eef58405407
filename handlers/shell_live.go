package handlers

import (
	"context"

	"shopwright.dev/shopwright/handlers/live"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// clusterParts returns the parts about the cluster that every page shows.
func clusterParts(state provisioner.ClusterState) []live.Part {
	c := clusterView(state)
	return []live.Part{
		{Target: "cluster-pill", Component: views.ClusterPill(c), Fleeting: true},
		{Target: "cluster-notice", Component: views.ClusterNotice(c), Fleeting: true},
	}
}

// onlyConnection is embedded by pages that show only the connection to the cluster, and nothing in it.
type onlyConnection struct{ cluster *provisioner.Provisioner }

func (o onlyConnection) Connection() (changed <-chan struct{}, cancel func()) {
	return o.cluster.SubscribeCluster()
}

func (onlyConnection) Cluster() (changed <-chan struct{}, cancel func()) { return nil, func() {} }

// liveFrame is the frame of a page, for pages in which nothing else is live.
type liveFrame struct {
	*App
	onlyConnection
	who signin.Visitor
}

func (l *liveFrame) Concerns(e store.Event) live.Change {
	counts := e.Kind == store.StoreCreated || e.Kind == store.StoreDeleted
	return live.Change{All: counts && l.who.Actor.Sees(e)}
}

func (l *liveFrame) Parts(ctx context.Context, _ live.Change) ([]live.Part, error) {
	all, err := l.DB.CountStores(ctx, l.who.Actor)
	return append(clusterParts(l.cluster.Cluster()), live.Part{Target: "stores-count", Component: views.SidebarCount(all)}), err
}
