package handlers

import (
	"context"
	"fmt"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// liveList is the list of stores, with the search and filters of its page.
type liveList struct {
	*App
	who   visitor
	query listQuery
	shape string // which rows there are, and what stands around them
}

func (l *liveList) concerns(e store.Event) bool { return e.StoreID != "" }

func (l *liveList) cluster() (changed <-chan struct{}, cancel func()) { return nil, func() {} }

// parts replaces single rows while the page has the same ones, and all of them otherwise.
func (l *liveList) parts(ctx context.Context) ([]part, error) {
	list, err := l.storeList(ctx, l.who, l.query)
	if err != nil {
		return nil, err
	}
	all, err := l.DB.CountStores(ctx, l.who.Actor)
	if err != nil {
		return nil, err
	}
	parts := append(clusterParts(l.Provisioner.Cluster()),
		part{target: "stores-count", component: views.SidebarCount(all)},
		part{target: "status-tabs", component: views.StatusTabs(list)})
	same := l.sameShape(list)
	for _, row := range list.Rows {
		parts = append(parts, part{target: "store-" + row.ID, component: views.Row(row), contained: !same})
	}
	return append(parts, part{target: "store-rows", component: views.StoreRows(list), contained: same}), nil
}

func (l *liveList) sameShape(list views.StoreList) bool {
	shape := fmt.Sprint(list.From, list.To, list.Total, list.Empty, list.AsOf.IsZero())
	for _, row := range list.Rows {
		shape += " " + row.ID
	}
	same := l.shape == shape
	l.shape = shape
	return same
}

// liveStore is one tab of a store's page.
type liveStore struct {
	*App
	who    visitor
	st     store.Store
	tab    views.Tab
	follow *provisioner.Following // of the events tab
}

func (l *liveStore) concerns(e store.Event) bool { return e.StoreID == l.st.ID }

// cluster follows the pods, or the events where those are shown.
func (l *liveStore) cluster() (changed <-chan struct{}, cancel func()) {
	if l.tab != views.TabEvents {
		return l.Provisioner.SubscribeStore(l.st)
	}
	following, err := l.Provisioner.FollowEvents(l.st)
	if err != nil { // the cluster cannot be reached: asked again when it can
		return nil, func() {}
	}
	l.follow = following
	return following.Changed, func() { l.follow = nil; following.Close() }
}

func (l *liveStore) parts(ctx context.Context) ([]part, error) {
	parts := clusterParts(l.Provisioner.Cluster())
	st, err := l.DB.FindStore(ctx, l.who.Actor, l.st.ID)
	if store.ErrorCode(err) == store.NotFound {
		return append(parts, part{target: "store-page", component: views.Gone(l.st.Name)}), nil
	}
	if err != nil {
		return nil, err
	}
	parts = append(parts,
		part{target: "store-head", component: views.Head(l.head(l.who, st))},
		part{target: "store-tabs", component: views.TabBar(l.tabs(st, l.tab))})
	switch l.tab {
	case views.TabPods:
		parts = append(parts, part{target: "tab-pods", component: views.PodsPane(l.podsTab(st))})
	case views.TabEvents:
		events, err := l.events(ctx)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{target: "tab-events", component: views.EventsPane(events)})
	case views.TabOverview:
		overview, err := l.overview(ctx, l.who, st)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{target: "store-main", component: views.OverviewTab(overview)})
	case views.TabSettings:
	}
	return parts, nil
}

func (l *liveStore) events(ctx context.Context) (views.EventsTab, error) {
	if l.follow != nil {
		return eventsView(l.follow.Events()), nil
	}
	return l.eventsTab(ctx, l.st)
}
