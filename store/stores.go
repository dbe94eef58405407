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
	Country  string // the usual one when empty
	Currency string // the country's when empty
	// OwnerEmail is that of the store's owner; a verified one of the actor's when empty.
	OwnerEmail string
	Limits     Limits
}

// Validate is the request as it is kept, if the actor may make it and nothing is wrong with it.
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

// Repair has the store put back to what its chart says, and tells what is missing.
func (s *Store) Repair(actor Actor, missing Note) Event {
	s.Status = Provisioning
	s.StartJob(ChangeJob, Change{Kind: Repair, To: s.Sold}, actor)
	return NoteEvent(*s, actor, StoreRepaired, missing.Storable())
}

// ErrUnchanged says that everything is as it was asked to be.
var ErrUnchanged = errors.New("nothing to change")

// EventOf is an event on the store as it is now. Without an actor the platform itself did it.
func EventOf(st Store, actor Actor, kind Kind) Event {
	return actor.Sign(Event{
		TeamID: st.TeamID, StoreID: st.ID, JobID: st.Job.ID, Kind: kind, Step: st.Job.Step, Object: st.Name,
		Data: EventData{Generation: st.Generation, Status: st.Status},
	})
}

// ChangeEvent is a [EventOf] about what the store is brought to.
func ChangeEvent(st Store, actor Actor, kind Kind, c Change) Event {
	e := EventOf(st, actor, kind)
	e.Data.Change = c.Brief()
	return e
}

// FailureEvent is a [EventOf] about why the platform's work on a store failed.
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

// KeyLifetime is how long the answer to a request with a key is kept.
const KeyLifetime = 24 * time.Hour

// Once makes a request that may be sent twice: the second is given the answer to the first.
type Once struct {
	Key    string // that the sender chose
	Digest string // of what is asked for: a key is good for one request
	// Answer is what to keep and to say of a store that was created. Of a team its id is kept.
	Answer func(Store) (string, error)
}
