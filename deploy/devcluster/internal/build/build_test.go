package build

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/deploy/devcluster/internal/progress"
)

// program is a target that is quick to build.
func program(t *testing.T, text string) target {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/hello\n\ngo 1.26.0\n")
	write(t, dir, "main.go", "package main\n\nfunc main() { print("+text+") }\n")
	return target{name: "hello", title: "a greeting", dir: dir, pkg: ".", ldflags: "-s -w"}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func buildOutdated(t *testing.T, tgt target, bin string) (events []progress.Event, err error) {
	t.Helper()
	pending, err := outdated([]target{tgt}, bin)
	if err != nil || len(pending) == 0 {
		return nil, err
	}
	return events, buildAll(t.Context(), pending, bin, newMeter(func(e progress.Event) { events = append(events, e) }))
}

func TestBuildsWhatIsOutdatedAndNothingElse(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	tgt := program(t, `"one"`)
	events, err := buildOutdated(t, tgt, bin)
	if err != nil || len(events) == 0 {
		t.Fatalf("first build: %d events, error %v", len(events), err)
	}
	if got := output(t, bin, "hello"); got != "one" {
		t.Errorf("the program says %q", got)
	}
	if events, err := buildOutdated(t, tgt, bin); err != nil || len(events) != 0 {
		t.Errorf("unchanged: %v, error %v", events, err)
	}
	write(t, tgt.dir, "main.go", "package main\n\nfunc main() { print(`two`) }\n")
	if _, err := buildOutdated(t, tgt, bin); err != nil {
		t.Fatal(err)
	}
	if got := output(t, bin, "hello"); got != "two" {
		t.Errorf("after the change the program says %q", got)
	}
	if last := events[len(events)-1]; last.Message != "Linking a greeting" {
		t.Errorf("last event %+v", last)
	}
}

func output(t *testing.T, bin, name string) string {
	t.Helper()
	out, err := exec.Command(filepath.Join(bin, name)).CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestAFailedBuildSaysWhyAndKeepsTheOldBinary(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	tgt := program(t, `"one"`)
	if _, err := buildOutdated(t, tgt, bin); err != nil {
		t.Fatal(err)
	}
	write(t, tgt.dir, "main.go", "package main\n\nfunc main() { println(missing) }\n")
	if _, err := buildOutdated(t, tgt, bin); err == nil || !strings.Contains(err.Error(), "undefined: missing") {
		t.Errorf("error %v", err)
	}
	if got := output(t, bin, "hello"); got != "one" {
		t.Errorf("the program says %q", got)
	}
}

func TestTargetsTakeTheirVersionFromTheirModule(t *testing.T) {
	t.Parallel()
	all, err := targets(filepath.Join("..", ".."), Simulated)
	if err != nil {
		t.Fatal(err)
	}
	flags := all[0].ldflags
	for _, want := range []string{
		"-X k8s.io/component-base/version.gitVersion=v1.37.", "-X k8s.io/client-go/pkg/version.gitMinor=37 ",
	} {
		if !strings.Contains(flags, want) {
			t.Errorf("no %q in %q", want, flags)
		}
	}
	if _, err := targets(t.TempDir(), Simulated); err == nil {
		t.Error("no error without sources")
	}
}

func TestMeterCountsAndThrottles(t *testing.T) {
	t.Parallel()
	var events []progress.Event
	now := time.Now()
	m := newMeter(func(e progress.Event) { events = append(events, e) })
	m.now = func() time.Time { return now }
	m.total = 4
	m.begin("kwok", 3)
	said := m.read(strings.NewReader("fmt\nnet/http\n# example.com/broken\nbroken.go:3: no such thing\n"))
	now = now.Add(time.Second)
	m.line("go: downloading k8s.io/api v0.37.1")
	m.line("k8s.io/api")
	m.line("sigs.k8s.io/kwok/cmd/kwok")
	want := []progress.Event{
		{Phase: progress.Build, Message: "Building kwok", Total: 4},
		{Phase: progress.Build, Message: "Downloading k8s.io/api v0.37.1", Done: 2, Total: 4},
		{Phase: progress.Build, Message: "Linking kwok", Done: 3, Total: 4},
	}
	if len(events) != len(want) {
		t.Fatalf("events %+v", events)
	}
	for i := range want {
		if events[i] != want[i] {
			t.Errorf("event %d: %+v, want %+v", i, events[i], want[i])
		}
	}
	if strings.Join(said, "|") != "# example.com/broken|broken.go:3: no such thing" {
		t.Errorf("complaints %q", said)
	}
}
