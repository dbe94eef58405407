package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AuditGroup is a group of kinds of what people do, to filter by.
type AuditGroup string

// The groups there are.
const (
	AuditStores       AuditGroup = "stores"
	AuditCredentials  AuditGroup = "credentials"
	AuditTeams        AuditGroup = "teams" // who is in them, and what they are called
	AuditSignIns      AuditGroup = "sign-ins"
	AuditTokens       AuditGroup = "tokens"
	AuditInstallation AuditGroup = "installation"
)

// AuditGroups are all groups there are.
func AuditGroups() []AuditGroup {
	return []AuditGroup{AuditStores, AuditCredentials, AuditTeams, AuditSignIns, AuditTokens, AuditInstallation}
}

// subjects are the first words of the group's kinds.
func (g AuditGroup) subjects() []string {
	switch g {
	case AuditStores:
		return []string{"store", "check"}
	case AuditCredentials:
		return []string{"credentials"}
	case AuditTeams:
		return []string{"team", "member", "invitation"}
	case AuditSignIns:
		return []string{"user", "session", "identity"}
	case AuditTokens:
		return []string{"token"}
	case AuditInstallation:
		return []string{"installation", "plan", "limit", "cluster"}
	}
	return nil
}

// Platform is what the platform itself is called where a person's name could stand.
const Platform = "Shopwright"

// AuditQuery selects events of the audit log. What is empty selects everything.
type AuditQuery struct {
	Person string // found in the name of the person or of the token, or in the IP address, whatever the case and accents
	Group  AuditGroup
	TeamID string
	Object string    // found in the object's name, or in what was changed about it, whatever the case and accents
	From   time.Time // the first moment
	Until  time.Time // the first moment that is not asked for
	Before int64     // number of the event below which the page begins
	Limit  int
}

// Audit returns what people did, newest first: in the teams whose log the actor may read, or
// in all of them for an administrator.
func (db *DB) Audit(ctx context.Context, actor Actor, q AuditQuery) ([]Event, error) {
	if !actor.MayAudit() {
		return nil, &Error{Code: Forbidden, Message: "The audit log is for a team’s owners and admins. Ask one of them."}
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

// MayAudit reports whether the actor may read any part of the audit log.
func (a Actor) MayAudit() bool {
	return a.May(ViewAllAudit, Installation) || len(a.Teams(ViewAudit)) > 0
}

// selectedEvents is the condition that the query selects an event which the actor may read.
func selectedEvents(actor Actor, q AuditQuery) (string, []any) {
	where, args := "1 = 1", []any(nil)
	add := func(condition string, arg any) {
		args = append(args, arg)
		where += " AND " + strings.ReplaceAll(condition, "$", "$"+strconv.Itoa(len(args)))
	}
	if !actor.May(ViewAllAudit, Installation) {
		where, args = inList("team_id", actor.Teams(ViewAudit), 1)
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
		for _, subject := range q.Group.subjects() {
			args = append(args, subject+".%")
			either = append(either, "kind LIKE $"+strconv.Itoa(len(args)))
		}
		where += " AND (" + strings.Join(either, " OR ") + ")"
	}
	return where, args
}

// contains is the pattern of what has the text in it, once it is folded.
func contains(text string) string { return "%" + likeEscaper.Replace(fold(text)) + "%" }

// who is what an audited event is found by when a person is looked for.
func (e Event) who() string {
	if !e.Kind.audited() {
		return ""
	}
	return fold(strings.Join([]string{cmp.Or(e.Actor, Platform), e.Token, e.Address}, "\n"))
}

// what is what an audited event is found by when an object is looked for.
func (e Event) what() string {
	if !e.Kind.audited() {
		return ""
	}
	return fold(strings.Join([]string{e.Object, e.Data.Before, e.Data.After, e.Data.Email}, "\n"))
}

// SeenBy is the event without what only those may know who read the audit log: where people
// were, and whom they have invited. Whether the actor sees anything of it, [Actor.Sees] tells.
func (e Event) SeenBy(actor Actor) Event {
	if actor.May(ViewAudit, e.TeamID) {
		return e
	}
	e.Address = ""
	if slices.Contains([]Kind{MemberInvited, InvitationAnew, InvitationEnded}, e.Kind) {
		e.Object, e.Data.Anyone = "", false
	}
	return e
}

func seenBy(actor Actor, events []Event) []Event {
	for i, e := range events {
		events[i] = e.SeenBy(actor)
	}
	return events
}

// LivingStores returns which of the stores are there for the actor to look at.
func (db *DB) LivingStores(ctx context.Context, actor Actor, ids []string) (map[string]bool, error) {
	in, args := inList("id", ids, 1)
	teams, more := inList("team_id", actor.Teams(ViewStores), len(args)+1)
	living := map[string]bool{}
	rows, err := db.read.QueryContext(ctx, `SELECT id FROM stores WHERE deleted_at = 0 AND `+in+` AND `+teams, append(args, more...)...)
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
