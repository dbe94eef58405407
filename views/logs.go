package views

import (
	"fmt"
	"time"

	"github.com/a-h/templ"
)

// LogsTab is the log of one of a store's containers.
type LogsTab struct {
	StoreID   string
	Known     bool     // whether the cluster can be asked
	Sources   []Choice // pod/container
	Pod       string   // whose log this is; empty while there is none to show
	Container string
	Previous  bool // the log is that of the container before its last restart
	Times     bool
	Search    string
	Tails     []Choice // how many lines
	State     LogState
	Lines     []LogLine
	Silence   string // the text shown if there are no lines
	Last      string // id of the newest line
	Stream    string // URL of the stream of new lines; empty if there can be none
	Download  string
	Simulated bool
}

// LogState is the state of the container whose log is shown. Without a title there is nothing to say.
type LogState struct {
	Tone    Tone
	Title   string
	Message string
}

// LogLine is a line of a log, or a note between two of them.
type LogLine struct {
	At     time.Time
	Text   string
	Cut    int // bytes cut off at its end
	Hidden bool
	Note   bool
}

// MostLogLines is the maximum number of lines on a page.
const MostLogLines = 2000

func logLabel(l LogsTab) string { return fmt.Sprintf("Log of %s in %s", l.Container, l.Pod) }

func logMoment(t time.Time) string { return t.UTC().Format("15:04:05.000") }

// missing says how much of a line was cut off.
func missing(l LogLine) string {
	if l.Cut == 0 {
		return ""
	}
	return " … " + count(l.Cut, "more byte", "more bytes")
}

// logStateNote is the note about a state that has a title.
func logStateNote(s LogState) Notice { return Notice{Kind: s.Tone, Title: s.Title, Message: s.Message} }

func logsURL(l LogsTab) templ.SafeURL { return storeURL(l.StoreID, "logs") }

// wanted returns how many lines match the search.
func (l LogsTab) wanted() (n int) {
	for _, line := range l.Lines {
		if !line.Hidden {
			n++
		}
	}
	return n
}
