package store

import (
	"errors"
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
	Country  string // the default one when empty
	Currency string // the country's when empty
	// OwnerEmail is the address of the owner. If it is empty, the store gets a verified address of the actor.
	OwnerEmail string
	// From is the id of the restore point that the store is opened with, which decides its engine, template, country and
	// currency. A store without one begins empty.
	From   string
	Limits Limits
}

// Validate returns the request in the form in which it is stored. It returns an error if the actor may
// not make it or a field is invalid.
func (n NewStore) Validate(actor Actor) (NewStore, error) {
	if err := actor.MayCreate(n.TeamID); err != nil {
		return n, err
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
	} else if n.OwnerEmail, err = CleanOwnerEmail(n.OwnerEmail); err != nil {
		return n, err
	}
	country, err := ChooseCountry(n.Country, n.Currency)
	n.Country, n.Currency = country.Code, country.Currency
	return n, err
}

// Repair starts a job that restores the store to what its chart says, and returns an event that tells
// what is missing.
func (s *Store) Repair(actor Actor, missing Note) Event {
	s.Status = Provisioning
	s.StartJob(ChangeJob, Change{Kind: Repair, To: s.Sold}, actor)
	return NoteEvent(*s, actor, StoreRepaired, missing.Storable())
}

// ErrUnchanged says that there is nothing to change.
var ErrUnchanged = errors.New("nothing to change")

// EventOf returns an event on the store as it is now. Without an actor it is an event of the platform itself.
func EventOf(st Store, actor Actor, kind Kind) Event {
	return actor.Sign(Event{
		TeamID: st.TeamID, StoreID: st.ID, JobID: st.Job.ID, Kind: kind, Step: st.Job.Step, Object: st.Name,
		Data: EventData{Generation: st.Generation, Status: st.Status},
	})
}

// ChangeEvent is an [EventOf] with the change of a store.
func ChangeEvent(st Store, actor Actor, kind Kind, c Change) Event {
	e := EventOf(st, actor, kind)
	e.Data.Change = c.Brief()
	return e
}

// FailureEvent is an [EventOf] with the failure of the platform's work on a store.
func FailureEvent(st Store, kind Kind, f Failure) Event {
	e := EventOf(st, Actor{}, kind)
	e.Data.Failure = f.Brief()
	return e
}

// NoteEvent is an [EventOf] with a note.
func NoteEvent(st Store, actor Actor, kind Kind, n Note) Event {
	e := EventOf(st, actor, kind)
	e.Data.Note = n
	return e
}

// KeyLifetime is how long the answer to a request with an idempotency key is kept.
const KeyLifetime = 24 * time.Hour

// Once makes a request safe to repeat: a repeated request gets the answer to the first.
type Once struct {
	Key    string // that the client chose
	Digest string // of the request: a key is valid for one request only
	// Answer returns the answer to keep for a store that was created. For a team or a backup its id is kept.
	Answer func(Store) (string, error)
}
