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
	building    target
	done, total int
	reported    time.Time
}

func newMeter(report progress.Reporter) *meter {
	return &meter{report: report, now: time.Now}
}

func (m *meter) begin(t target) {
	m.building = t
	m.say("Building " + t.title)
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
	m.done = min(m.done+1, m.total)
	if line == m.building.pkg || strings.HasSuffix(line, "/"+m.building.name) {
		// The program itself comes last; what follows is the linker, which says nothing for a while.
		m.say("Linking " + m.building.title)
		return true
	}
	m.throttled("Building " + m.building.title)
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
