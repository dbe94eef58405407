package views

import (
	"fmt"
	"strconv"
)

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
