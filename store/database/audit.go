package database

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"shopwright.dev/shopwright/store"
)

// Audit returns what people did, newest first: in the teams whose log the actor may read, or
// in all of them for an administrator.
func (db *DB) Audit(ctx context.Context, actor store.Actor, q store.AuditQuery) ([]store.Event, error) {
	if !actor.MayAudit() {
		return nil, &store.Error{Code: store.Forbidden, Message: "The audit log is for a team’s owners and admins. Ask one of them."}
	}
	where, args := selectedEvents(actor, q)
	args = append(args, q.Limit)
	rows, err := db.read.QueryContext(ctx, `
		SELECT `+eventColumns+` FROM events WHERE audit AND `+where+` ORDER BY number DESC LIMIT $`+strconv.Itoa(len(args)), args...)
	events, err := collect(rows, err, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return events, nil
}

// selectedEvents is the condition that the query selects an event which the actor may read.
func selectedEvents(actor store.Actor, q store.AuditQuery) (string, []any) {
	where, args := "1 = 1", []any(nil)
	add := func(condition string, arg any) {
		args = append(args, arg)
		where += " AND " + strings.ReplaceAll(condition, "$", "$"+strconv.Itoa(len(args)))
	}
	if !actor.May(store.ViewAllAudit, store.Installation) {
		where, args = inList("team_id", actor.Teams(store.ViewAudit), 1)
	}
	if q.TeamID != "" {
		add("team_id = $", q.TeamID)
	}
	if q.Person != "" {
		add("who LIKE $ ESCAPE '!'", contains(q.Person))
	}
	if q.Object != "" {
		add("what LIKE $ ESCAPE '!'", contains(q.Object))
	}
	if !q.From.IsZero() {
		add("created_at >= $", micros(q.From))
	}
	if !q.Until.IsZero() {
		add("created_at < $", micros(q.Until))
	}
	if q.Before > 0 {
		add("number < $", q.Before)
	}
	if q.Group != "" {
		either := []string{"1 = 0"}
		for _, subject := range q.Group.Subjects() {
			args = append(args, subject+".%")
			either = append(either, "kind LIKE $"+strconv.Itoa(len(args)))
		}
		where += " AND (" + strings.Join(either, " OR ") + ")"
	}
	return where, args
}

// contains is the pattern of what has the text in it, once it is folded.
func contains(text string) string { return "%" + likeEscaper.Replace(store.Fold(text)) + "%" }

func seenBy(actor store.Actor, events []store.Event) []store.Event {
	for i, e := range events {
		events[i] = e.SeenBy(actor)
	}
	return events
}

// LivingStores returns which of the stores are there for the actor to look at.
func (db *DB) LivingStores(ctx context.Context, actor store.Actor, ids []string) (map[string]bool, error) {
	in, args := inList("id", ids, 1)
	teams, more := inList("team_id", actor.Teams(store.ViewStores), len(args)+1)
	living := map[string]bool{}
	rows, err := db.read.QueryContext(ctx, `SELECT id FROM stores WHERE deleted_at = 0 AND purpose = 'shop' AND `+in+` AND `+teams, append(args, more...)...)
	_, err = collect(rows, err, func(row scanner) (id string, err error) {
		err = row.Scan(&id)
		living[id] = true
		return id, err
	})
	if err != nil {
		return nil, fmt.Errorf("look for stores: %w", err)
	}
	return living, nil
}
