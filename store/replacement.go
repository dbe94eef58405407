package store

import "time"

// Replacement is how the stores of a cluster that was lost come back in the one that takes its place.
type Replacement struct {
	Cluster Cluster
	At      time.Time // when another cluster took its place; zero if none has
	Stores  []Returning
}

// Returning is a store of a cluster that is lost, or was.
type Returning struct {
	Store Store
	Team  string       // its name
	Point RestorePoint // the newest one with data; without an ID if there is none
}

// Return is how far a store is that comes back.
type Return string

// The states of a store that comes back.
const (
	ReturnsNot Return = "lost"    // it has no restore point
	Waits      Return = "waiting" // for its turn
	Returns    Return = "running"
	Returned   Return = "ready"
	Stuck      Return = "failed"
)

// CanReturn reports whether the store can be brought back.
func (r Returning) CanReturn() bool {
	st := r.Store
	return r.Point.ID != "" && st.Living() && st.Desired == Present && !st.Returning()
}

// Returning reports whether the store is being rebuilt with a restore point of its own.
func (s Store) Returning() bool {
	return s.Job.Pending() && s.Job.Change.Kind == Rebuild && s.Job.Data != ""
}

// BroughtBack reports whether the store was rebuilt with a restore point of its own, or is to be.
func (s Store) BroughtBack() bool { return s.Origin.Point != "" && s.Origin.StoreID == s.ID }

// State is how far the store is.
func (r Returning) State() Return {
	st := r.Store
	switch {
	case !st.BroughtBack() && (st.Status == Failed || r.Point.ID == ""):
		return ReturnsNot
	case st.Status == Failed:
		return Stuck
	case st.CanRepair():
		return Returned
	case !st.Job.Begun():
		return Waits
	default:
		return Returns
	}
}
