package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"shopwright.dev/shopwright/store"
)

// CreateStore records a store that should be, for the provisioner to bring about. It
// returns an *Error that names the field when the request cannot be met.
func (db *DB) CreateStore(ctx context.Context, actor store.Actor, n store.NewStore) (st store.Store, err error) {
	n, err = n.Validate(actor)
	if err != nil {
		return store.Store{}, err
	}
	err = db.update(ctx, func(t tx) (err error) {
		st, err = db.createStore(ctx, t, actor, n)
		return err
	})
	return st, takenMeanwhile(st, err)
}

func (db *DB) createStore(ctx context.Context, t tx, actor store.Actor, n store.NewStore) (store.Store, error) {
	if err := t.lockClaims(ctx); err != nil { // the team’s plan, and how many stores there are, hold until this one is there
		return store.Store{}, err
	}
	plan, err := db.teamPlan(ctx, t, n.TeamID)
	if err != nil {
		return store.Store{}, err
	}
	if err := t.checkLimits(ctx, actor, n.TeamID, plan, n.Limits); err != nil {
		return store.Store{}, err
	}
	if err := t.checkTeam(ctx, n.TeamID); err != nil {
		return store.Store{}, err
	}
	n, origin, err := t.originOf(ctx, actor, n)
	if err != nil {
		return store.Store{}, err
	}
	slug, err := t.claimSlug(ctx, n.Name, n.Slug)
	if err != nil {
		return store.Store{}, err
	}
	if n.OwnerEmail == "" {
		if n.OwnerEmail, err = ownerEmail(ctx, t, actor.UserID); err != nil {
			return store.Store{}, err
		}
	}
	st := newStore(actor, n, n.Name, slug, t.now)
	st.Origin, st.Job.Data = origin, origin.Point
	st.Plan = plan.Name
	if err := t.insertStore(ctx, st); err != nil {
		return st, err
	}
	if err := t.insertJob(ctx, &st.Job); err != nil {
		return st, err
	}
	return st, t.append(ctx, store.EventOf(st, actor, store.StoreCreated))
}

// takenMeanwhile tells of an address that another process took at the same time.
func takenMeanwhile(st store.Store, err error) error {
	if isUniqueViolation(err) {
		return slugTaken(st.Slug, store.NumberSlug(st.Slug, 2))
	}
	return err
}

func newStore(actor store.Actor, n store.NewStore, name, slug string, now int64) store.Store {
	at := fromMicros(now)
	st := store.Store{
		ID: store.NewID(), TeamID: n.TeamID, ClusterID: n.Cluster.ID, Name: name, Slug: slug, Namespace: store.Namespace(slug),
		Host: slug + "." + n.Cluster.BaseDomain, Engine: n.Engine, Template: n.Template,
		Country: n.Country, Currency: n.Currency, OwnerEmail: n.OwnerEmail, Purpose: store.ForCustomers,
		Status: store.Provisioning, Desired: store.Present, Generation: 1,
		CreatedBy: actor.UserID, CreatedAt: at, UpdatedAt: at,
	}
	st.StartJob(store.OpenJob, store.Change{}, actor)
	st.Job.AskedAt, st.Job.Due = at, at
	return st
}

// claimSlug returns the address to use: the one asked for if it is free, or the first free
// one that can be proposed from the name.
func (t tx) claimSlug(ctx context.Context, name, asked string) (string, error) {
	if asked == "" {
		return freeSlug(ctx, t, store.ProposeSlug(name))
	}
	free, err := freeSlug(ctx, t, asked)
	if err != nil {
		return "", err
	}
	if free != asked {
		return "", slugTaken(asked, free)
	}
	return asked, nil
}

func slugTaken(slug, free string) error {
	return &store.Error{Code: store.Conflict, Field: "slug", Message: fmt.Sprintf("%q is taken. %q is available.", slug, free)}
}

