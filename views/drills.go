package views

import "time"

// DrillPane is how the rehearsals of a store's restore went.
type DrillPane struct {
	StoreID string
	Can     bool         // whether one can be started
	Running *DrillRow    // nil if none goes on
	Last    *DrillRow    // the newest one that has ended; nil if there is none
	Failed  *DrillFailed // why that one failed; nil if it didn't
	Earlier []DrillRow   // that ended before it, newest first

	Overdue   bool
	Every     string    // how often the plan asks for one, such as "every 7 days"
	Passed    time.Time // when the newest one that passed ended; zero if none has
	Next      time.Time // when the next one is due; zero if none is
	Unplanned bool      // the plan asks for none
}

// DrillRow is a drill.
type DrillRow struct {
	Address string // of the store that it is made in; empty once it has ended
	At      time.Time
	Tone    Tone
	Result  string // such as "Passed"
	Detail  string // beside the result
	Said    string // what came of it, as the end of a sentence
}

// DrillFailed is why a drill failed.
type DrillFailed struct {
	Title string
	Cause string
	Next  string // what to do
}
