package build

import (
	"strings"
	"time"

	"shopwright.dev/shopwright/deploy/devcluster/internal/progress"
)

// interval is the least time between two counts; go build passes hundreds of cached packages in a moment.
const interval = 250 * time.Millisecond

// meter turns what the go command prints into progress.
type meter struct {
	report      progress.Reporter
	now         func() time.Time
	title       string // of what is being built
	left        int    // packages before it can be linked
	done, total int
	reported    time.Time
}

func newMeter(report progress.Reporter) *meter {
	return &meter{report: report, now: time.Now}
}

// begin turns to the program with this title, which needs that many packages compiled.
func (m *meter) begin(title string, packages int) {
	m.title, m.left = title, packages
	m.say(m.step())
}

// step is what the go command is at. Of the linker, which may take half a minute, it says nothing itself.
func (m *meter) step() string {
	if m.left == 0 {
		return "Linking " + m.title
	}
	return "Building " + m.title
}

// line takes one line of the go command's standard error and reports whether it was progress: the import path of a
// package that is being compiled, or a module that is being downloaded. Everything else is a complaint.
func (m *meter) line(line string) bool {
	if module, ok := strings.CutPrefix(line, "go: downloading "); ok {
		m.throttled("Downloading " + module)
		return true
	}
	if line == "" || strings.HasPrefix(line, "#") || strings.Contains(line, " ") {
		return false
	}
	if m.left == 0 {
		return true // the program itself
	}
	m.done++
	if m.left--; m.left == 0 {
		m.say(m.step())
		return true
	}
	m.throttled(m.step())
	return true
}

func (m *meter) throttled(message string) {
	if m.now().Sub(m.reported) >= interval {
		m.say(message)
	}
}

func (m *meter) say(message string) {
	m.reported = m.now()
	m.report(progress.Event{Phase: progress.Build, Message: message, Done: m.done, Total: m.total})
}
