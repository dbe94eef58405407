package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// NewStore is a request for a store, which gets the plan of its team.
type NewStore struct {
	TeamID   string
	Cluster  Cluster
	Name     string
	Slug     string // proposed from the name when empty
	Engine   string
	Template string
	Country  string // the usual one when empty
	Currency string // the country's when empty
	// OwnerEmail is that of the store's owner; a verified one of the actor's when empty.
	OwnerEmail string
	Limits     Limits
}

// CreateStore records a store that should be, for the provisioner to bring about. It
// returns an *Error that names the field when the request cannot be met.
func (db *DB) CreateStore(ctx context.Context, actor Actor, n NewStore) (st Store, err error) {
	n, err = n.checked(actor)
	if err != nil {
		return Store{}, err
	}
	err = db.update(ctx, func(t tx) (err error) {
		st, err = db.createStore(ctx, t, actor, n)
		return err
	})
	return st, takenMeanwhile(st, err)
}

// checked is the request as it is kept, if the actor may make it and nothing is wrong with it.
func (n NewStore) checked(actor Actor) (NewStore, error) {
	if !actor.May(CreateStores, n.TeamID) {
		return n, &Error{Code: Forbidden, Message: "You may look at this team’s stores, but not create one. Ask one of its owners."}
	}
	var err error
	if n.Name, err = CleanName(n.Name); err != nil {
		return n, err
	}
	if n.Slug != "" {
		if err := CheckSlug(n.Slug); err != nil {
			return n, err
		}
	}
	if strings.TrimSpace(n.OwnerEmail) == "" {
		n.OwnerEmail = ""
	} else if n.OwnerEmail, err = cleanOwnerEmail(n.OwnerEmail); err != nil {
		return n, err
	}
	country, err := ChooseCountry(n.Country, n.Currency)
	n.Country, n.Currency = country.Code, country.Currency
	return n, err
}

func (db *DB) createStore(ctx context.Context, t tx, actor Actor, n NewStore) (Store, error) {
	if err := t.lockClaims(ctx); err != nil { // the team’s plan, and how many stores there are, hold until this one is there
		return Store{}, err
	}
	plan, err := db.teamPlan(ctx, t, n.TeamID)
	if err != nil {
		return Store{}, err
	}
	if err := t.checkLimits(ctx, actor, n.TeamID, plan, n.Limits); err != nil {
		return Store{}, err
	}
	if err := t.checkTeam(ctx, n.TeamID); err != nil {
		return Store{}, err
	}
	slug, err := t.claimSlug(ctx, n.Name, n.Slug)
	if err != nil {
		return Store{}, err
	}
	if n.OwnerEmail == "" {
		if n.OwnerEmail, err = ownerEmail(ctx, t, actor.UserID); err != nil {
			return Store{}, err
		}
	}
	st := newStore(actor, n, n.Name, slug, t.now)
	st.Plan = plan.Name
	if err := t.insertStore(ctx, st); err != nil {
		return st, err
	}
	return st, t.append(ctx, storeEvent(st, actor, StoreCreated, "Store created"))
}

// takenMeanwhile tells of an address that another process took at the same time.
func takenMeanwhile(st Store, err error) error {
	if isUniqueViolation(err) {
		return slugTaken(st.Slug, NumberSlug(st.Slug, 2))
	}
	return err
}

func newStore(actor Actor, n NewStore, name, slug string, now int64) Store {
	at := fromMicros(now)
	return Store{
		ID: newID(), TeamID: n.TeamID, ClusterID: n.Cluster.ID, Name: name, Slug: slug, Namespace: Namespace(slug),
		Host: slug + "." + n.Cluster.BaseDomain, Engine: n.Engine, Template: n.Template,
		Country: n.Country, Currency: n.Currency, OwnerEmail: n.OwnerEmail,
		Status: Provisioning, Desired: Present, Generation: 1, Change: Change{ID: newID(), By: actor.by(), Note: "Opened"},
		CreatedBy: actor.UserID, CreatedAt: at, QueuedAt: at, UpdatedAt: at,
	}
}

