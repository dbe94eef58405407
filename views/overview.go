package views

import (
	"fmt"
	"strconv"
	"time"
)

// Overview is a store's first tab: what happens left, what it is right.
type Overview struct {
	Head        StoreHead
	Timeline    Timeline
	Failure     *Failure
	Undone      Undone
	Off         []string // what the store cannot do as it is made, and what to do about it
	Drift       []string // what somebody has changed in the cluster, one sentence each
	Facts       []Fact
	Left        []Fact // what stands in the cluster, of a failed store
	Pods        []Pod  // of the running step
	Credentials Credentials
	Health      Health
	Story       []Entry // newest first
	Simulated   bool
}

// Health is what is known of whether the shop sells; nothing while At is zero.
type Health struct {
	StoreID  string
	At       time.Time // of the last check
	OK       bool
	Quiet    bool   // nothing was sold, and nothing is wrong: simulated, or closed by its owner
	Degraded bool   // so many checks failed that the store is called so
	Summary  string // one sentence
	Cause    string // why it does not sell, one sentence, where the pods tell
	Steps    []Fact // what the customer did, and how long it took
	Address  string // what the public address said
	Next     string // when it is checked again
	Due      bool   // it is about to be checked
	Can      bool   // whether the user may have it checked
}

// Timeline is the work on a store, step by step.
type Timeline struct {
	Title   string // such as "Opening the shop"
	Steps   []TimelineStep
	Current int           // number of the running step, from 1; 0 when none runs
	Began   time.Time     // of the whole
	Took    time.Duration // of the whole, when it is over
	Running bool
}

// TimelineStep is one step with its place in the whole.
type TimelineStep struct {
	Name    string
	State   Tick
	Message string
	Began   time.Time     // while it runs
	Took    time.Duration // when it is over
	Start   float64       // of its bar, in percent of the whole
	Width   float64
}

// Failure says why a store failed.
type Failure struct {
	Title    string
	Cause    string
	Next     string
	Evidence []Evidence
	HelmLog  []string
	Words    LastWords // of the container that ended badly, if one did
	At       time.Time
}

// LastWords are the last lines of a container's log.
type LastWords struct {
	Of    string // pod/container
	URL   string // of the whole log
	Lines []string
}

// Evidence is one observation, unchanged.
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

// barClass draws what failed in its own colour.
func barClass(t Tick) string {
	if t == TickBad {
		return "k-bad"
	}
	return "k-done"
}

func percent(p float64) string { return strconv.FormatFloat(min(max(p, 0), 100), 'f', 2, 64) }

// barWidth keeps a step that took no time visible.
func barWidth(s TimelineStep) string { return percent(max(s.Width, 0.8)) }

// evidenceText is what was observed, ready to be copied.
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
