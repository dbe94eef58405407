package store

import (
	"cmp"
	"time"
)

// Purpose says what a store is for.
type Purpose string

// The purposes there are. A store for a drill is in no list and counts for no limit, nobody reaches it from outside,
// and it goes as soon as it has sold or failed.
const (
	ForCustomers Purpose = "shop"
	ForDrill     Purpose = "drill"
)

// Drill is the rehearsal of a restore: a point of a store is restored into a namespace of its own, without a way out,
// and an order is placed there.
type Drill struct {
	ID        string // of the store that it is made in
	StoreID   string // whose point it is
	PointID   string
	MadeAt    time.Time // when the point was made
	BeganAt   time.Time
	EndedAt   time.Time // zero while it goes on
	Order     string    // number of the order that was placed; empty if none was
	Simulated bool      // the nodes run no containers: nothing was restored, and nobody has shopped
	Failure   Failure   // why it failed; without a code if it didn't
}

// Passed reports whether the restored shop has sold.
func (d Drill) Passed() bool { return !d.EndedAt.IsZero() && d.Failure.Code == "" }

// Took is how long it took to restore the point and to sell; zero while it goes on.
func (d Drill) Took() time.Duration {
	if d.EndedAt.IsZero() {
		return 0
	}
	return d.EndedAt.Sub(d.BeganAt)
}

// Drills are the rehearsals of a store's restore.
type Drills struct {
	Newest  []Drill       // newest first, one that goes on included; at most ten
	Every   time.Duration // how often the store's plan asks for one; zero for never
	Next    time.Time     // when the next one is due; zero if none is
	Overdue bool          // the last one that passed is longer ago than the plan allows
}

// Last is the newest drill that has ended; without an ID if there is none.
func (d Drills) Last() Drill {
	for _, drill := range d.Newest {
		if !drill.EndedAt.IsZero() {
			return drill
		}
	}
	return Drill{}
}

// Running is the drill that goes on; without an ID if none does.
func (d Drills) Running() Drill {
	if len(d.Newest) > 0 && d.Newest[0].EndedAt.IsZero() {
		return d.Newest[0]
	}
	return Drill{}
}

// IsDrill reports whether the store was made for a drill.
func (s Store) IsDrill() bool { return s.Purpose == ForDrill }

// CanDrill reports whether the restore of the store can be rehearsed.
func (s Store) CanDrill() bool { return s.Living() && s.Desired == Present && !s.IsDrill() }

// DrillOf is the store in which the restore of another one is rehearsed. It has no owner whom its shop could write to.
func DrillOf(from Store, p RestorePoint, c Cluster, slug string, actor Actor, now time.Time) Store {
	name := []rune("Drill of " + from.Name)
	st := Store{
		ID: NewID(), TeamID: from.TeamID, ClusterID: c.ID, Name: string(name[:min(len(name), maxName)]), Slug: slug, Namespace: Namespace(slug),
		Host: slug + "." + c.BaseDomain, Engine: from.Engine, Template: from.Template, Country: from.Country, Currency: from.Currency,
		Plan: from.Plan, Purpose: ForDrill, Origin: OriginOf(p, from),
		Status: Provisioning, Desired: Present, Generation: 1, CreatedBy: cmp.Or(actor.UserID, from.CreatedBy), CreatedAt: now, UpdatedAt: now,
	}
	st.StartJob(DrillJob, Change{}, actor)
	st.Job.AskedAt, st.Job.Due = now, now
	return st
}

// EndDrill begins the removal of a store whose drill is over, whatever came of it.
func (s *Store) EndDrill(actor Actor) {
	s.Status, s.Desired = Deleting, Absent
	s.Generation++
	s.StartJob(RemoveJob, Change{}, actor)
}

// DrillEvent tells of a drill of the store. Its job is the store that the drill is made in.
func DrillEvent(s Store, actor Actor, kind Kind, d Drill) Event {
	e := EventOf(s, actor, kind)
	e.JobID, e.Step, e.Data.Failure = d.ID, "", d.Failure.Brief()
	return e
}
