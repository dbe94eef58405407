package handlers

import (
	"context"

	"shopwright.dev/shopwright/handlers/live"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// tab is one of the tabs of a store's page.
type tab struct {
	name views.Tab
	// fill sets what the page shows in the tab.
	fill func(*App, context.Context, tabRequest, *views.StorePage) error
	// parts are what a stream keeps up to date in the tab; nil if nothing in it changes.
	parts func(*liveStore, context.Context, store.Store) ([]live.Part, error)
}

// tabRequest is a visitor's request for a tab of a store.
type tabRequest struct {
	who signin.Visitor
	st  store.Store
	log logQuery // of the logs tab
}

// tabs is the table that the page and its stream read. The bar of tabs, with their labels and addresses, is in views.
func tabs() []tab {
	return []tab{
		{views.TabOverview, (*App).fillOverview, (*liveStore).overviewParts},
		{views.TabPods, (*App).fillPods, (*liveStore).podsParts},
		{views.TabEvents, (*App).fillEvents, (*liveStore).eventsParts},
		{views.TabLogs, (*App).fillLogs, (*liveStore).logsParts},
		{views.TabReleases, (*App).fillReleases, (*liveStore).releasesParts},
		{views.TabBackups, (*App).fillBackups, (*liveStore).backupsParts},
		{views.TabSettings, (*App).fillSettings, nil},
	}
}

func findTab(name views.Tab) (tab, bool) {
	for _, t := range tabs() {
		if t.name == name {
			return t, true
		}
	}
	return tab{}, false
}

func (a *App) fillOverview(ctx context.Context, r tabRequest, page *views.StorePage) error {
	overview, err := a.overview(ctx, r.who, r.st)
	page.Overview = &overview
	return err
}

func (l *liveStore) overviewParts(ctx context.Context, st store.Store) ([]live.Part, error) {
	overview, err := l.overview(ctx, l.who, st)
	return []live.Part{{Target: "store-main", Component: views.OverviewTab(overview), Fleeting: true}}, err
}

func (a *App) fillPods(_ context.Context, r tabRequest, page *views.StorePage) error {
	pods := a.podsTab(r.st)
	page.Pods = &pods
	return nil
}

func (l *liveStore) podsParts(_ context.Context, st store.Store) ([]live.Part, error) {
	return []live.Part{{Target: "tab-pods", Component: views.PodsPane(l.podsTab(st)), Fleeting: true}}, nil
}

func (a *App) fillEvents(ctx context.Context, r tabRequest, page *views.StorePage) error {
	events, err := a.eventsTab(ctx, r.st)
	page.Events = &events
	return err
}

func (l *liveStore) eventsParts(ctx context.Context, _ store.Store) ([]live.Part, error) {
	events, err := l.events(ctx)
	return []live.Part{{Target: "tab-events", Component: views.EventsPane(events), Fleeting: true}}, err
}

func (a *App) fillLogs(ctx context.Context, r tabRequest, page *views.StorePage) error {
	logs := a.logsTab(ctx, r.st, r.log)
	page.Logs = &logs
	return nil
}

// logsParts returns the parts that change with the pods. The lines have a stream of their own.
func (l *liveStore) logsParts(_ context.Context, st store.Store) ([]live.Part, error) {
	return l.logParts(st, l.log), nil
}

func (a *App) fillReleases(ctx context.Context, r tabRequest, page *views.StorePage) error {
	releases, err := a.releasesTab(ctx, r.who, r.st)
	page.Releases = &releases
	return err
}

func (l *liveStore) releasesParts(ctx context.Context, st store.Store) ([]live.Part, error) {
	releases, err := l.releasesTab(ctx, l.who, st)
	return []live.Part{{Target: "tab-releases", Component: views.ReleasesPane(releases), Fleeting: true}}, err
}

func (a *App) fillSettings(ctx context.Context, r tabRequest, page *views.StorePage) error {
	settings, err := a.settingsTab(ctx, r.who, r.st)
	if err != nil {
		return err
	}
	origin, err := a.originFacts(ctx, r.who, r.st)
	settings.Facts = append(settings.Facts, origin...)
	page.Settings = &settings
	return err
}
