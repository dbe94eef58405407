package handlers

import (
	"cmp"
	"context"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/live"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/views"
)

func (a *App) showBackups(c echo.Context) error { return a.showStore(c, views.TabBackups) }

// backUp has a restore point made and leads to the list in which it appears.
func (a *App) backUp(c echo.Context) error {
	job, err := a.DB.BackUp(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("id"), c.FormValue("note"))
	if err != nil {
		return err
	}
	return reply.GoTo(c, "/stores/"+job.StoreID+"/backups")
}

func (a *App) fillBackups(ctx context.Context, r tabRequest, page *views.StorePage) error {
	backups, err := a.DB.Backups(ctx, r.who.Actor, r.st.ID)
	if err != nil {
		return err
	}
	tab := backupsTab(r.who, r.st, backups)
	page.Backups = &tab
	return nil
}

// backupsParts are the list only: a redrawn form would lose the note that somebody types.
func (l *liveStore) backupsParts(ctx context.Context, st store.Store) ([]live.Part, error) {
	backups, err := l.DB.Backups(ctx, l.who.Actor, st.ID)
	return []live.Part{{Target: "tab-backups", Component: views.BackupsList(backupList(l.who, st, backups)), Fleeting: true}}, err
}

func backupsTab(who signin.Visitor, st store.Store, b store.Backups) views.BackupsTab {
	tab := views.BackupsTab{StoreID: st.ID, List: backupList(who, st, b)}
	may := who.Actor.May(store.BackUpStores, st.TeamID)
	switch {
	case !may:
	case st.IsDrill():
		tab.Why = "This store was made for a drill. It isn’t backed up, and is removed when the drill has ended."
	case b.Target == "" && who.Actor.May(store.ManageTargets, store.Installation):
		tab.Why = "No backup target is in use. Add one under Administration, Backup targets."
	case b.Target == "":
		tab.Why = "No backup target is in use. Ask an administrator to add one."
	case !st.CanBackUp():
		tab.Why = "The store can be backed up when it is ready."
	default:
		tab.Form = true
	}
	return tab
}

func backupList(who signin.Visitor, st store.Store, b store.Backups) views.BackupList {
	list := views.BackupList{StoreID: st.ID, Next: b.Next, Unplanned: b.Target != "" && b.Every == 0 && !st.IsDrill(), Drills: drillPane(who, st, b)}
	switch b.Job.State {
	case store.JobPending:
		list.Running = &views.BackupRunning{Step: phrase.Step(b.Job.Step), Who: word(cmp.Or(b.Job.AskedBy.Name, store.Platform)), At: b.Job.AskedAt}
	case store.JobFailed:
		said := phrase.Failure(b.Job.Failure)
		list.Failed = &views.BackupFailed{Title: plain(said.Title), Cause: plain(said.Cause), Next: plain(said.Next), At: b.Job.EndedAt}
	}
	if result := b.Job.Cleanup; b.Job.State == store.JobDone && result.Failed != "" {
		list.Kept = &views.CleanupFailed{What: uncleaned(b.Job), Cause: plain(result.Failed)}
	}
	proven := provenPoint(b.Drills)
	for i, p := range b.Points {
		row := pointRow(who, st, p, earlier(b.Points, i))
		row.Proven = p.ID == proven
		list.Rows = append(list.Rows, row)
	}
	return list
}

// uncleaned says what a backup could not delete.
func uncleaned(job store.Job) string {
	if cleanup := job.Point.Cleanup; cleanup != nil && !job.Cleanup.Forgotten && len(cleanup.Points) > 0 {
		return phrase.Count(len(cleanup.Points), "expired restore point") + " couldn’t be deleted from the target"
	}
	return "Unused data couldn’t be deleted from the target"
}

// earlier is the point before one of a list, newest first; empty for the last.
func earlier(points []store.RestorePoint, i int) store.RestorePoint {
	if i+1 < len(points) {
		return points[i+1]
	}
	return store.RestorePoint{}
}

// pointRow is a restore point as a list shows it, with what has changed since the one before.
func pointRow(who signin.Visitor, st store.Store, p, before store.RestorePoint) views.PointRow {
	row := views.PointRow{
		At: p.EndedAt, Note: word(p.Note), Reason: phrase.PointReason(p.Reason), Simulated: p.Manifest.Simulated, Size: phrase.Bytes(p.Manifest.Bytes()), Added: phrase.Bytes(p.Manifest.Added()),
		Took: views.Took(p.EndedAt.Sub(p.BeganAt)), Target: word(p.TargetName), Chart: p.Manifest.Chart, Who: word(cmp.Or(p.AskedBy.Name, store.Platform)),
		Restore: restoreAddress(who, st, p), Contents: phrase.ContentsSince(p.Manifest.Contents, before.Manifest.Contents),
	}
	if n := p.Manifest.LockedTables; n > 0 {
		row.Locked = phrase.Count(n, "table") + " locked meanwhile"
	}
	return row
}
