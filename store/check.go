package store

import (
	"context"
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
		return "The shop is closed by its owner"
	case c.Order != "":
		return fmt.Sprintf("Order %s sold in %s, and cancelled", c.Order, took)
	case len(c.Steps) == 0:
		return c.Message
	default:
		return fmt.Sprintf("Walked to the till in %s", took)
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
	Place    bool  `json:"place,omitempty"`    // the next check places an order
}

// checkIn sets when the next check is due; zero is never.
func (s *Store) checkIn(next time.Duration) {
	s.CheckDue = time.Time{}
	if next > 0 {
		s.CheckDue = s.UpdatedAt.Add(next)
	}
}

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
func (db *DB) CheckNow(ctx context.Context, actor Actor, id string) (Store, error) {
	if _, err := db.FindStoreTo(ctx, actor, RetryStores, id); err != nil {
		return Store{}, err
	}
	return untilFresh(ctx, func() (Store, error) { return db.askCheck(ctx, actor, id) })
}

// askCheck returns ErrStale when another writer came first.
func (db *DB) askCheck(ctx context.Context, actor Actor, id string) (st Store, err error) {
	err = db.update(ctx, func(t tx) error {
		before, err := t.lockStore(ctx, id)
		if err != nil {
			return err
		}
		if !before.CanCheck() {
			return &Error{Code: Conflict, Message: "Only a store that is ready can be checked, and this one is " + string(before.Status) + "."}
		}
		st = before
		st.Health.Place, st.CheckDue = true, fromMicros(t.now)
		if err := t.saveStore(ctx, before, st); err != nil {
			return err
		}
		return t.append(ctx, storeEvent(st, actor, CheckAsked, ""))
	})
	return st, err
}

// RecordCheck writes down what came of a check of a claimed store that is ready, and when
// the next one is due, from now. Enough failures in a row make it degraded, and one success
// makes it ready again.
func (db *DB) RecordCheck(ctx context.Context, c Claim, check Check, next time.Duration) (Store, error) {
	check = check.kept()
	return db.work(ctx, c, func(_ tx, st *Store) ([]Event, error) {
		check.At = st.UpdatedAt
		asked := st.Health.Place && !c.Store.Health.Place // since this check was begun
		st.Health = Health{Last: check, Failures: st.Health.Failures + 1}
		st.checkIn(next)
		if asked {
			st.Health.Place, st.CheckDue = true, st.UpdatedAt
		}
		if check.OK {
			st.Health.Failures = 0
		}
		done := storeEvent(*st, Actor{}, Checked, check.Outcome())
		done.Data.Asked = c.Store.Health.Place
		events := []Event{done}
		switch {
		case check.OK && st.Status == Degraded:
			st.Status = Ready
			return append(events, storeEvent(*st, Actor{}, StoreRecovered, "")), nil
		case st.Status == Ready && st.Health.Failures >= failuresUntilDegraded:
			st.Status = Degraded
			return append(events, storeEvent(*st, Actor{}, StoreDegraded, check.explained())), nil
		}
		return events, nil
	})
}

// CheckSince has a store that is ready checked as soon as there is room, unless it was checked
// after that time or is due anyway. It reports whether the store can be checked: one that is
// being opened or changed cannot.
func (db *DB) CheckSince(ctx context.Context, id string, since time.Time) (can bool, err error) {
	err = db.update(ctx, func(t tx) error {
		before, err := t.lockStore(ctx, id)
		if err != nil {
			return err
		}
		can = before.CanCheck()
		due := !before.CheckDue.IsZero() && micros(before.CheckDue) <= t.now
		if !can || due || before.Health.Last.At.After(since) {
			return nil
		}
		st := before
		st.CheckDue = fromMicros(t.now)
		return t.saveStore(ctx, before, st)
	})
	if ErrorCode(err) == NotFound { // it is not of these records
		return false, nil
	}
	return can, err
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

// nextCheck is the store whose check has been due for the longest time, those first that somebody
// asked for, unless so many are being checked already.
func (t tx) nextCheck(ctx context.Context, limit Concurrency) (id string, err error) {
	err = t.QueryRowContext(ctx, `
		SELECT id FROM stores
		WHERE check_due > 0 AND check_due <= $1 AND claim_until <= $1 AND status IN ('ready', 'degraded') AND ($3 = '' OR cluster_id = $3) AND (
			SELECT COUNT(*) FROM stores WHERE check_due > 0 AND claim_until > $1 AND status IN ('ready', 'degraded')) < $2
		ORDER BY check_asked DESC, check_due, id LIMIT 1`, t.now, limit.Checks, limit.Cluster).Scan(&id)
	return id, err
}