// claimSlug returns the address to use: the one asked for if it is free, or the first free
// one that can be proposed from the name.
func (t tx) claimSlug(ctx context.Context, name, asked string) (string, error) {
	if asked == "" {
		return freeSlug(ctx, t, ProposeSlug(name))
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
	return &Error{Code: Conflict, Field: "slug", Message: fmt.Sprintf("%q is taken. %q is free.", slug, free)}
}

// FreeSlug returns the slug if no living store has it, or else the first of slug-2,
// slug-3, … that none has.
func (db *DB) FreeSlug(ctx context.Context, slug string) (string, error) {
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
		candidate = NumberSlug(slug, n)
	}
}

// FindStore returns the living store if the actor may see it, and NotFound otherwise,
// whether it exists or not. Every request for one store goes through here.
func (db *DB) FindStore(ctx context.Context, actor Actor, id string) (Store, error) {
	st, err := db.Store(ctx, id)
	if err != nil {
		return Store{}, err
	}
	if !st.Living() || !actor.May(ViewStores, st.TeamID) {
		return Store{}, notFound("store")
	}
	return st, nil
}

// FindStoreTo returns the living store if the actor may do that to it, Forbidden if the
// actor may only see it, and NotFound otherwise.
func (db *DB) FindStoreTo(ctx context.Context, actor Actor, action Action, id string) (Store, error) {
	st, err := db.FindStore(ctx, actor, id)
	if err == nil && !actor.May(action, st.TeamID) {
		return Store{}, &Error{Code: Forbidden, Message: "You may look at this store, but not change it. Ask one of the team’s owners."}
	}
	return st, err
}

// Store returns the store with that id, living or not, whosever it is. It is for the
// platform's own work; requests use FindStore.
func (db *DB) Store(ctx context.Context, id string) (Store, error) {
	return queryStore(ctx, db.read, id)
}

// Retry sets a failed store going again, from where it stands.
func (db *DB) Retry(ctx context.Context, actor Actor, id string) (Store, error) {
	return db.change(ctx, actor, id, RetryStores, func(_ tx, st *Store) (Event, error) {
		if !st.CanRetry() {
			return Event{}, &Error{Code: Conflict, Message: "Only a failed store can be retried, and this one is " + string(st.Status) + "."}
		}
		st.Status, st.Failure, st.Change.By = st.Change.status(), Failure{}, actor.by()
		return storeEvent(*st, actor, StoreRetried, "Retried"), nil
	})
}

// Rebuild has a store whose data are lost opened anew and empty.
func (db *DB) Rebuild(ctx context.Context, actor Actor, id string) (Store, error) {
	return db.change(ctx, actor, id, RetryStores, func(_ tx, st *Store) (Event, error) {
		if !st.CanRebuild() {
			return Event{}, &Error{Code: Conflict, Message: "Only a store whose data are lost can be rebuilt, and this one is " + string(st.Status) + "."}
		}
		st.Status, st.Failure, st.Volumes, st.Sold = Provisioning, Failure{}, nil, 0
		st.Change = Change{Kind: Rebuild, By: actor.by(), Note: "Opened anew"}
		return storeEvent(*st, actor, StoreRebuilt, "Rebuilt empty"), nil
	})
}

// Repair has a store that is ready put back to what its chart says.
func (db *DB) Repair(ctx context.Context, actor Actor, id string) (Store, error) {
	return db.change(ctx, actor, id, RetryStores, func(_ tx, st *Store) (Event, error) {
		if !st.CanRepair() {
			return Event{}, &Error{Code: Conflict, Message: "Only a store that is ready can be put back, and this one is " + string(st.Status) + "."}
		}
		return st.repair(actor, ""), nil
	})
}

// RepairMissing has a store put back of which the platform itself has seen that something
// is missing. One that is not ready is left alone: somebody works on it, or a person has to.
func (db *DB) RepairMissing(ctx context.Context, id, missing string) error {
	_, err := db.tryChange(ctx, id, func(_ tx, st *Store) (Event, error) {
		if !st.CanRepair() {
			return Event{}, errUnchanged
		}
		return st.repair(Actor{}, missing), nil
	})
	if errors.Is(err, ErrStale) { // whoever came first works on it now
		return nil
	}
	return err
}

func (s *Store) repair(actor Actor, message string) Event {
	s.Status, s.Change = Provisioning, Change{Kind: Repair, To: s.Sold, By: actor.by(), Note: "Put back"}
	return storeEvent(*s, actor, StoreRepaired, message)
}

