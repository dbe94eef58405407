package store

import "time"

// Check is what came of shopping in a store as a customer would. It is kept as JSON.
type Check struct {
	At        time.Time   `json:"at,omitzero"`
	OK        bool        `json:"ok,omitempty"`
	Simulated bool        `json:"simulated,omitempty"` // nobody has shopped: the cluster runs no containers
	Closed    bool        `json:"closed,omitempty"`    // the owner has closed the shop on purpose
	Order     string      `json:"order,omitempty"`     // number of the order that was placed, and cancelled; empty when none was
	Steps     []CheckStep `json:"steps,omitempty"`     // those that were done, in order
	Failed    string      `json:"failed,omitempty"`    // the step at which it ended: one of the shop's, or one of those below
	Note      Note        `json:"note,omitzero"`       // why, in the shop's words or as the platform saw it
	Cause     Failure     `json:"cause,omitzero"`      // why, as far as the pods and their logs tell
	Address   Reached     `json:"address,omitzero"`    // what the public address said
}

// Steps of a check that are not the shop's.
const (
	AtCheck   = "check"   // it could not be made
	AtAddress = "address" // the public address leads to something else
)

// Outcome is what the check came to.
func (c Check) Outcome() Note {
	var took time.Duration
	for _, step := range c.Steps {
		took += step.Took
	}
	took = took.Round(100 * time.Millisecond)
	switch {
	case !c.OK:
		n := c.Note
		n.Facts.Doing = c.Failed
		return n
	case c.Simulated:
		return Note{Code: CheckSimulated}
	case c.Closed:
		return Note{Code: ShopClosed}
	case c.Order != "":
		return Note{Code: OrderPlaced, Facts: Facts{Name: c.Order, After: took}}
	case len(c.Steps) == 0:
		return c.Note
	default:
		return Note{Code: CheckoutReached, Facts: Facts{After: took}}
	}
}

// CheckStep is a part of a check, such as adding something to the cart.
type CheckStep struct {
	Name string        `json:"name"`
	Took time.Duration `json:"took"`
}

// Reached is what the public address of a shop said to the platform.
type Reached struct {
	Outcome Reachability `json:"outcome,omitempty"`
	Note    Note         `json:"note,omitzero"`
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

// Health is the last known result of a store's checks.
type Health struct {
	Last     Check `json:"last,omitzero"`
	Failures int   `json:"failures,omitempty"` // in a row
}

// Opened forgets what was known before the store was ready: its first check is all there is.
func (h *Health) Opened(c Check, at time.Time) {
	c.At = at
	*h = Health{Last: c}
}

// failuresUntilDegraded is how many checks in a row must fail: one may meet a restart.
const failuresUntilDegraded = 2

// CanCheck reports whether a person may have the shop checked now.
func (s Store) CanCheck() bool {
	return (s.Status == Ready || s.Status == Degraded) && s.Desired == Present && !s.IsDrill()
}

// ApplyCheck updates the store's health and status, and returns the events to record.
func (s *Store) ApplyCheck(check Check, job Job) []Event {
	s.Health = Health{Last: check, Failures: s.Health.Failures + 1}
	if check.OK {
		s.Health.Failures = 0
	}
	tell := func(kind Kind, n Note) Event {
		e := NoteEvent(*s, Actor{}, kind, n)
		e.JobID = job.ID
		return e
	}
	done := tell(Checked, check.Outcome())
	done.Data.Asked = job.Place
	switch {
	case check.OK && s.Status == Degraded:
		s.Status = Ready
		return []Event{done, tell(StoreRecovered, Note{})}
	case s.Status == Ready && s.Health.Failures >= failuresUntilDegraded:
		s.Status = Degraded
		degraded := tell(StoreDegraded, check.Outcome())
		degraded.Data.Failure = check.Cause.Brief()
		return []Event{done, degraded}
	}
	return []Event{done}
}

// Storable is the check with all its texts as they are kept.
func (c Check) Storable() Check {
	c.Failed, c.Order = kept(c.Failed), kept(c.Order)
	c.Note, c.Cause, c.Address.Note = c.Note.Storable(), c.Cause.Storable(), c.Address.Note.Storable()
	const mostSteps = 20
	c.Steps = c.Steps[:min(len(c.Steps), mostSteps)]
	for i := range c.Steps {
		c.Steps[i].Name = kept(c.Steps[i].Name)
	}
	return c
}
