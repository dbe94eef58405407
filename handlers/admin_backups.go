package handlers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/live"
	"shopwright.dev/shopwright/handlers/paging"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/views"
)

const backupsPath = "/admin/backups"

// backupsQuery is the page, search and filter in the URL of the overview of backups.
type backupsQuery struct {
	paging.Query
	Filter store.BackupFilter
}

func parseBackupsQuery(values url.Values) backupsQuery {
	filter := store.BackupFilter(values.Get("show"))
	if !slices.Contains(store.BackupFilters(), filter) {
		filter = store.AnyBackups
	}
	return backupsQuery{Query: paging.Parse(values.Get), Filter: filter}
}

// values returns the query in the form that URLs have, without defaults.
func (q backupsQuery) values() url.Values {
	v := url.Values{}
	if q.Filter != store.AnyBackups {
		v.Set("show", string(q.Filter))
	}
	q.AddTo(v)
	return v
}

func (q backupsQuery) address(page int) string {
	q.Page = page
	if encoded := q.values().Encode(); encoded != "" {
		return backupsPath + "?" + encoded
	}
	return backupsPath
}

func (a *App) showAllBackups(c echo.Context) error {
	who, query := signin.VisitorOf(c), parseBackupsQuery(c.QueryParams())
	backups, err := a.allBackups(c.Request().Context(), who, query)
	if err != nil {
		return err
	}
	shell, err := a.adminShell(c, "Backups", nil)
	if err != nil {
		return err
	}
	values := query.values()
	values.Set("view", "backups")
	shell.Stream = streamAddress(values, who.Since)
	return reply.Render(c, http.StatusOK, views.AdminBackupsView(views.AdminBackupsPage{Shell: shell, Backups: backups}))
}

// allBackups reads one page of the overview, or the last one if there are fewer.
func (a *App) allBackups(ctx context.Context, who signin.Visitor, q backupsQuery) (b views.AdminBackups, err error) {
	var o store.BackupOverview
	_, _, at, err := paging.Read(q.Query, func(p store.Page) (_ []store.BackedUpStore, _ int, err error) {
		o, err = a.DB.BackupOverview(ctx, who.Actor, store.OverviewQuery{Page: p, Filter: q.Filter})
		return o.Stores, o.Total, err
	})
	if err != nil {
		return b, err
	}
	q.Query = at
	b = views.AdminBackups{Day: o.Day, Filter: string(q.Filter), Filters: backupFilters(o, q), Empty: len(o.Targets) == 0}
	inUse := addTargets(&b, o.Targets)
	for _, s := range o.Next {
		b.Next = append(b.Next, views.NextBackup{Store: word(s.Name), At: s.Next})
	}
	for _, s := range o.Stores {
		b.Rows = append(b.Rows, backedUpRow(who, s, inUse))
	}
	place := q.Place(len(b.Rows), o.Total)
	b.List = views.AdminList{Search: q.Search, Page: q.Page, From: place.From, To: place.To, Total: o.Total}
	if place.Previous > 0 {
		b.List.Previous = q.address(place.Previous)
	}
	if place.Next > 0 {
		b.List.Next = q.address(place.Next)
	}
	return b, nil
}

func backupFilters(o store.BackupOverview, q backupsQuery) []views.StatusCount {
	var all []views.StatusCount
	for _, f := range store.BackupFilters() {
		other := q
		other.Filter = f
		all = append(all, views.StatusCount{Label: filterName(f), Count: o.Counts[f], URL: other.address(1), Current: f == q.Filter})
	}
	return all
}

func filterName(f store.BackupFilter) string {
	switch f {
	case store.BackupsAttention:
		return "Needs attention"
	case store.BackupsFailing:
		return "Failing"
	default:
		return "All"
	}
}

// addTargets adds what the targets hold. It reports whether one of them is in use.
func addTargets(b *views.AdminBackups, targets []store.TargetUse) (inUse bool) {
	for _, u := range targets {
		name := word(u.Target.Name)
		b.Targets = append(b.Targets, views.AdminTargetUse{
			Name: name, InUse: u.Target.InUse, Added: phrase.Bytes(u.Added), Points: u.Points, Stores: u.Stores, Newest: u.Newest,
		})
		inUse = inUse || u.Target.InUse
		if u.Failed > 0 {
			b.Failing = &views.TargetFailing{Target: name, Backups: u.Failed, Stores: u.FailedStores, Since: u.FailedSince, Cause: plain(phrase.Failure(u.Failure).Cause)}
		}
	}
	b.Unused = len(targets) > 0 && !inUse
	return inUse
}