// RequestDelete asks for the store's removal, whatever is being done to it now. Asking
// again while it is being removed is no error.
func (db *DB) RequestDelete(ctx context.Context, actor Actor, id string) (Store, error) {
	return db.change(ctx, actor, id, DeleteStores, func(_ tx, st *Store) (Event, error) {
		if !st.CanDelete() {
			return Event{}, errUnchanged
		}
		st.Status, st.Desired, st.Failure = Deleting, Absent, Failure{}
		return storeEvent(*st, actor, StoreDeleteAsked, "Deletion asked for"), nil
	})
}

var errUnchanged = errors.New("nothing to change")

// change applies a person's wish to a store as a new generation at the end of the queue.
func (db *DB) change(ctx context.Context, actor Actor, id string, action Action, apply func(tx, *Store) (Event, error)) (Store, error) {
	if _, err := db.FindStoreTo(ctx, actor, action, id); err != nil {
		return Store{}, err
	}
	return untilFresh(ctx, func() (Store, error) { return db.tryChange(ctx, id, apply) })
}

// untilFresh tries again for as long as another writer comes first: a person's wish is then
// applied to what that one left.
func untilFresh(ctx context.Context, try func() (Store, error)) (Store, error) {
	for {
		st, err := try()
		if !errors.Is(err, ErrStale) || ctx.Err() != nil {
			return st, err
		}
	}
}

// tryChange returns ErrStale when another writer came first.
func (db *DB) tryChange(ctx context.Context, id string, apply func(tx, *Store) (Event, error)) (Store, error) {
	var st Store
	err := db.update(ctx, func(t tx) error {
		before, err := t.lockStore(ctx, id)
		if err != nil {
			return err
		}
		st = before
		event, err := apply(t, &st)
		if err != nil {
			return err
		}
		st.Generation++
		st.Change.ID, st.Change.Applied = newID(), 0
		st.Step, st.Message, st.Worked, st.QueuedAt = "", "", 0, fromMicros(t.now)
		event.Data.Generation, event.Data.Status = st.Generation, st.Status
		if err := t.saveStore(ctx, before, st); err != nil {
			return err
		}
		return t.append(ctx, event)
	})
	if errors.Is(err, errUnchanged) {
		return st, nil
	}
	return st, err
}

func storeEvent(st Store, actor Actor, kind Kind, message string) Event {
	return actor.sign(Event{
		TeamID: st.TeamID, StoreID: st.ID, Kind: kind, Step: st.Step, Object: st.Name, Message: message,
		Data: EventData{Generation: st.Generation, Status: st.Status},
	})
}

const storeColumns = `id, team_id, cluster_id, name, slug, namespace, host, engine, template, plan, status, desired,
	generation, observed_generation, step, message, failure, change, revision, sold, chart_version, url, admin_url,
	volumes, health, check_due, worked, created_by, created_at, queued_at, ready_at, deleted_at, updated_at,
	country, currency, owner_email`

func scanStore(row scanner) (Store, error) {
	var (
		st                                                    Store
		failure, change, volumes, health                      string
		worked, created, queued, ready, deleted, updated, due int64
	)
	err := row.Scan(&st.ID, &st.TeamID, &st.ClusterID, &st.Name, &st.Slug, &st.Namespace, &st.Host, &st.Engine, &st.Template,
		&st.Plan, &st.Status, &st.Desired, &st.Generation, &st.ObservedGeneration, &st.Step, &st.Message, &failure, &change,
		&st.Revision, &st.Sold, &st.ChartVersion, &st.URL, &st.AdminURL, &volumes, &health, &due, &worked, &st.CreatedBy, &created, &queued, &ready, &deleted, &updated,
		&st.Country, &st.Currency, &st.OwnerEmail)
	if err != nil {
		return Store{}, err
	}
	st.Worked = time.Duration(worked) * time.Microsecond
	st.CreatedAt, st.QueuedAt, st.ReadyAt = fromMicros(created), fromMicros(queued), fromMicros(ready)
	st.DeletedAt, st.UpdatedAt, st.CheckDue = fromMicros(deleted), fromMicros(updated), fromMicros(due)
	if err := json.Unmarshal([]byte(change), &st.Change); err != nil {
		return Store{}, fmt.Errorf("decode change of store %s: %w", st.ID, err)
	}
	if err := json.Unmarshal([]byte(health), &st.Health); err != nil {
		return Store{}, fmt.Errorf("decode health of store %s: %w", st.ID, err)
	}
	st.Volumes = splitLines(volumes)
	if failure != "" {
		if err := json.Unmarshal([]byte(failure), &st.Failure); err != nil {
			return Store{}, fmt.Errorf("decode failure of store %s: %w", st.ID, err)
		}
	}
	return st, nil
}

