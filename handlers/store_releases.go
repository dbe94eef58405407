package handlers

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/shop"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/views"
)

// releasesTab returns the history of a store's release, and the available upgrade.
func (a *App) releasesTab(ctx context.Context, who signin.Visitor, st store.Store) (views.ReleasesTab, error) {
	revisions, err := a.DB.Revisions(ctx, who.Actor, st.ID)
	if err != nil {
		return views.ReleasesTab{}, err
	}
	tab := views.ReleasesTab{StoreID: st.ID, Offer: a.offerView(who, st, revisions)}
	for _, r := range revisions {
		row := a.revisionRow(who, st, r)
		row.Holes = strings.Join(ids(a.shops.Advisories(st, r.Version)), ", ")
		tab.Rows = append(tab.Rows, row)
	}
	return tab, nil
}

func (a *App) offerView(who signin.Visitor, st store.Store, revisions []store.Revision) views.Offer {
	offer, err := a.clusters.Of(st).Offer(st)
	if refused, ok := errors.AsType[*store.Error](err); ok {
		return views.Offer{Title: "No upgrade available", Text: refused.Message}
	}
	if err != nil {
		return views.Offer{Title: "No upgrade available", Text: "The chart can’t be read."}
	}
	shown := views.Offer{Can: st.CanChange() && who.Actor.May(store.UpgradeStores, st.TeamID)}
	current, known := shop.Current(st, revisions)
	shown.Newer = shop.IsNewer(st, offer, revisions)
	if known {
		for _, hole := range a.shops.Advisories(st, current.Version) {
			shown.Holes = append(shown.Holes, views.Hole{ID: hole.ID, Published: hole.Published, Text: hole.Text})
		}
		if newest := newestProgram(revisions); isOlder(current.Version, newest) {
			shown.Unsupported = a.unsupported(st, current.Version, newest) + "."
		}
	}
	switch {
	case st.Status == store.Upgrading:
		shown.Title, shown.Text = phrase.Change(st.Job.Change), "A change is in progress. Its result appears below."
	case st.Sold == 0:
		shown.Title, shown.Text = "Chart "+offer.ChartVersion, "The store can be upgraded or rolled back after it has been ready once."
	case shown.Newer && len(shown.Holes) > len(a.shops.Advisories(st, offer.Version)):
		shown.Title, shown.Text = "Security update: version "+offer.Version, "This store runs "+current.Version+", which has a known vulnerability."
	case shown.Newer && offer.ChartVersion != st.ChartVersion:
		shown.Title, shown.Text = "Chart "+offer.ChartVersion+" is available", "This store runs "+st.ChartVersion+"."
	case shown.Newer:
		shown.Title, shown.Text = "New settings for this store", "Chart "+offer.ChartVersion+" stays; its values or images are new."
	default:
		shown.Title, shown.Text = "Up to date", "Chart "+offer.ChartVersion+" is the version this installation offers."
	}
	return shown
}

// newestProgram returns the newest version of the shop's program that has run on the present database,
// however briefly.
func newestProgram(revisions []store.Revision) (newest string) {
	for _, r := range revisions {
		if r.State != store.RevisionGone && (newest == "" || isOlder(newest, r.Version)) {
			newest = r.Version
		}
	}
	return newest
}

// isOlder compares versions. It is false if one of them is not a version.
func isOlder(version, than string) bool {
	a, errA := semver.NewVersion(version)
	b, errB := semver.NewVersion(than)
	return errA == nil && errB == nil && a.LessThan(b)
}

// unsupported warns that a store runs an older version than its database was migrated for.
func (a *App) unsupported(st store.Store, runs, migrated string) string {
	label := st.Engine
	if e, known := a.Engines.Find(st.Engine); known {
		label = e.Label()
	}
	return "The database was migrated for version " + migrated + ", and " + label + " doesn’t support version " + runs + " on it. The shop works, but upgrade it again soon"
}

func ids(advisories []engine.Advisory) (ids []string) {
	for _, a := range advisories {
		ids = append(ids, a.ID)
	}
	return ids
}

func (a *App) revisionRow(who signin.Visitor, st store.Store, r store.Revision) views.RevisionRow {
	row := views.RevisionRow{
		Number: r.Number, What: word(phrase.Change(r.Change)), Why: plain(phrase.Failure(r.Failure).Title), Chart: r.ChartVersion, Version: r.Version, Who: word(r.Actor), At: r.BeganAt,
		Known: r.Kept && st.Desired == store.Present,
	}
	row.CanBack = r.CanRollback(st.Revision) && st.CanChange() && who.Actor.May(store.UpgradeStores, st.TeamID)
	row.State, row.Tone = revisionState(r.State)
	if r.State == store.RevisionDeployed {
		row.State, row.Tone = verifiedState(r.Number == st.Revision, a.simulated(st))
	}
	row.Who = cmp.Or(row.Who, store.Platform)
	if !r.EndedAt.IsZero() {
		row.Took = views.Took(r.EndedAt.Sub(r.BeganAt))
	}
	return row
}

func revisionState(s store.RevisionState) (label string, tone views.Tone) {
	switch s {
	case store.RevisionPending:
		return "In progress", views.TonePlain
	case store.RevisionSuperseded:
		return "Replaced", views.TonePlain
	case store.RevisionFailed:
		return "Failed", views.ToneBad
	default:
		return "Deleted", views.TonePlain
	}
}

// verifiedState describes the revision that passed its order check last. It is not the current one while
// a change of the store is in progress or has failed.
func verifiedState(current, simulated bool) (label string, tone views.Tone) {
	switch {
	case simulated:
		return "Simulated", views.TonePlain
	case current:
		return "Verified", views.ToneOK
	default:
		return "Previously verified", views.TonePlain
	}
}

// simulated reports whether the store's order check placed no order because the nodes run no containers. A check
// that did not end reports nothing: the record of the cluster decides then.
func (a *App) simulated(st store.Store) bool {
	last := st.Health.Last
	return last.Simulated || !last.OK && a.clusters.Of(st).Cluster().Simulated
}

func (a *App) showReleases(c echo.Context) error { return a.showStore(c, views.TabReleases) }