// FreeSlug returns the slug if no living store has it, or else the first of slug-2, slug-3, … that
// none has. It is for an actor who may create a store somewhere: slugs tell of the stores of others.
func (db *DB) FreeSlug(ctx context.Context, actor store.Actor, slug string) (string, error) {
	if len(actor.Teams(store.CreateStores)) == 0 {
		return "", &store.Error{Code: store.Forbidden, Message: "You can’t create stores in any team. Ask a team owner."}
	}
	return freeSlug(ctx, db.read, slug)
}

func freeSlug(ctx context.Context, q querier, slug string) (string, error) {
	for n, candidate := 1, slug; ; {
		var taken bool
		err := q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM stores WHERE slug = $1 AND deleted_at = 0)`, candidate).Scan(&taken)
		if err != nil {
			return "", fmt.Errorf("look for a free address: %w", err)
		}
		if !taken {
			return candidate, nil
		}
		n++
		candidate = store.NumberSlug(slug, n)
	}
}

// FindStore returns the living store if the actor may see it, and NotFound otherwise,
// whether it exists or not. Every request for one store goes through here.
func (db *DB) FindStore(ctx context.Context, actor store.Actor, id string) (store.Store, error) {
	st, err := queryStore(ctx, db.read, id)
	if err != nil {
		return store.Store{}, err
	}
	if !st.Living() || !actor.May(store.ViewStores, st.TeamID) {
		return store.Store{}, store.NoSuch("store")
	}
	return st, nil
}

// visible is the condition that $1 is the id of a store of any state which the actor may see, and
// the arguments for its placeholders, which start with $first.
func visible(actor store.Actor, first int) (string, []any) {
	in, args := inList("team_id", actor.Teams(store.ViewStores), first)
	return `EXISTS (SELECT 1 FROM stores WHERE id = $1 AND ` + in + `)`, args
}

// FindStoreTo returns the living store if the actor may do that to it, Forbidden if the
// actor may only see it, and NotFound otherwise.
func (db *DB) FindStoreTo(ctx context.Context, actor store.Actor, action store.Action, id string) (store.Store, error) {
	st, err := db.FindStore(ctx, actor, id)
	if err == nil && !actor.May(action, st.TeamID) {
		return store.Store{}, &store.Error{Code: store.Forbidden, Message: "You can view this store but not change it. Ask a team owner."}
	}
	return st, err
}

// UnguardedStore returns the store with that id, living or not, of any team. It is for the
// platform's own work; requests use FindStore.
func (db *DB) UnguardedStore(ctx context.Context, id string) (store.Store, error) {
	return queryStore(ctx, db.read, id)
}

// Retry sets a failed store going again, from where it stands.
func (db *DB) Retry(ctx context.Context, actor store.Actor, id string) (store.Store, error) {
	return db.change(ctx, actor, id, store.RetryStores, func(_ tx, st *store.Store) (store.Event, error) {
		if !st.CanRetry() {
			return store.Event{}, &store.Error{Code: store.Conflict, Message: "This store is " + string(st.Status) + ". Only a failed store can be retried."}
		}
		st.Status = st.Job.Change.Status()
		st.TryAgain(actor)
		return store.EventOf(*st, actor, store.StoreRetried), nil
	})
}

// Repair has a store that is ready put back to what its chart says.
func (db *DB) Repair(ctx context.Context, actor store.Actor, id string) (store.Store, error) {
	return db.change(ctx, actor, id, store.RetryStores, func(_ tx, st *store.Store) (store.Event, error) {
		if !st.CanRepair() {
			return store.Event{}, &store.Error{Code: store.Conflict, Message: "This store is " + string(st.Status) + ". Only a ready store can be repaired."}
		}
		return st.Repair(actor, store.Note{}), nil
	})
}

// UnguardedRepairMissing repairs a store of any team that the platform found incomplete. A store
// that is not ready is left alone: a worker is busy with it, or a person must act first.
func (db *DB) UnguardedRepairMissing(ctx context.Context, id string, missing store.Note) error {
	_, err := db.tryChange(ctx, id, func(_ tx, st *store.Store) (store.Event, error) {
		if !st.CanRepair() {
			return store.Event{}, store.ErrUnchanged
		}
		return st.Repair(store.Actor{}, missing), nil
	})
	return err
}

// RequestDelete asks for the store's removal, whatever is being done to it now. Asking
// again while it is being removed is no error. A store that is ready is backed up first, unless the request
// says that it isn't. A drill of it is cancelled; the deletion of a drill's own store cancels the drill.
func (db *DB) RequestDelete(ctx context.Context, actor store.Actor, id string, r store.DeleteRequest) (store.Store, error) {
	st, err := db.FindStoreTo(ctx, actor, store.DeleteStores, id)
	if err == nil && st.IsDrill() {
		err = db.update(ctx, func(t tx) (err error) { st, err = t.cancelDrill(ctx, actor, id); return err })
		return st, err
	}
	return db.changeAfterBackup(ctx, actor, id, store.DeleteStores, r.Point(), func(t tx, st *store.Store) (store.Event, error) {
		if goesOn := st.Job.Waits() && !r.Backup; !st.CanDelete() && !goesOn {
			return store.Event{}, store.ErrUnchanged
		}
		if err := t.cancelDrillOf(ctx, actor, id); err != nil {
			return store.Event{}, err
		}
		st.Status, st.Desired = store.Deleting, store.Absent
		st.StartJob(store.RemoveJob, store.Change{}, actor)
		return store.EventOf(*st, actor, store.StoreDeleteAsked), nil
	})
}

// change starts another job of a locked store, and returns the event that tells of it.
type change func(tx, *store.Store) (store.Event, error)

// change applies a person's request to a store: another job, at the end of the queue.
func (db *DB) change(ctx context.Context, actor store.Actor, id string, action store.Action, apply change) (store.Store, error) {
	if _, err := db.FindStoreTo(ctx, actor, action, id); err != nil {
		return store.Store{}, err
	}
	return db.tryChange(ctx, id, apply)
}

// tryChange replaces the store's present job with the one that apply starts. What comes after that gets the store as
// it was, too.
func (db *DB) tryChange(ctx context.Context, id string, apply change, after ...func(t tx, before store.Store, st *store.Store) error) (store.Store, error) {
	var st store.Store
	err := db.update(ctx, func(t tx) (err error) {
		if st, err = t.lockStore(ctx, id); err != nil {
			return err
		}
		was, before := st, st.Job
		event, err := apply(t, &st)
		if err != nil {
			return err
		}
		st.Generation++
		event.Data.Generation, event.Data.Status = st.Generation, st.Status
		if before.Pending() {
			before.End(store.JobCancelled, fromMicros(t.now))
		}
		if err := t.replaceJob(ctx, before, &st); err != nil {
			return err
		}
		if err := t.append(ctx, event); err != nil {
			return err
		}
		for _, then := range after {
			if err := then(t, was, &st); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, store.ErrUnchanged) {
		return st, nil
	}
	return st, err
}

// The columns of stores, of which the second ones change while a store lives.
var (
	storeColumns = slices.Concat(storeFixed, storeChanging)
	storeFixed   = columns[store.Store]{
		{"id", func(s *store.Store) any { return &s.ID }},
		{"team_id", func(s *store.Store) any { return &s.TeamID }},
		{"cluster_id", func(s *store.Store) any { return &s.ClusterID }},
		{"name", func(s *store.Store) any { return &s.Name }},
		{"slug", func(s *store.Store) any { return &s.Slug }},
		{"namespace", func(s *store.Store) any { return &s.Namespace }},
		{"host", func(s *store.Store) any { return &s.Host }},
		{"engine", func(s *store.Store) any { return &s.Engine }},
		{"template", func(s *store.Store) any { return &s.Template }},
		{"country", func(s *store.Store) any { return &s.Country }},
		{"currency", func(s *store.Store) any { return &s.Currency }},
		{"plan", func(s *store.Store) any { return &s.Plan }},
		{"purpose", func(s *store.Store) any { return &s.Purpose }},
		{"created_by", func(s *store.Store) any { return &s.CreatedBy }},
		{"created_at", func(s *store.Store) any { return at(&s.CreatedAt) }},
	}
	storeChanging = columns[store.Store]{
		{"owner_email", func(s *store.Store) any { return &s.OwnerEmail }},
		{"status", func(s *store.Store) any { return &s.Status }},
		{"desired", func(s *store.Store) any { return &s.Desired }},
		{"generation", func(s *store.Store) any { return &s.Generation }},
		{"observed_generation", func(s *store.Store) any { return &s.ObservedGeneration }},
		{"job_id", func(s *store.Store) any { return &s.Job.ID }},
		{"revision", func(s *store.Store) any { return &s.Revision }},
		{"sold", func(s *store.Store) any { return &s.Sold }},
		{"chart_version", func(s *store.Store) any { return &s.ChartVersion }},
		{"url", func(s *store.Store) any { return &s.URL }},
		{"admin_url", func(s *store.Store) any { return &s.AdminURL }},
		{"volumes", func(s *store.Store) any { return document{&s.Volumes} }},
		{"origin", func(s *store.Store) any { return document{&s.Origin} }},
		{"health", func(s *store.Store) any { return document{&s.Health} }},
		{"ready_at", func(s *store.Store) any { return at(&s.ReadyAt) }},
		{"deleted_at", func(s *store.Store) any { return at(&s.DeletedAt) }},
		{"updated_at", func(s *store.Store) any { return at(&s.UpdatedAt) }},
	}
)

// A store is read with its newest job and the check that is due, if one is.
var (
	storeFields = storeColumns.list("stores") + `, ` + jobColumns.list("jobs") + `, COALESCE(checks.due, 0), COALESCE(checks.priority, 1) = 0`
	storeTables = `stores JOIN jobs ON jobs.id = stores.job_id
		LEFT JOIN jobs checks ON checks.store_id = stores.id AND checks.kind = 'check' AND checks.ended_at = 0`
)

func scanStore(row scanner) (st store.Store, err error) {
	fields := append(storeColumns.of(&st), jobColumns.of(&st.Job)...)
	if err := row.Scan(append(fields, at(&st.CheckDue), &st.CheckAsked)...); err != nil {
		return store.Store{}, fmt.Errorf("read a store’s row: %w", err)
	}
	return st, nil
}

func queryStore(ctx context.Context, q querier, id string) (store.Store, error) {
	st, err := scanStore(q.QueryRowContext(ctx, `SELECT `+storeFields+` FROM `+storeTables+` WHERE stores.id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return store.Store{}, store.NoSuch("store")
	}
	if err != nil {
		return store.Store{}, fmt.Errorf("read store %s: %w", id, err)
	}
	return st, nil
}

