package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Event is one line of the story: the timeline of a store, the audit log, and what a
// browser resumes its stream from are all made of these.
type Event struct {
	Number  int64 // in commit order
	TeamID  string
	StoreID string
	JobID   string // of the work on the store that it tells of; empty for other events
	ActorID string // empty for the platform itself
	Actor   string
	Token   string // name of the token that the actor used; empty for a browser
	Address string // IP address that it was asked from; empty for the platform itself
	Kind    Kind
	Step    Step
	Object  string // what it is about, by its name at the time
	Message string
	Data    EventData
	Audit   bool
	At      time.Time
}

// Kind says what an event tells.
type Kind string

// The kinds of events.
const (
	StoreCreated     Kind = "store.created"
	StoreRetried     Kind = "store.retried"
	StoreRebuilt     Kind = "store.rebuilt"  // from nothing, after its data were lost
	StoreRepaired    Kind = "store.repaired" // put back to what its chart says
	UpgradeAsked     Kind = "store.upgrade_asked"
	RollbackAsked    Kind = "store.rollback_asked"
	OwnerAsked       Kind = "store.owner_asked"   // another owner's address, for a shop that keeps it
	OwnerChanged     Kind = "store.owner_changed" // of a shop that does not keep it
	ChangeCancelled  Kind = "store.change_cancelled"
	StoreUndone      Kind = "store.undone" // a change failed, and the platform goes back by itself
	StoreDeleteAsked Kind = "store.delete_asked"
	StoreReady       Kind = "store.ready"
	StoreFailed      Kind = "store.failed"
	StoreDeleted     Kind = "store.deleted"
	StoreDegraded    Kind = "store.degraded"  // checks have failed
	StoreRecovered   Kind = "store.recovered" // a check has succeeded again
	CheckAsked       Kind = "check.asked"
	Checked          Kind = "check.done"
	StepStarted      Kind = "step.started"
	StepProgressed   Kind = "step.progressed"
	StepFinished     Kind = "step.finished"
	CredentialsShown Kind = "credentials.shown"
	SignedIn         Kind = "user.signed_in"
	SignedOut        Kind = "user.signed_out"
	SessionEnded     Kind = "user.session_ended" // from another browser, or by an administrator
	IdentityLinked   Kind = "identity.linked"    // another sign-in method of the user
	IdentityRemoved  Kind = "identity.removed"
	MemberAdded      Kind = "member.added"
	MemberRemoved    Kind = "member.removed"
	MemberInvited    Kind = "member.invited"
	MemberJoined     Kind = "member.joined"
	RoleChanged      Kind = "member.role_changed"
	InvitationEnded  Kind = "invitation.revoked"
	InvitationAnew   Kind = "invitation.renewed"
	TeamCreated      Kind = "team.created"
	TeamRenamed      Kind = "team.renamed"
	TeamDeleted      Kind = "team.deleted"
	TokenCreated     Kind = "token.created"
	TokenRevoked     Kind = "token.revoked"
	PlanAdded        Kind = "plan.added"
	PlanChanged      Kind = "plan.changed"
	TeamPlanSet      Kind = "team.plan_set"
	UserDisabled     Kind = "user.disabled"
	UserEnabled      Kind = "user.enabled"
	AdminMade        Kind = "user.admin_made"
	AdminUnmade      Kind = "user.admin_unmade"
	LoginLinkMade    Kind = "user.login_link_made"
)

// EventData are the facts of an event. Which of them an event has depends on its kind. They are kept
// as JSON, and hold no sentences: package phrase makes those.
type EventData struct {
	Generation int64  `json:"generation,omitempty"`
	Status     Status `json:"status,omitempty"` // the store's status after the event
	UserID     string `json:"user,omitempty"`   // whose membership or account it is about
	Before     string `json:"before,omitempty"` // a value that was changed: a name, a role, a plan, an email address
	After      string `json:"after,omitempty"`
	Asked      bool   `json:"asked,omitempty"` // a check was made because somebody asked for it

	How       How           `json:"how,omitempty"`
	Method    string        `json:"method,omitempty"`     // label of a sign-in method
	Email     string        `json:"email,omitempty"`      // address of a sign-in method, or that the settings name
	InvitedBy string        `json:"invited_by,omitempty"` // name of who invited a member
	Anyone    bool          `json:"anyone,omitempty"`     // an invitation is for no address: whoever has the link may use it
	Lifetime  time.Duration `json:"lifetime,omitempty"`   // of a login link
	Scopes    []Scope       `json:"scopes,omitempty"`     // of a token

	PlanBefore Figures `json:"plan_before,omitzero"`
	PlanAfter  Figures `json:"plan_after,omitzero"`

	Change  Change  `json:"change,omitzero"`  // of a store, without what it undoes
	Failure Failure `json:"failure,omitzero"` // of work on a store, without what explains it
}

// How tells apart the ways in which events of one kind come about.
type How string

// The ways there are. An event that comes about in only one way, or in the usual one, has none.
const (
	ByFirstUser   How = "first_user"   // the first user of all becomes an administrator
	BySettings    How = "settings"     // the settings name an administrator's address
	ByProvider    How = "provider"     // a provider alone makes an administrator
	ByLoginLink   How = "login_link"   // a login link makes an administrator
	ByAddress     How = "address"      // a sign-in method is linked by its verified address
	ByNextSignIn  How = "next_sign_in" // a session ends with the next one in the same browser
	OneSession    How = "session"      // a user ends one of the own sessions
	OtherSessions How = "sessions"     // a user ends all own sessions but the current one
)