// backedUpRow is a store in the list. An administrator of the installation need not see the stores of all teams.
func backedUpRow(who signin.Visitor, s store.BackedUpStore, inUse bool) views.AdminBackupRow {
	row := views.AdminBackupRow{
		Name: word(s.Name), Team: word(s.Team), Points: s.Points, Added: phrase.Bytes(s.Added),
		Newest: newestCell(s), Last: lastBackupCell(s), Next: nextBackupCell(s, inUse), Drill: drillCell(s),
	}
	if who.Actor.May(store.ViewStores, s.TeamID) {
		row.Address = "/stores/" + s.StoreID + "/backups"
	}
	return row
}

func newestCell(s store.BackedUpStore) views.BackupCell {
	cell := views.Ago("", "", s.Newest, "")
	if s.Newest.IsZero() {
		cell.Text = "None"
	} else if s.Simulated {
		cell.Detail = "Simulated"
	}
	if s.Late {
		cell.Tone, cell.Detail = views.ToneWarn, "Plan: "+strings.ToLower(phrase.BackupEvery(s.Plan.BackupEvery))
	}
	return cell
}

func lastBackupCell(s store.BackedUpStore) views.BackupCell {
	switch s.Job.State {
	case store.JobFailed:
		return views.Ago(views.ToneBad, "Failed", s.Job.EndedAt, plain(phrase.Failure(s.Job.Failure).Cause))
	case store.JobDone:
		return views.BackupCell{Text: "Done"}
	case store.JobCancelled:
		return views.BackupCell{Text: "Cancelled"}
	case store.JobPending:
		return views.BackupCell{Text: "In progress"}
	default:
		return views.BackupCell{Text: "None"}
	}
}

func nextBackupCell(s store.BackedUpStore, inUse bool) views.BackupCell {
	switch {
	case !s.Next.IsZero():
		return views.Until(s.Next)
	case s.Plan.BackupEvery == 0:
		return views.BackupCell{Text: "Not scheduled"}
	case !inUse:
		return views.BackupCell{Text: "No target in use"}
	case s.Job.Pending():
		return views.BackupCell{Text: "In progress"}
	default:
		return views.BackupCell{Text: "When the store is ready"}
	}
}

func drillCell(s store.BackedUpStore) views.BackupCell {
	d := s.Drill
	switch {
	case s.DrillFailed():
		return views.Ago(views.ToneBad, "Failed", d.EndedAt, plain(phrase.Failure(d.Failure).Title))
	case s.DrillOverdue && d.ID == "":
		return views.BackupCell{Tone: views.ToneWarn, Text: "Overdue", Detail: "None yet"}
	case s.DrillOverdue:
		return views.Ago(views.ToneWarn, "Overdue, last", d.EndedAt, "")
	case d.ID == "":
		return views.BackupCell{Text: "None"}
	case d.Failure.Code == store.DrillWasCancelled:
		return views.Ago("", "Cancelled", d.EndedAt, "")
	case d.Simulated:
		return views.Ago("", "Simulated", d.EndedAt, "")
	default:
		return views.Ago(views.ToneOK, "Passed", d.EndedAt, "Took "+views.Took(d.Took()))
	}
}

// liveBackups is the overview of backups.
type liveBackups struct {
	liveFrame
	query backupsQuery
}

// Concerns leaves out the steps of a backup, which the overview doesn't show.
func (l *liveBackups) Concerns(e store.Event) live.Change {
	switch e.Kind {
	case store.BackupAsked, store.BackupScheduled, store.BackupDone, store.BackupFailed, store.BackupCancelled, store.PointsErased,
		store.DrillPassed, store.DrillFailed, store.DrillOverdue, store.DrillCancelled,
		store.StoreCreated, store.StoreReady, store.StoreFailed, store.StoreDeleteAsked, store.StoreDeleted,
		store.TargetAdded, store.TargetChanged, store.TargetDeleted, store.PlanChanged, store.TeamPlanSet, store.TeamRenamed:
		return live.Change{All: true}
	}
	return live.Change{}
}

func (l *liveBackups) Parts(ctx context.Context, c live.Change) ([]live.Part, error) {
	frame, err := l.liveFrame.Parts(ctx, c)
	if err != nil {
		return nil, err
	}
	backups, err := l.allBackups(ctx, l.who, l.query)
	return append(frame,
		live.Part{Target: "backup-targets", Component: views.BackupTargets(backups)},
		live.Part{Target: "backup-stores", Component: views.BackupStores(backups)}), err
}
