package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"shopwright.dev/shopwright/deploy/devcluster/internal/api"
	"shopwright.dev/shopwright/deploy/devcluster/internal/cluster"
	"shopwright.dev/shopwright/deploy/devcluster/internal/process"
	"shopwright.dev/shopwright/deploy/devcluster/internal/progress"
)

// patience is how long a test waits for what takes a moment.
const patience = 15 * time.Minute

// asParent makes the test binary play a program that runs a cluster in the foreground: it starts the command line in
// its arguments with a pipe as standard input, and then waits to be killed.
const asParent = "DEVCLUSTER_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(asParent) != "" {
		playParent(os.Args[1:])
		return
	}
	os.Exit(m.Run())
}

func playParent(args []string) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		panic(err)
	}
	if err := cmd.Run(); err != nil {
		panic(err)
	}
}

// lab is a built devcluster and the state directory of one cluster.
type lab struct {
	t       *testing.T
	program string
	dir     string
	role    string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, program: filepath.Join(t.TempDir(), "devcluster"), dir: filepath.Join(t.TempDir(), "state")}
	// It finds the sources of the control plane by the folder that it was compiled in.
	if out, err := exec.Command("go", "build", "-trimpath=false", "-o", l.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build devcluster: %v\n%s", err, out)
	}
	l.role = filepath.Join(t.TempDir(), "role.yaml")
	role := `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: shopwright-test}
rules:
- {apiGroups: [""], resources: [namespaces], verbs: [get, list, watch, create]}
- {apiGroups: [""], resources: [pods/log], verbs: [get]}
`
	if err := os.WriteFile(l.role, []byte(role), 0o600); err != nil {
		t.Fatal(err)
	}
	return l
}

