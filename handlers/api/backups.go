package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/handlers/paging"
	"shopwright.dev/shopwright/store"
)

func (a *API) registerBackups() {
	register(a, operation{
		id: "list-points", method: http.MethodGet, path: "/stores/{id}/points", tag: tagBackups, scope: store.ReadStores,
		summary: "List the restore points of a store", description: "Newest first, with the newest backup and the newest restore drill. For the next page, send the value of next as cursor. " +
			"The points of a deleted store need the scope stores:write, too.",
	}, a.listPoints)
	register(a, operation{
		id: "show-point", method: http.MethodGet, path: "/stores/{id}/points/{point}", tag: tagBackups, scope: store.ReadStores,
		summary: "Show a restore point", description: "A point of a deleted store needs the scope stores:write, too.",
	}, a.showPoint)
	register(a, operation{
		id: "list-deleted-stores", method: http.MethodGet, path: "/backups", tag: tagBackups, scope: store.WriteStores,
		summary: "List deleted stores", description: "Those with restore points, of which new stores can be created. The one deleted last comes first.",
	}, a.listDeleted)
	register(a, operation{
		id: "create-backup", method: http.MethodPost, path: "/stores/{id}/backups", tag: tagBackups, scope: store.WriteStores, status: http.StatusAccepted,
		summary: "Back up a store", description: "Makes a restore point in the background; the shop stays open. Poll the backup or follow the events until it is done or failed. " +
			"For 24 hours, a request with the same Idempotency-Key and body returns the same backup.",
	}, a.createBackup)
	register(a, operation{
		id: "show-backup", method: http.MethodGet, path: "/stores/{id}/backups/{backup}", tag: tagBackups, scope: store.ReadStores,
		summary: "Show a backup", description: "Includes its steps.",
	}, a.showBackup)
}

