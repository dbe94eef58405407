package views

import (
	"fmt"
	"strconv"
	"time"
)

// Overview is a store's first tab: the work on the left, facts on the right.
type Overview struct {
	Head        StoreHead
	Timeline    Timeline
	Failure     *Failure
	Undone      Undone
	Off         []string // features that the configuration turns off, and how to turn them on
	Drift       []string // manual changes in the cluster, one sentence each
	Facts       []Fact
	Left        []Fact // what a failed store has in the cluster
	Pods        []Pod  // of the running step
	Credentials Credentials
	Health      Health
	Story       []Entry // newest first
	Simulated   bool
}

// Health is the result of the last order check; there is none while At is zero.
type Health struct {
	StoreID  string
	At       time.Time // of the last check
	OK       bool
	Quiet    bool   // nothing was sold, and nothing is wrong: simulated, or closed by its owner
	Degraded bool   // enough checks failed for the status degraded
	Summary  string // one sentence
	Cause    string // why the check failed according to the pods, one sentence
	Steps    []Fact // what the customer did, and how long it took
	Address  string // the result at the public address
	Next     string // when the next check is
	Due      bool   // a check is due now
	Can      bool   // whether the user may request a check
}

// Timeline is the work on a store, step by step.
type Timeline struct {
	Title   string // such as "Opening the shop"
	Steps   []TimelineStep
	Current int           // number of the running step, from 1; 0 when none runs
	Began   time.Time     // of the work
	Took    time.Duration // of the work, when it has ended
	Running bool
}

// TimelineStep is one step, and its place in the work.
type TimelineStep struct {
	Name    string
	State   Tick
	Message string
	Began   time.Time     // while it runs
	Took    time.Duration // when it has ended
	Start   float64       // of its bar, in percent of the work
	Width   float64
}

// Failure says why a store failed.
type Failure struct {
	Title    string
	Cause    string
	Next     string
	Evidence []Evidence
	HelmLog  []string
	Words    LastWords // of the container that failed, if one did
	At       time.Time
	Point    string    // id of the newest restore point, for a store that is to be rebuilt; empty for none
	PointAt  time.Time // when that was made
}

// LastWords are the last lines of a container's log.
type LastWords struct {
	Of    string // pod/container
	URL   string // of the whole log
	Lines []string
}

// Evidence is an observation, quoted as it is.
type Evidence struct {
	Object  string
	Reason  string
	Message string
	Count   int32
	Last    time.Time
}

func ticksOf(t Timeline) []Tick {
	ticks := make([]Tick, len(t.Steps))
	for n, step := range t.Steps {
		ticks[n] = step.State
	}
	return ticks
}

func stepOf(t Timeline) string {
	if t.Current == 0 {
		return ""
	}
	return fmt.Sprintf("Step %d of %d", t.Current, len(t.Steps))
}

func rowClass(t Tick) string {
	switch t {
	case TickRunning:
		return "now"
	case TickBad:
		return "bad"
	default:
		return ""
	}
}

// barClass gives a failed step a colour of its own.
func barClass(t Tick) string {
	if t == TickBad {
		return "k-bad"
	}
	return "k-done"
}

func percent(p float64) string { return strconv.FormatFloat(min(max(p, 0), 100), 'f', 2, 64) }

// barWidth keeps even the shortest step visible.
func barWidth(s TimelineStep) string { return percent(max(s.Width, 0.8)) }

// evidenceText is the evidence as text to copy.
func evidenceText(f Failure) string {
	text := f.Title + "\n" + f.Cause + "\n"
	for _, e := range f.Evidence {
		text += fmt.Sprintf("%s  %s  %s  (%d times)\n", e.Object, e.Reason, e.Message, e.Count)
	}
	for _, line := range f.Words.Lines {
		text += f.Words.Of + "  " + line + "\n"
	}
	for _, line := range f.HelmLog {
		text += line + "\n"
	}
	return text
}