// lockStore reads a store that is going to be saved, and locks its row until the transaction ends:
// saving writes all columns, and would overwrite what another writer changed meanwhile. To avoid
// deadlocks, a transaction locks the store before it writes any of its jobs.
func (t tx) lockStore(ctx context.Context, id string) (store.Store, error) {
	if _, err := t.ExecContext(ctx, `UPDATE stores SET updated_at = $2 WHERE id = $1`, id, t.now); err != nil {
		return store.Store{}, fmt.Errorf("lock store %s: %w", id, err)
	}
	return queryStore(ctx, t, id)
}

func (t tx) insertStore(ctx context.Context, st store.Store) error {
	_, err := t.ExecContext(ctx, `INSERT INTO stores (`+storeColumns.list("")+`, search) VALUES (`+storeColumns.marks()+fmt.Sprintf(", $%d)", len(storeColumns)+1),
		append(storeColumns.of(&st), store.Fold(st.Name+"\n"+st.Host))...)
	if err != nil {
		return fmt.Errorf("insert store: %w", err)
	}
	return nil
}

// saveStore writes what may change about a store that is locked.
func (t tx) saveStore(ctx context.Context, st store.Store) error {
	_, err := t.ExecContext(ctx, `UPDATE stores SET `+storeChanging.sets(2)+` WHERE id = $1`, append([]any{st.ID}, storeChanging.of(&st)...)...)
	if err != nil {
		return fmt.Errorf("save store %s: %w", st.ID, err)
	}
	return nil
}
