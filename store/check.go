package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Check is what came of shopping in a store as a customer would. It is kept as JSON.
type Check struct {
	At        time.Time   `json:"at,omitzero"`
	OK        bool        `json:"ok,omitempty"`
	Simulated bool        `json:"simulated,omitempty"` // nobody has shopped: the cluster runs no containers
	Closed    bool        `json:"closed,omitempty"`    // the owner has closed the shop on purpose
	Order     string      `json:"order,omitempty"`     // number of the order that was placed, and cancelled; empty when none was
	Steps     []CheckStep `json:"steps,omitempty"`     // those that were done, in order
	Failed    string      `json:"failed,omitempty"`    // the step at which it ended
	Message   string      `json:"message,omitempty"`   // why, in the shop's words
	Cause     string      `json:"cause,omitempty"`     // why, as far as the pods and their logs tell; one sentence
	Address   Reached     `json:"address,omitzero"`    // what the public address said
}

// Outcome says in a few words what the check came to.
func (c Check) Outcome() string {
	var took time.Duration
	for _, step := range c.Steps {
		took += step.Took
	}
	took = took.Round(100 * time.Millisecond)
	switch {
	case !c.OK:
		return c.Failed + ": " + c.Message
	case c.Simulated:
		return "Simulated: no order was placed"
	case c.Closed:
		return "The owner has closed the shop"
	case c.Order != "":
		return fmt.Sprintf("Order %s placed in %s and cancelled", c.Order, took)
	case len(c.Steps) == 0:
		return c.Message
	default:
		return fmt.Sprintf("Reached checkout in %s", took)
	}
}

// explained is the outcome with its cause, where that is known.
func (c Check) explained() string {
	if c.Cause == "" {
		return c.Outcome()
	}
	return kept(strings.TrimRight(c.Outcome(), ".") + ". " + c.Cause)
}

// CheckStep is a part of a check, such as adding something to the cart.
type CheckStep struct {
	Name string        `json:"name"`
	Took time.Duration `json:"took"`
}

// Reached is what the public address of a shop said to the platform.
type Reached struct {
	Outcome Reachability `json:"outcome,omitempty"`
	Message string       `json:"message,omitempty"` // one sentence
}

// Reachability tells whether a shop can be reached at its public address.
type Reachability string

// The platform may be where the address leads nowhere: that says nothing about customers.
const (
	NotAsked    Reachability = ""
	Answers     Reachability = "answers"
	NotFromHere Reachability = "not_from_here"
	WrongAnswer Reachability = "wrong"
)

// Health is what is known of whether a store sells.
type Health struct {
	Last     Check `json:"last,omitzero"`
	Failures int   `json:"failures,omitempty"` // in a row
}

// opened forgets what was known before the store was ready: its first check is all there is.
func (h *Health) opened(c Check, at time.Time) {
	c.At = at
	*h = Health{Last: c}
}

// failuresUntilDegraded is how many checks in a row must fail: one may meet a restart.
const failuresUntilDegraded = 2

// CanCheck reports whether a person may have the shop checked now.
func (s Store) CanCheck() bool {
	return (s.Status == Ready || s.Status == Degraded) && s.Desired == Present
}

// CheckNow has a store that is ready checked with an order as soon as there is room.
func (db *DB) CheckNow(ctx context.Context, actor Actor, id string) (st Store, err error) {
	if _, err := db.FindStoreTo(ctx, actor, RetryStores, id); err != nil {
		return Store{}, err
	}
	err = db.update(ctx, func(t tx) error {
		if st, err = t.lockStore(ctx, id); err != nil {
			return err
		}
		if !st.CanCheck() {
			return &Error{Code: Conflict, Message: "This store is " + string(st.Status) + ". Only a ready store can be checked."}
		}
		if err := t.checkSoon(ctx, &st, actor.by(), true); err != nil {
			return err
		}
		asked := storeEvent(st, actor, CheckAsked)
		asked.JobID = ""
		return t.append(ctx, asked)
	})
	return st, err
}

// CheckSince has a store that is ready checked as soon as there is room, unless it was checked
// after that time or is due anyway. It reports whether the store can be checked: one that is
// being opened or changed cannot.
func (db *DB) CheckSince(ctx context.Context, id string, since time.Time) (can bool, err error) {
	err = db.update(ctx, func(t tx) error {
		st, err := queryStore(ctx, t, id)
		if can = st.CanCheck(); err != nil || !can || checkedSince(st, since, t.now) {
			return err
		}
		if st, err = t.lockStore(ctx, id); err != nil {
			return err
		}
		if can = st.CanCheck(); !can {
			return nil
		}
		return t.checkSoon(ctx, &st, By{}, false)
	})
	if ErrorCode(err) == NotFound { // it is not of these records
		return false, nil
	}
	return can, err
}

