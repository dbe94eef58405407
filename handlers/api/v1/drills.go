package v1

import (
	"time"

	"shopwright.dev/shopwright/store"
)

// NewDrill is a request for a drill.
type NewDrill struct {
	Point string `json:"point,omitempty" maxLength:"100" doc:"ID of the restore point to restore; the newest one when empty."`
}

// DrillState is how far a drill is.
type DrillState string

// The states of drills.
const (
	DrillRunning   DrillState = "running"
	DrillPassed    DrillState = "passed"
	DrillFailed    DrillState = "failed"
	DrillCancelled DrillState = "cancelled"
)

// Drill is the rehearsal of a restore.
type Drill struct {
	ID          string     `json:"id" example:"019a2b3c-4d5e-7f60-8a9b-0c1d2e3f4a5b" doc:"Also the ID of the store in which it is made, as long as that is there."`
	Store       string     `json:"store" doc:"ID of the store whose point is restored."`
	Point       string     `json:"point" doc:"ID of the restore point."`
	PointMadeAt time.Time  `json:"point_made_at"`
	State       DrillState `json:"state" enum:"running,passed,failed,cancelled" doc:"Passed means that the restored shop has sold."`
	Order       string     `json:"order,omitempty" doc:"Number of the order that was placed in the restored shop."`
	Simulated   bool       `json:"simulated" doc:"Nothing was restored: the nodes run no containers."`
	Failure     *Failure   `json:"failure,omitempty"`
	BeganAt     time.Time  `json:"began_at" doc:"When it was requested or scheduled."`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	Seconds     float64    `json:"seconds,omitempty" doc:"Duration in seconds, once it has ended."`
}

// DrillSchedule says when the next drill of a store is made.
type DrillSchedule struct {
	EveryDays int        `json:"every_days" doc:"How often the store’s plan asks for a drill; 0 for never."`
	Next      *time.Time `json:"next,omitempty" doc:"When the next drill is due; absent if none is, and while one is running."`
	Overdue   bool       `json:"overdue" doc:"No drill has passed for longer than the plan allows."`
}

// DrillList is the newest drills of a store.
type DrillList struct {
	DrillSchedule
	Drills []Drill `json:"drills" nullable:"false" doc:"Newest first; at most ten."`
}

// DrillSummary is the newest drills of a store in brief.
type DrillSummary struct {
	DrillSchedule
	Last    *Drill `json:"last,omitempty" doc:"The newest drill that has ended."`
	Running *Drill `json:"running,omitempty"`
}

// DrillStateOf is how far the drill is.
func DrillStateOf(d store.Drill) DrillState {
	switch {
	case d.EndedAt.IsZero():
		return DrillRunning
	case d.Passed():
		return DrillPassed
	case d.Failure.Code == store.DrillWasCancelled:
		return DrillCancelled
	}
	return DrillFailed
}
