package handlers

import (
	"context"

	"shopwright.dev/shopwright/handlers/live"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// liveStore is one tab of a store's page.
type liveStore struct {
	*App
	who    signin.Visitor
	st     store.Store
	tab    tab
	log    logQuery               // of the logs tab
	follow *provisioner.Following // of the events tab
}

func (l *liveStore) Concerns(e store.Event) live.Change {
	return live.Change{All: e.StoreID == l.st.ID}
}

// Connection subscribes to the connection of the store's cluster.
func (l *liveStore) Connection() (changed <-chan struct{}, cancel func()) {
	return l.clusters.Of(l.st).SubscribeCluster()
}

// Cluster subscribes to the pods, or in the events tab to the events.
func (l *liveStore) Cluster() (changed <-chan struct{}, cancel func()) {
	if l.tab.name != views.TabEvents {
		return l.clusters.Of(l.st).SubscribeStore(l.st)
	}
	following, err := l.clusters.Of(l.st).FollowEvents(l.st)
	if err != nil { // unreachable: called again when the connection changes
		return nil, func() {}
	}
	l.follow = following
	return following.Changed, func() { l.follow = nil; following.Close() }
}

func (l *liveStore) Parts(ctx context.Context, _ live.Change) ([]live.Part, error) {
	parts := clusterParts(l.clusters.Of(l.st).Cluster())
	st, err := l.DB.FindStore(ctx, l.who.Actor, l.st.ID)
	if store.ErrorCode(err) == store.NotFound {
		points, err := l.pointsLeft(ctx, l.who, l.st.ID)
		return append(parts, live.Part{Target: "store-page", Component: views.Gone(l.st.Name, points)}), err
	}
	if err != nil {
		return nil, err
	}
	parts = append(parts,
		live.Part{Target: "store-head", Component: views.Head(l.head(l.who, st))},
		live.Part{Target: "store-tabs", Component: views.TabBar(l.tabBar(st, l.tab.name)), Fleeting: true})
	if l.tab.parts == nil {
		return parts, nil
	}
	ofTab, err := l.tab.parts(l, ctx, st)
	return append(parts, ofTab...), err
}

func (l *liveStore) events(ctx context.Context) (views.EventsTab, error) {
	if l.follow != nil {
		return eventsView(l.follow.Events()), nil
	}
	return l.eventsTab(ctx, l.st)
}
