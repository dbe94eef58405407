package handlers

import (
	"context"

	"shopwright.dev/shopwright/handlers/live"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// clusterParts are those that every page shows of the cluster.
func clusterParts(state provisioner.ClusterState) []live.Part {
	c := clusterView(state)
	return []live.Part{
		{Target: "cluster-pill", Component: views.ClusterPill(c), Fleeting: true},
		{Target: "cluster-notice", Component: views.ClusterNotice(c), Fleeting: true},
	}
}

// onlyConnection is for a page that shows nothing of the cluster but the connection.
type onlyConnection struct{ cluster *provisioner.Provisioner }

func (o onlyConnection) Connection() (changed <-chan struct{}, cancel func()) {
	return o.cluster.SubscribeCluster()
}

func (onlyConnection) Cluster() (changed <-chan struct{}, cancel func()) { return nil, func() {} }

// liveFrame is what surrounds every page, for those of which nothing else lives.
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