// checkedSince reports whether the store was checked after that moment, or is due to be.
func checkedSince(s Store, since time.Time, now int64) bool {
	due := !s.CheckDue.IsZero() && micros(s.CheckDue) <= now
	return due || s.Health.Last.At.After(since)
}

// checkSoon makes a check of a locked store due that is to be made some day, or one of its own. One
// that a person asks for places an order, also when another one goes on: that one is followed by it.
func (t tx) checkSoon(ctx context.Context, st *Store, asked By, place bool) error {
	job, err := t.pendingCheck(ctx, st.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return t.insertCheck(ctx, st, newCheck(*st, asked, place), st.UpdatedAt)
	}
	if err != nil {
		return err
	}
	job.Due = st.UpdatedAt
	if place {
		job.Priority, job.Place, job.AskedBy = Pressed, true, asked
	}
	st.CheckDue, st.CheckAsked = job.Due, job.Priority == Pressed
	return t.saveJob(ctx, &job)
}

func newCheck(st Store, asked By, place bool) Job {
	priority := Scheduled
	if place {
		priority = Pressed
	}
	return Job{
		ID: newID(), StoreID: st.ID, ClusterID: st.ClusterID, Kind: CheckJob, State: JobPending, Priority: priority,
		Args: Args{Place: place}, Attempt: 1, AskedBy: asked, AskedAt: st.UpdatedAt,
	}
}

func (t tx) insertCheck(ctx context.Context, st *Store, check Job, due time.Time) error {
	check.Due = due
	st.CheckDue, st.CheckAsked = due, check.Priority == Pressed
	return t.insertJob(ctx, &check)
}

// checkIn has a locked store checked after that time; zero is never.
func (t tx) checkIn(ctx context.Context, st *Store, next time.Duration) error {
	if st.CheckDue, st.CheckAsked = (time.Time{}), false; next == 0 {
		return nil
	}
	return t.insertCheck(ctx, st, newCheck(*st, By{}, false), st.UpdatedAt.Add(next))
}

func (t tx) pendingCheck(ctx context.Context, storeID string) (j Job, err error) {
	err = t.QueryRowContext(ctx, `SELECT `+jobColumns.list("")+` FROM jobs WHERE store_id = $1 AND kind = 'check' AND ended_at = 0`, storeID).
		Scan(jobColumns.of(&j)...)
	if err != nil {
		return Job{}, fmt.Errorf("read the check of store %s: %w", storeID, err)
	}
	return j, nil
}

// RecordCheck writes down what came of a check of a claimed store that is ready, and has the next
// one made after that time, or at once when somebody has asked for it meanwhile. Enough failures in
// a row make the store degraded, and one success makes it ready again.
func (db *DB) RecordCheck(ctx context.Context, c Claim, check Check, next time.Duration) (Store, error) {
	check = check.kept()
	var st Store
	err := db.update(ctx, func(t tx) (err error) {
		if st, err = t.lockClaimed(ctx, c); err != nil {
			return err
		}
		check.At = st.UpdatedAt
		job, err := queryJob(ctx, t, c.Job.ID)
		if err != nil {
			return err
		}
		asked := job.Place && !c.Job.Place // since this check was begun
		job.Check, job.Step = check, StepCheck
		job.end(JobDone, st.UpdatedAt)
		if err := t.saveJob(ctx, &job); err != nil {
			return err
		}
		if asked {
			err = t.insertCheck(ctx, &st, newCheck(st, job.AskedBy, true), st.UpdatedAt)
		} else {
			err = t.checkIn(ctx, &st, next)
		}
		if err != nil {
			return err
		}
		events := st.checked(check, c.Job)
		return t.saveWithEvents(ctx, st, events)
	})
	return st, err
}

// checked changes what is known of whether the store sells, and tells of it.
func (s *Store) checked(check Check, job Job) []Event {
	s.Health = Health{Last: check, Failures: s.Health.Failures + 1}
	if check.OK {
		s.Health.Failures = 0
	}
	tell := func(kind Kind, message string) Event {
		e := told(storeEvent(*s, Actor{}, kind), message)
		e.JobID = job.ID
		return e
	}
	done := tell(Checked, check.Outcome())
	done.Data.Asked = job.Place
	switch {
	case check.OK && s.Status == Degraded:
		s.Status = Ready
		return []Event{done, tell(StoreRecovered, "")}
	case s.Status == Ready && s.Health.Failures >= failuresUntilDegraded:
		s.Status = Degraded
		return []Event{done, tell(StoreDegraded, check.explained())}
	}
	return []Event{done}
}

func (c Check) kept() Check {
	c.Cause = kept(c.Cause)
	c.Message, c.Failed, c.Order, c.Address.Message = kept(c.Message), kept(c.Failed), kept(c.Order), kept(c.Address.Message)
	const mostSteps = 20
	c.Steps = c.Steps[:min(len(c.Steps), mostSteps)]
	for i := range c.Steps {
		c.Steps[i].Name = kept(c.Steps[i].Name)
	}
	return c
}
