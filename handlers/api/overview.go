package api

import (
	"context"
	"net/http"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/handlers/paging"
	"shopwright.dev/shopwright/store"
)

func (a *API) registerOverview() {
	register(a, operation{
		id: "show-backups", method: http.MethodGet, path: "/backups/overview", tag: tagInstallation, scope: store.Administer, summary: "Show how all stores are backed up",
		description: "What each backup target holds and whether backups to it fail, and the stores of all teams, those that need attention first.",
	}, a.showBackups)
}

// OverviewInput selects stores of the overview.
type OverviewInput struct {
	Search string `query:"q" maxLength:"100" doc:"Part of a store’s name or address, or of its team’s name."`
	Show   string `query:"show" enum:"attention,failing" doc:"Only stores that need attention, or whose last backup or drill failed."`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type overviewOutput struct {
	Body v1.BackupOverview
}

func (a *API) showBackups(ctx context.Context, in *OverviewInput) (*overviewOutput, error) {
	o, err := a.DB.BackupOverview(ctx, actorOf(ctx), store.OverviewQuery{
		Page: store.Page{Search: paging.Search(in.Search), Limit: in.Limit}, Filter: store.BackupFilter(in.Show),
	})
	if err != nil {
		return nil, err
	}
	body := v1.BackupOverview{Targets: []v1.TargetUse{}, Stores: []v1.BackedUpStore{}, Total: o.Total, Counts: v1.BackupCounts{
		All: o.Counts[store.AnyBackups], Attention: o.Counts[store.BackupsAttention], Failing: o.Counts[store.BackupsFailing],
	}}
	for _, u := range o.Targets {
		body.Targets = append(body.Targets, targetUseOf(u))
	}
	for _, s := range o.Stores {
		body.Stores = append(body.Stores, backedUpStoreOf(s))
	}
	return &overviewOutput{Body: body}, nil
}

func targetUseOf(u store.TargetUse) v1.TargetUse {
	return v1.TargetUse{
		Target: u.Target.ID, Name: word(u.Target.Name), InUse: u.Target.InUse, Points: u.Points, Stores: u.Stores, Added: u.Added, NewestPointAt: at(u.Newest),
		FailedBackups: u.Failed, FailedStores: u.FailedStores, FailingSince: at(u.FailedSince), Failure: explain(u.Failure),
	}
}

func backedUpStoreOf(s store.BackedUpStore) v1.BackedUpStore {
	shown := v1.BackedUpStore{
		Store: s.StoreID, Name: word(s.Name), Team: s.TeamID, Points: s.Points, Added: s.Added, NewestPointAt: at(s.Newest), Late: s.Late,
		NextBackupAt: at(s.Next), LastDrillAt: at(s.Drill.EndedAt), DrillOverdue: s.DrillOverdue,
	}
	if s.Job.State == store.JobFailed {
		shown.Failure = explain(s.Job.Failure)
	}
	if s.Drill.ID != "" {
		shown.LastDrill = v1.DrillStateOf(s.Drill)
	}
	return shown
}
