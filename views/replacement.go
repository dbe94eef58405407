package views

import "time"

// ReplacementPage is about a cluster that is lost: it asks whether another one takes its place, and then shows how its
// stores come back.
type ReplacementPage struct {
	Shell Shell
	R     Replacement
	Form  ReplacementForm
}

// ReplacementForm asks for the name of the cluster that is replaced.
type ReplacementForm struct {
	ClusterID string
	Open      bool // it may be replaced now
	Typed     string
	Error     string
}

// Replacement is the live part of the page.
type Replacement struct {
	Cluster string
	At      time.Time // when another cluster took its place; zero if none has
	Rows    []ReturningRow
	Back    int // stores that are ready again
	Points  int // stores with a restore point
	Without int // stores without one
	Blocked string
}

// ReturningRow is a store that comes back, or can't.
type ReturningRow struct {
	ID     string
	Name   string
	Team   string
	Point  time.Time // when the restore point was made that it comes back with; zero for none
	Status Status
	Detail string // how far it is
}