// run runs a command to its end and returns what it printed.
func (l *lab) run(args ...string) (string, error) {
	out, err := exec.Command(l.program, args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (l *lab) must(args ...string) string {
	l.t.Helper()
	out, err := l.run(args...)
	if err != nil {
		l.t.Fatalf("devcluster %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// up brings the cluster up in the background and returns the last event.
func (l *lab) up() progress.Event {
	l.t.Helper()
	out := l.must("up", "--state", l.dir, "--role", l.role, "--progress", "json")
	return decodeEvent(l.t, out[strings.LastIndexByte(out, '\n')+1:])
}

func decodeEvent(t *testing.T, line string) progress.Event {
	t.Helper()
	var e progress.Event
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		t.Fatalf("decode %q: %v", line, err)
	}
	return e
}

func (l *lab) cluster() *cluster.Cluster {
	l.t.Helper()
	c, err := cluster.Open(l.dir)
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

func (l *lab) admin() *api.Client {
	l.t.Helper()
	admin, err := l.cluster().Admin()
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(admin.Close)
	return admin
}

// eventually waits until check has no error.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// processes lists the running processes whose arguments name the directory.
func processes(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(raw), dir+"/") {
			found = append(found, file+": "+strings.ReplaceAll(string(raw), "\x00", " "))
		}
	}
	return found
}

func noProcesses(t *testing.T, dir string) {
	t.Helper()
	eventually(t, "processes are left", func() error {
		if left := processes(t, dir); len(left) > 0 {
			return errors.New(strings.Join(left, "\n"))
		}
		return nil
	})
}

func TestDataOutlivesACluster(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	t.Cleanup(func() { l.must("down", "--state", l.dir, "--wipe") })
	if out := l.must("down", "--state", l.dir); !strings.Contains(out, "There is no cluster") {
		t.Errorf("down without a cluster: %s", out)
	}
	first := l.up()
	if first.Phase != progress.Ready || first.Kubeconfig == "" || first.AdminKubeconfig == "" {
		t.Fatalf("last event %+v", first)
	}
	before, ports := uid(t, l.admin()), l.cluster().Ports
	if again := l.up(); !strings.HasPrefix(again.Message, "Already up") {
		t.Errorf("second up: %+v", again)
	}
	if out := l.must("status", "--state", l.dir); !strings.Contains(out, "ready               true") {
		t.Errorf("status:\n%s", out)
	}
	l.must("down", "--state", l.dir)
	noProcesses(t, l.dir)
	if out, err := l.run("status", "--state", l.dir); err == nil || !strings.Contains(out, "etcd                not running") {
		t.Errorf("status when down: error %v\n%s", err, out)
	}
	l.up()
	if now := uid(t, l.admin()); now != before {
		t.Errorf("the UID of kube-system was %s and is %s", before, now)
	}
	if now := l.cluster().Ports; now != ports {
		t.Errorf("ports were %v and are %v", ports, now)
	}
	after := l.newShop("store-after")
	after.open()
	after.becomes("web", "Running ready")
	l.must("down", "--state", l.dir, "--wipe")
	noProcesses(t, l.dir)
	if _, err := os.Stat(l.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state directory after --wipe: %v", err)
	}
}

func uid(t *testing.T, admin *api.Client) string {
	t.Helper()
	var ns struct {
		Metadata struct {
			UID    string
			Labels map[string]string
		}
	}
	if err := admin.Get(t.Context(), "/api/v1/namespaces/kube-system", &ns); err != nil {
		t.Fatal(err)
	}
	if ns.Metadata.Labels["shopwright.dev/simulated"] != "true" {
		t.Errorf("kube-system does not say that pods are simulated: %v", ns.Metadata.Labels)
	}
	return ns.Metadata.UID
}

// foreground starts `up --foreground` below a parent of its own and returns the parent when the phase is reached.
func (l *lab) foreground(phase string, flags ...string) (parent *exec.Cmd, rest <-chan progress.Event) {
	l.t.Helper()
	self, err := os.Executable()
	if err != nil {
		l.t.Fatal(err)
	}
	args := append([]string{l.program, "up", "--state", l.dir, "--foreground", "--progress", "json"}, flags...)
	parent = exec.Command(self, args...)
	parent.Env = append(os.Environ(), asParent+"=yes")
	out, err := parent.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		l.t.Fatal(err)
	}
	events := make(chan progress.Event, 1000)
	go func() {
		defer close(events)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			events <- decodeEvent(l.t, lines.Text())
		}
	}()
	for e := range events {
		if e.Phase == phase {
			return parent, events
		}
	}
	l.t.Fatalf("%s was not reached", phase)
	return nil, nil
}

func TestForegroundLeavesNothingWhenKilled(t *testing.T) {
	t.Parallel()
	for name, victim := range map[string]func(*lab, *exec.Cmd) int{
		"parent":     func(_ *lab, parent *exec.Cmd) int { return parent.Process.Pid },
		"devcluster": func(l *lab, _ *exec.Cmd) int { return l.supervisor() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			t.Cleanup(func() { l.must("down", "--state", l.dir, "--wipe") })
			parent, _ := l.foreground(progress.Ready)
			if len(processes(t, l.dir)) == 0 {
				t.Fatal("no processes while the cluster is up")
			}
			if err := syscall.Kill(victim(l, parent), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			_ = parent.Wait() // killed, or the parent of one who was
			noProcesses(t, l.dir)
			if again := l.up(); again.Phase != progress.Ready {
				t.Errorf("the cluster does not come back: %+v", again)
			}
		})
	}
}

// supervisor is the process of `up --foreground`.
func (l *lab) supervisor() int {
	l.t.Helper()
	running, err := process.Registry(filepath.Join(l.dir, "run")).Running("supervisor")
	if err != nil || len(running) != 1 {
		l.t.Fatalf("supervisor: %v, error %v", running, err)
	}
	return running[0].PID
}

func TestForegroundNamesTheComponentThatDies(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	t.Cleanup(func() { l.must("down", "--state", l.dir, "--wipe") })
	parent, rest := l.foreground(progress.Ready)
	status, err := l.cluster().Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, component := range status.Components {
		if component.Name == "scheduler" {
			if err := syscall.Kill(component.PID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	last := <-rest
	if last.Phase != progress.Failed || !strings.HasPrefix(last.Message, "scheduler has ended") || last.Detail == "" {
		t.Errorf("last event %+v", last)
	}
	if err := parent.Wait(); err == nil {
		t.Error("the exit status says that all is well")
	}
	noProcesses(t, l.dir)
}

func TestDownEndsAForegroundClusterInOrder(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	parent, rest := l.foreground(progress.Ready)
	l.must("down", "--state", l.dir, "--wipe")
	for e := range rest {
		t.Errorf("event %+v", e)
	}
	if err := parent.Wait(); err != nil {
		t.Errorf("exit status: %v", err)
	}
	noProcesses(t, l.dir)
}

func TestUpRefusesPortsInUse(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	t.Cleanup(func() { l.must("down", "--state", l.dir, "--wipe") })
	l.up()
	other := filepath.Join(t.TempDir(), "other")
	out, err := l.run("up", "--state", other, "--port", fmt.Sprint(l.cluster().Ports.APIServer))
	if err == nil || !strings.Contains(out, "--port") {
		t.Errorf("error %v\n%s", err, out)
	}
}

func TestDownInterruptsABuild(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	bin := t.TempDir()
	parent, rest := l.foreground(progress.Build, "--bin", bin)
	l.must("down", "--state", l.dir, "--wipe")
	var last progress.Event
	for e := range rest {
		last = e
	}
	if last.Phase != progress.Failed || last.Message != "interrupted" {
		t.Errorf("last event %+v", last)
	}
	if err := parent.Wait(); err == nil {
		t.Error("the exit status says that all is well")
	}
	noProcesses(t, bin)
	if _, err := os.Stat(l.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state directory after --wipe: %v", err)
	}
}
