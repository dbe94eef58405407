package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func start(t *testing.T, name, script string) *Child {
	t.Helper()
	child, err := Start(Command{
		Name: name, Path: "/bin/sh", Args: []string{"-c", script},
		Env: []string{"GREETING=hello"}, Log: filepath.Join(t.TempDir(), name+".log"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Stop(0, child.Process); err != nil {
			t.Error(err)
		}
		<-child.Done()
	})
	return child
}

func TestStopEndsWhatListens(t *testing.T) {
	t.Parallel()
	child := start(t, "sleeper", "exec sleep 600")
	if !child.Alive() {
		t.Fatal("not alive after the start")
	}
	if child.MemoryBytes() == 0 {
		t.Error("a living process holds memory")
	}
	if err := Stop(10*time.Second, child.Process); err != nil {
		t.Fatal(err)
	}
	<-child.Done()
	if child.Alive() || child.MemoryBytes() != 0 {
		t.Error("alive after Stop")
	}
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	t.Parallel()
	child := start(t, "deaf", "trap '' TERM; while :; do sleep 0.05; done")
	if err := Stop(50*time.Millisecond, child.Process); err != nil {
		t.Fatal(err)
	}
	<-child.Done()
}

func TestAliveIsNotFooledByARecycledNumber(t *testing.T) {
	t.Parallel()
	child := start(t, "sleeper", "exec sleep 600")
	earlier := child.Process
	earlier.Started--
	if earlier.Alive() {
		t.Error("a process that started at another time is taken for ours")
	}
	if err := Stop(0, earlier); err != nil {
		t.Fatal(err)
	}
	if !child.Alive() {
		t.Error("Stop ended a process that is not ours")
	}
}

func TestEndedChildIsNotAlive(t *testing.T) {
	t.Parallel()
	child := start(t, "short", `echo "$GREETING"; echo trouble >&2`)
	<-child.Done()
	if child.Alive() {
		t.Error("alive after its end")
	}
	raw, err := os.ReadFile(child.Log)
	if err != nil || !strings.Contains(string(raw), "hello\ntrouble") {
		t.Errorf("log %q, error %v", raw, err)
	}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	registry := Registry(filepath.Join(t.TempDir(), "run"))
	lives, ended := start(t, "lives", "exec sleep 600"), start(t, "ended", "true")
	<-ended.Done()
	for _, p := range []Process{lives.Process, ended.Process} {
		if err := registry.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	running, err := registry.Running("unknown", "ended", "lives")
	if err != nil {
		t.Fatal(err)
	}
	if len(running) != 1 || running[0] != lives.Process {
		t.Errorf("running: %v, want %v", running, lives.Process)
	}
	for range 2 {
		if err := registry.Remove("lives"); err != nil {
			t.Fatal(err)
		}
	}
	if running, err := registry.Running("lives"); err != nil || len(running) != 0 {
		t.Errorf("after Remove: %v, %v", running, err)
	}
}

func TestRegistryRefusesAFileItDidNotWrite(t *testing.T) {
	t.Parallel()
	registry := Registry(t.TempDir())
	if err := os.WriteFile(registry.path("odd"), []byte("not a number"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Running("odd"); err == nil {
		t.Error("no error")
	}
}
