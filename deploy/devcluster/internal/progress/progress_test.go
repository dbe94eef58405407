package progress

import (
	"strings"
	"testing"
)

func TestJSONIsOneObjectALine(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	report := JSON(&out)
	report(Event{Phase: Build, Message: "Building", Done: 312, Total: 1480})
	report(Event{Phase: Ready, Message: "Ready", Kubeconfig: "/s/platform.kubeconfig", AdminKubeconfig: "/s/admin.kubeconfig"})
	want := `{"phase":"build","message":"Building","done":312,"total":1480}
{"phase":"ready","message":"Ready","kubeconfig":"/s/platform.kubeconfig","adminKubeconfig":"/s/admin.kubeconfig"}
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestTextThinsOutCounts(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	report := Text(&out)
	for done := range 1001 {
		report(Event{Phase: Build, Message: "Building", Done: done, Total: 1000})
	}
	report(Event{Phase: Start, Message: "Starting"})
	report(Event{Phase: Start, Message: "Starting"})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != textSteps+2 {
		t.Errorf("%d lines, want %d:\n%s", len(lines), textSteps+2, out.String())
	}
	if lines[1] != "Building: 50 of 1000 packages" || lines[len(lines)-1] != "Starting" {
		t.Errorf("lines: %q", lines)
	}
}
