package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"shopwright.dev/shopwright/handlers/live"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// liveList is the list of stores, with the search and filters of its page.
type liveList struct {
	*App
	onlyConnection
	who   signin.Visitor
	query listQuery
	list  views.StoreList // as last read
	teams map[string]string
	all   int
}

// Concerns separates steps, which change a single row, from other events on stores, which can change the
// set of rows.
func (l *liveList) Concerns(e store.Event) live.Change {
	if !l.who.Actor.Sees(e) || e.StoreID == "" && e.Kind != store.TeamRenamed {
		return live.Change{}
	}
	switch e.Kind {
	case store.CredentialsShown:
		return live.Change{}
	case store.StepStarted, store.StepProgressed, store.StepFinished:
		return live.Change{Stores: map[string]struct{}{e.StoreID: {}}}
	}
	return live.Change{All: true}
}

// Parts returns single rows as long as the page has the same ones, and otherwise all of them.
func (l *liveList) Parts(ctx context.Context, c live.Change) ([]live.Part, error) {
	if !c.All {
		same, err := l.readRows(ctx, c)
		if err != nil {
			return nil, err
		}
		c.All = !same
	}
	if c.All {
		if err := l.read(ctx); err != nil {
			return nil, err
		}
	}
	parts := append(clusterParts(l.Provisioner.Cluster()),
		live.Part{Target: "stores-count", Component: views.SidebarCount(l.all), Settled: !c.All},
		live.Part{Target: "status-tabs", Component: views.StatusTabs(l.list), Settled: !c.All},
		live.Part{Target: "store-rows", Component: views.StoreRows(l.list), Shape: shape(l.list), Settled: !c.All})
	for _, row := range l.list.Rows {
		_, touched := c.Stores[row.ID]
		parts = append(parts, live.Part{Target: "store-" + row.ID, Component: views.Row(row), Within: "store-rows", Settled: !c.All && !touched})
	}
	return parts, nil
}

func (l *liveList) read(ctx context.Context) (err error) {
	if l.list, err = l.storeList(ctx, l.who, l.query); err != nil {
		return err
	}
	if l.teams, err = l.teamsShown(ctx, l.who); err != nil {
		return err
	}
	l.all, err = l.DB.CountStores(ctx, l.who.Actor)
	return err
}

// readRows reads the changed rows of the page. It reports false if one of them no longer exists.
func (l *liveList) readRows(ctx context.Context, c live.Change) (bool, error) {
	l.list.Rows = slices.Clone(l.list.Rows) // the previous edition still refers to the old slice
	for i, row := range l.list.Rows {
		if _, touched := c.Stores[row.ID]; !touched {
			continue
		}
		st, err := l.DB.FindStore(ctx, l.who.Actor, row.ID)
		if store.ErrorCode(err) == store.NotFound {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		l.list.Rows[i] = l.row(l.who, st, l.teams)
	}
	return true, nil
}

// shape identifies the set of rows and the paging around them; the whole list is redrawn only when it changes.
func shape(list views.StoreList) string {
	var text strings.Builder
	fmt.Fprint(&text, list.From, list.To, list.Total, list.Empty, list.AsOf, list.Previous, list.Next)
	for _, row := range list.Rows {
		text.WriteString(" " + row.ID)
	}
	return text.String()
}