// sign writes into the event who asked for it. Without an actor it was the platform itself.
func (a Actor) sign(e Event) Event {
	e.ActorID, e.Actor, e.Token, e.Address = a.UserID, a.Name, a.Token, a.Address
	return e
}

// Asks reports whether the event asks the platform to work on a store.
func (k Kind) Asks() bool {
	switch k {
	case StoreCreated, StoreRetried, StoreRebuilt, StoreRepaired, UpgradeAsked, RollbackAsked, OwnerAsked, ChangeCancelled, StoreDeleteAsked, CheckAsked:
		return true
	}
	return false
}

// audited kinds tell what people did, and are kept for ever. Others tell how the platform's
// own work goes.
func (k Kind) audited() bool {
	switch k {
	case StoreReady, StoreFailed, StoreUndone, StoreDegraded, StoreRecovered, Checked,
		StepStarted, StepProgressed, StepFinished:
		return false
	}
	return true
}

// RightsOf returns whose rights the event may have changed, empty for nobody's.
func (e Event) RightsOf() (userID string) {
	switch e.Kind {
	case SignedOut, IdentityRemoved:
		return e.ActorID
	case SessionEnded:
		return cmp.Or(e.Data.UserID, e.ActorID)
	case MemberAdded, MemberRemoved, MemberJoined, RoleChanged, TeamCreated, TokenRevoked:
		return e.Data.UserID
	case UserDisabled, UserEnabled, AdminMade, AdminUnmade:
		return e.Data.UserID
	}
	return ""
}

// append numbers and writes the event. Its counter row stays locked until the transaction
// ends, so append last.
func (t tx) append(ctx context.Context, e Event) error {
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
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		number, e.TeamID, e.StoreID, e.ActorID, e.Actor, e.Token, e.Address, e.Kind, e.Step, e.Object, e.Message, string(data), e.Kind.audited(), t.now, e.JobID,
		e.who(), e.what())
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

const eventColumns = `number, team_id, store_id, actor_id, actor, token, address, kind, step, object, message, data, audit, created_at, job_id`

func scanEvent(row scanner) (Event, error) {
	var (
		e    Event
		data string
		at   int64
	)
	err := row.Scan(&e.Number, &e.TeamID, &e.StoreID, &e.ActorID, &e.Actor, &e.Token, &e.Address, &e.Kind, &e.Step, &e.Object, &e.Message, &data, &e.Audit, &at, &e.JobID)
	if err != nil {
		return Event{}, err
	}
	e.At = fromMicros(at)
	if err := json.Unmarshal([]byte(data), &e.Data); err != nil {
		return Event{}, fmt.Errorf("decode event %d: %w", e.Number, err)
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
func (db *DB) eventsAfter(ctx context.Context, number int64, limit int) ([]Event, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT `+eventColumns+` FROM events WHERE number > $1 ORDER BY number LIMIT $2`, number, limit)
	events, err := collect(rows, err, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("read events after %d: %w", number, err)
	}
	return events, nil
}

// EventsAfter returns at most limit events that follow the number and may be shown to the
// actor, oldest first, each as the actor sees it; of one store, or of all when its id is empty.
func (db *DB) EventsAfter(ctx context.Context, actor Actor, number int64, storeID string, limit int) ([]Event, error) {
	where, args := inList("team_id", append(actor.Teams(ViewActivity), Installation), 3)
	args = append([]any{number, limit}, args...)
	if !actor.May(ViewAllAudit, Installation) {
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

// StoreEvents returns the latest that happened to the store, and all steps of the latest work on
// it, oldest first.
func (db *DB) StoreEvents(ctx context.Context, storeID string) ([]Event, error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT `+eventColumns+` FROM events
		WHERE store_id = $1 AND number >= (
			SELECT COALESCE(MIN(number), 0) FROM (SELECT number FROM events WHERE store_id = $1 ORDER BY number DESC LIMIT $2) latest)
		UNION
		SELECT `+eventColumns+` FROM events
		WHERE store_id = $1 AND job_id = (SELECT job_id FROM stores WHERE id = $1)
		ORDER BY number`, storeID, latestEvents)
	events, err := collect(rows, err, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("read events of store %s: %w", storeID, err)
	}
	return events, nil
}

// Activity returns what people did in the actor's teams and how it ended, newest first,
// below the event number before (0 for the newest), at most limit lines.
func (db *DB) Activity(ctx context.Context, actor Actor, before int64, limit int) ([]Event, error) {
	if before == 0 {
		before = 1 << 62
	}
	teams := actor.Teams(ViewActivity)
	where, args := inList("team_id", teams, 3)
	rows, err := db.read.QueryContext(ctx, `
		SELECT `+eventColumns+` FROM events
		WHERE number < $1 AND (audit OR kind IN ('store.ready', 'store.failed', 'store.undone')) AND `+where+`
		ORDER BY number DESC LIMIT $2`, append([]any{before, limit}, args...)...)
	events, err := collect(rows, err, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("read activity: %w", err)
	}
	return seenBy(actor, events), nil
}

// RecordCredentialsShown writes down that the actor was shown the store's credentials.
func (db *DB) RecordCredentialsShown(ctx context.Context, actor Actor, st Store) error {
	return db.update(ctx, func(t tx) error {
		return t.append(ctx, actor.sign(Event{
			TeamID: st.TeamID, StoreID: st.ID, Kind: CredentialsShown, Object: st.Name,
		}))
	})
}