// splitLines returns no line of an empty text.
func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func queryStore(ctx context.Context, q querier, id string) (Store, error) {
	st, err := scanStore(q.QueryRowContext(ctx, `SELECT `+storeColumns+` FROM stores WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Store{}, notFound("store")
	}
	if err != nil {
		return Store{}, fmt.Errorf("read store %s: %w", id, err)
	}
	return st, nil
}

// lockStore reads a store that is going to be saved. Its row stays locked until the transaction
// ends: what another writer changes after it was read would be overwritten, as all columns are
// written.
func (t tx) lockStore(ctx context.Context, id string) (Store, error) {
	if _, err := t.ExecContext(ctx, `UPDATE stores SET id = id WHERE id = $1`, id); err != nil {
		return Store{}, fmt.Errorf("lock store %s: %w", id, err)
	}
	return queryStore(ctx, t, id)
}

func (t tx) insertStore(ctx context.Context, st Store) error {
	change, err := encode("change", st.Change)
	if err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `
		INSERT INTO stores (`+storeColumns+`, search, claim_holder, claim_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, '', '', $16, 0, 0, '', '', '', '', '{}', 0, 0, $17, $18, $19, 0, 0, $20, $21, $22, $23, $24, '', 0)`,
		st.ID, st.TeamID, st.ClusterID, st.Name, st.Slug, st.Namespace, st.Host, st.Engine, st.Template, st.Plan,
		st.Status, st.Desired, st.Generation, st.ObservedGeneration, st.Step, change, st.CreatedBy,
		micros(st.CreatedAt), micros(st.QueuedAt), micros(st.UpdatedAt), st.Country, st.Currency, st.OwnerEmail, fold(st.Name+"\n"+st.Host))
	if err != nil {
		return fmt.Errorf("insert store: %w", err)
	}
	return nil
}

// saveStore writes what may change about a store if it still is as it was before:
// compare-and-set on status and generation.
func (t tx) saveStore(ctx context.Context, before, st Store) error {
	failure := ""
	if st.Failure.Title != "" {
		var err error
		if failure, err = encode("failure", st.Failure); err != nil {
			return err
		}
	}
	change, err := encode("change", st.Change)
	if err != nil {
		return err
	}
	health, err := encode("health", st.Health)
	if err != nil {
		return err
	}
	result, err := t.ExecContext(ctx, `
		UPDATE stores SET status = $4, desired = $5, generation = $6, observed_generation = $7, step = $8, failure = $9,
			chart_version = $10, url = $11, admin_url = $12, worked = $13, queued_at = $14, ready_at = $15,
			deleted_at = $16, updated_at = $17, message = $18, volumes = $19, health = $20, check_due = $21,
			change = $22, revision = $23, sold = $24, check_asked = $25, owner_email = $26
		WHERE id = $1 AND status = $2 AND generation = $3`,
		st.ID, before.Status, before.Generation, st.Status, st.Desired, st.Generation, st.ObservedGeneration, st.Step, failure,
		st.ChartVersion, st.URL, st.AdminURL, st.Worked.Microseconds(), micros(st.QueuedAt), micros(st.ReadyAt),
		micros(st.DeletedAt), t.now, st.Message, strings.Join(st.Volumes, "\n"), health, micros(st.CheckDue),
		change, st.Revision, st.Sold, st.Health.Place, st.OwnerEmail)
	return expectOne(result, err, "save store "+st.ID)
}

// encode makes the JSON by which a part of a store is kept in its row.
func encode(what string, part any) (string, error) {
	encoded, err := json.Marshal(part)
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", what, err)
	}
	return string(encoded), nil
}