type pointsInput struct {
	StoreInput
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"25"`
	Cursor string `query:"cursor" maxLength:"100" doc:"Value of next from the previous page."`
}

type pointsOutput struct {
	Body v1.PointList
}

func (a *API) listPoints(ctx context.Context, in *pointsInput) (*pointsOutput, error) {
	after, err := readCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	query := store.PointQuery{After: after, Limit: in.Limit + 1}
	backups, err := a.DB.ListBackups(ctx, actorOf(ctx), in.ID, query)
	deleted := store.ErrorCode(err) == store.NotFound
	if deleted {
		backups.Points, err = a.deletedPoints(ctx, in.ID, query)
	}
	if store.ErrorCode(err) == store.Invalid {
		return nil, errNoCursor
	}
	if err != nil {
		return nil, err
	}
	page := v1.PointList{Points: []v1.Point{}, Target: word(backups.Target), Deleted: deleted}
	if !deleted {
		page.Drill = drillSummaryOf(backups.Drills)
	}
	if backups.Job.ID != "" {
		newest := backupOf(backups.Job)
		page.Backup = &newest
	}
	points, more := paging.Cut(backups.Points, in.Limit)
	if more {
		page.Next = cursorAt(points[in.Limit-1].ID)
	}
	for _, p := range points {
		page.Points = append(page.Points, pointOf(p))
	}
	return &pointsOutput{Body: page}, nil
}

// deletedPoints are the selected restore points of a deleted store.
func (a *API) deletedPoints(ctx context.Context, id string, q store.PointQuery) ([]store.RestorePoint, error) {
	_, points, err := a.DB.DeletedStore(ctx, actorOf(ctx), id)
	if err != nil {
		return nil, err
	}
	if q.After != "" {
		last := slices.IndexFunc(points, func(p store.RestorePoint) bool { return p.ID == q.After })
		if last < 0 {
			return nil, errNoCursor
		}
		points = points[last+1:]
	}
	return points[:min(q.Limit, len(points))], nil
}

type deletedOutput struct {
	Body v1.DeletedStoreList
}

func (a *API) listDeleted(ctx context.Context, _ *struct{}) (*deletedOutput, error) {
	if len(actorOf(ctx).Teams(store.BackUpStores)) == 0 {
		return nil, &store.Error{Code: store.Forbidden, Message: "You can’t restore stores of this team. Ask a team owner."}
	}
	stores, err := a.DB.DeletedStores(ctx, actorOf(ctx))
	if err != nil {
		return nil, err
	}
	list := v1.DeletedStoreList{Stores: []v1.DeletedStore{}}
	for _, st := range stores {
		list.Stores = append(list.Stores, v1.DeletedStore{ID: st.ID, Team: st.TeamID, Name: word(st.Name), Host: st.Host, Engine: st.Engine, DeletedAt: st.DeletedAt})
	}
	return &deletedOutput{Body: list}, nil
}

type pointInput struct {
	StoreInput
	Point string `path:"point" doc:"The restore point’s ID."`
}

type pointOutput struct {
	Body v1.Point
}

func (a *API) showPoint(ctx context.Context, in *pointInput) (*pointOutput, error) {
	p, err := a.DB.Point(ctx, actorOf(ctx), in.ID, in.Point)
	if store.ErrorCode(err) == store.NotFound {
		p, err = a.deletedPoint(ctx, in)
	}
	if err != nil {
		return nil, err
	}
	return &pointOutput{Body: pointOf(p)}, nil
}

func (a *API) deletedPoint(ctx context.Context, in *pointInput) (store.RestorePoint, error) {
	_, points, err := a.DB.DeletedStore(ctx, actorOf(ctx), in.ID)
	for _, p := range points {
		if p.ID == in.Point {
			return p, nil
		}
	}
	return store.RestorePoint{}, cmp.Or(err, store.NoSuch("restore point"))
}

func pointOf(p store.RestorePoint) v1.Point {
	m := p.Manifest
	shown := v1.Point{
		ID: p.ID, Store: p.StoreID, Reason: p.Reason, Note: word(p.Note), Actor: word(p.AskedBy.Name), Target: word(p.TargetName),
		Simulated: m.Simulated, Chart: m.Chart, Revision: m.Revision, Generation: m.Generation, Bytes: m.Bytes(), Added: m.Added(), Locked: m.LockedTables,
		Manifest: m.Snapshot, BeganAt: p.BeganAt, EndedAt: p.EndedAt, Seconds: p.EndedAt.Sub(p.BeganAt).Seconds(),
	}
	shown.Version = m.Version
	if c := m.Contents; c.Counted {
		shown.Contents = &v1.PointContents{Orders: c.Orders, Products: c.Products, Customers: c.Customers}
	}
	if !m.Simulated {
		shown.Database, shown.Files = partOf(m.Database), partOf(m.Files)
	}
	return shown
}

func partOf(p store.Part) *v1.PointPart {
	return &v1.PointPart{Snapshot: p.Snapshot, Files: p.Files, Bytes: p.Bytes, Added: p.Added, Seconds: p.Took.Seconds()}
}

type newBackupInput struct {
	StoreInput
	Key  string        `header:"Idempotency-Key" maxLength:"200" pattern:"^[!-~]*$" doc:"Client-chosen key, such as a UUID, that makes the request safe to repeat."`
	Body *v1.NewBackup // nil for a backup without a note
}

type createdBackup struct {
	Location string `header:"Location" doc:"URL of the backup."`
	Body     v1.Backup
}

func (a *API) createBackup(ctx context.Context, in *newBackupInput) (*createdBackup, error) {
	var body v1.NewBackup
	if in.Body != nil {
		body = *in.Body
	}
	job, err := a.backUp(ctx, in.ID, body, in.Key)
	if err != nil {
		return nil, err
	}
	return &createdBackup{Location: v1.Prefix + "/stores/" + job.StoreID + "/backups/" + job.ID, Body: backupOf(job)}, nil
}

// backUp returns the backup that was asked for, with that key before if there is one.
func (a *API) backUp(ctx context.Context, storeID string, body v1.NewBackup, key string) (store.Job, error) {
	who := actorOf(ctx)
	if key == "" {
		return a.DB.BackUp(ctx, who, storeID, body.Note)
	}
	id, err := a.DB.BackUpOnce(ctx, who, storeID, body.Note, store.Once{Key: key, Digest: digest("create-backup", storeID, body)})
	if err != nil {
		return store.Job{}, err
	}
	job, _, err := a.DB.Backup(ctx, who, storeID, id)
	return job, err
}

type backupInput struct {
	StoreInput
	Backup string `path:"backup" doc:"The backup’s ID."`
}

type backupOutput struct {
	Body v1.BackupDetail
}

func (a *API) showBackup(ctx context.Context, in *backupInput) (*backupOutput, error) {
	job, events, err := a.DB.Backup(ctx, actorOf(ctx), in.ID, in.Backup)
	if err != nil {
		return nil, err
	}
	return &backupOutput{Body: v1.BackupDetail{Backup: backupOf(job), Work: a.Work(job, events)}}, nil
}

func backupOf(job store.Job) v1.Backup {
	return v1.Backup{
		ID: job.ID, Store: job.StoreID, State: job.State, Step: job.Step, Note: word(job.Point.Note), Failure: explain(job.Failure), Actor: word(job.AskedBy.Name),
		AskedAt: job.AskedAt, BeganAt: at(job.BeganAt), EndedAt: at(job.EndedAt),
	}
}
