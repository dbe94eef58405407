package database

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"shopwright.dev/shopwright/store"
)

// append numbers and writes the event. Its counter row stays locked until the transaction
// ends, so append last.
func (t tx) append(ctx context.Context, e store.Event) error {
	data, err := json.Marshal(e.Data)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	var number int64
	err = t.QueryRowContext(ctx, `UPDATE counters SET value = value + 1 WHERE name = 'events' RETURNING value`).Scan(&number)
	if err != nil {
		return fmt.Errorf("number event %s: %w", e.Kind, err)
	}
	_, err = t.ExecContext(ctx, `
		INSERT INTO events (`+eventColumns+`, who, what)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		number, e.TeamID, e.StoreID, e.ActorID, e.Actor, e.Token, e.Address, e.Kind, e.Step, e.Object, string(data), e.Kind.Audited(), t.now, e.JobID,
		e.PersonText(), e.ObjectText())
	if err != nil {
		return fmt.Errorf("write event %s: %w", e.Kind, err)
	}
	return t.notify(ctx, number)
}

// notify tells the other processes on the same Postgres once the transaction is committed.
func (t tx) notify(ctx context.Context, number int64) error {
	if !t.postgres {
		return nil
	}
	if _, err := t.ExecContext(ctx, `SELECT pg_notify($1, $2)`, channel, strconv.FormatInt(number, 10)); err != nil {
		return fmt.Errorf("notify of event %d: %w", number, err)
	}
	return nil
}

const eventColumns = `number, team_id, store_id, actor_id, actor, token, address, kind, step, object, data, audit, created_at, job_id`

func scanEvent(row scanner) (store.Event, error) {
	var (
		e    store.Event
		data string
		at   int64
	)
	err := row.Scan(&e.Number, &e.TeamID, &e.StoreID, &e.ActorID, &e.Actor, &e.Token, &e.Address, &e.Kind, &e.Step, &e.Object, &data, &e.Audit, &at, &e.JobID)
	if err != nil {
		return store.Event{}, err
	}
	e.At = fromMicros(at)
	if err := json.Unmarshal([]byte(data), &e.Data); err != nil {
		return store.Event{}, fmt.Errorf("decode event %d: %w", e.Number, err)
	}
	return e, nil
}

func lastEvent(ctx context.Context, q querier) (int64, error) {
	var number int64
	if err := q.QueryRowContext(ctx, `SELECT value FROM counters WHERE name = 'events'`).Scan(&number); err != nil {
		return 0, fmt.Errorf("read the last event's number: %w", err)
	}
	return number, nil
}

// LastEvent returns the number of the newest event, 0 when there is none.
func (db *DB) LastEvent(ctx context.Context) (int64, error) { return lastEvent(ctx, db.read) }

// eventsAfter returns at most limit events that follow the number, oldest first.
func (db *DB) eventsAfter(ctx context.Context, number int64, limit int) ([]store.Event, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT `+eventColumns+` FROM events WHERE number > $1 ORDER BY number LIMIT $2`, number, limit)
	events, err := collect(rows, err, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("read events after %d: %w", number, err)
	}
	return events, nil
}

// EventsAfter returns at most limit events that follow the number and may be shown to the
// actor, oldest first, each as the actor sees it; of one store, or of all when its id is empty.
func (db *DB) EventsAfter(ctx context.Context, actor store.Actor, number int64, storeID string, limit int) ([]store.Event, error) {
	where, args := inList("team_id", append(actor.Teams(store.ViewActivity), store.Installation), 3)
	args = append([]any{number, limit}, args...)
	if !actor.May(store.ViewAllAudit, store.Installation) {
		where += " AND (team_id <> '' OR NOT audit)"
	}
	if storeID != "" {
		args = append(args, storeID)
		where += " AND store_id = $" + strconv.Itoa(len(args))
	}
	rows, err := db.read.QueryContext(ctx, `SELECT `+eventColumns+` FROM events WHERE number > $1 AND `+where+` ORDER BY number LIMIT $2`, args...)
	events, err := collect(rows, err, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("read events after %d: %w", number, err)
	}
	return seenBy(actor, events), nil
}

// latestEvents is how many events of a store are shown beside those of its latest work.
const latestEvents = 100

// StoreEvents returns the latest events of the store and all of its latest job, oldest first, each
// as the actor sees it. A store that the actor may not see has none.
func (db *DB) StoreEvents(ctx context.Context, actor store.Actor, storeID string) ([]store.Event, error) {
	where, args := visible(actor, 3)
	rows, err := db.read.QueryContext(ctx, `
		SELECT `+eventColumns+` FROM events
		WHERE store_id = $1 AND `+where+` AND number >= (
			SELECT COALESCE(MIN(number), 0) FROM (SELECT number FROM events WHERE store_id = $1 ORDER BY number DESC LIMIT $2) latest)
		UNION
		SELECT `+eventColumns+` FROM events
		WHERE store_id = $1 AND `+where+` AND job_id = (SELECT job_id FROM stores WHERE id = $1)
		ORDER BY number`, append([]any{storeID, latestEvents}, args...)...)
	events, err := collect(rows, err, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("read events of store %s: %w", storeID, err)
	}
	return seenBy(actor, events), nil
}

// Activity returns what people did in the actor's teams and how it ended, newest first,
// below the event number before (0 for the newest), at most limit lines.
func (db *DB) Activity(ctx context.Context, actor store.Actor, before int64, limit int) ([]store.Event, error) {
	if before == 0 {
		before = 1 << 62
	}
	teams := actor.Teams(store.ViewActivity)
	where, args := inList("team_id", teams, 3)
	rows, err := db.read.QueryContext(ctx, `
		SELECT `+eventColumns+` FROM events
		WHERE number < $1 AND (audit OR kind IN ('store.ready', 'store.failed', 'store.undone', 'drill.failed', 'drill.overdue')) AND `+where+`
		ORDER BY number DESC LIMIT $2`, append([]any{before, limit}, args...)...)
	events, err := collect(rows, err, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("read activity: %w", err)
	}
	return seenBy(actor, events), nil
}

// RecordCredentialsShown writes down that the actor was shown the store's credentials.
func (db *DB) RecordCredentialsShown(ctx context.Context, actor store.Actor, st store.Store) error {
	return db.update(ctx, func(t tx) error {
		return t.append(ctx, actor.Sign(store.Event{
			TeamID: st.TeamID, StoreID: st.ID, Kind: store.CredentialsShown, Object: st.Name,
		}))
	})
}
