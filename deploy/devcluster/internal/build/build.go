// Package build compiles the binaries of a development cluster from Go modules and keeps them: etcd and Kubernetes
// as one program, what nodes need as others. It runs the go command and does not know how the binaries are used.
package build

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"shopwright.dev/shopwright/deploy/devcluster/internal/filelock"
	"shopwright.dev/shopwright/deploy/devcluster/internal/progress"
)

// niceness leaves the processor to whoever works while a build of minutes goes on beside them.
const niceness = 10

// killDelay is how long a cancelled go command may take to clean up.
const killDelay = 5 * time.Second

// Nodes are the kinds of nodes that a cluster may have.
type Nodes int

// Simulated nodes are played by kwok, and a Real one runs pods on this machine.
const (
	Simulated Nodes = iota
	Real
)

// The names of the binaries that become images.
const (
	addonsName = "addons"
	pauseName  = "pause"
)

// Binaries is the directory that holds the binaries.
type Binaries string

// ControlPlane is the path of the program that runs etcd and the Kubernetes components.
func (b Binaries) ControlPlane() string { return filepath.Join(string(b), "controlplane") }

// Kwok is the path of the program that plays the nodes.
func (b Binaries) Kwok() string { return filepath.Join(string(b), "kwok") }

// Node is the path of the program that runs the parts of a real node.
func (b Binaries) Node() string { return filepath.Join(string(b), "node") }

// Program is one that runs in the cluster, and so needs an image.
type Program struct {
	Name, Path string
	// Version is another for every other build.
	Version string
}

// Addons is the program of what a cluster with a real node needs within it.
func (b Binaries) Addons() (Program, error) { return b.program(addonsName) }

// Pause is the program that holds a pod's namespaces.
func (b Binaries) Pause() (Program, error) { return b.program(pauseName) }

func (b Binaries) program(name string) (Program, error) {
	stamp, err := os.ReadFile(stampPath(string(b), target{name: name}))
	if err != nil {
		return Program{}, fmt.Errorf("read the version of %s: %w", name, err)
	}
	return Program{Name: name, Path: filepath.Join(string(b), name), Version: string(stamp[:12])}, nil
}

// Ensure builds into the directory bin those binaries for such nodes that are missing there or were built from other
// sources than those in the folder source. It waits for another Ensure on the same directory.
func Ensure(ctx context.Context, source, bin string, nodes Nodes, report progress.Reporter) (Binaries, error) {
	all, err := targets(source, nodes)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(bin, 0o700); err != nil {
		return "", fmt.Errorf("make the directory of binaries: %w", err)
	}
	release, err := filelock.Acquire(ctx, filepath.Join(bin, "lock"), func() {
		report(progress.Event{Phase: progress.Build, Message: "Waiting for another build of the control plane"})
	})
	if err != nil {
		return "", err
	}
	defer release()
	pending, err := outdated(all, bin)
	if err != nil || len(pending) == 0 {
		return Binaries(bin), err
	}
	return Binaries(bin), buildAll(ctx, pending, bin, newMeter(report))
}

// outdated returns the targets whose binary is missing or has another stamp than their sources.
func outdated(all []target, bin string) ([]target, error) {
	var pending []target
	for _, t := range all {
		want, err := t.stamp()
		if err != nil {
			return nil, err
		}
		got, err := os.ReadFile(stampPath(bin, t))
		_, missing := os.Stat(filepath.Join(bin, t.name))
		if err != nil || missing != nil || string(got) != want {
			pending = append(pending, t)
		}
	}
	return pending, nil
}

func stampPath(bin string, t target) string { return filepath.Join(bin, t.name+".stamp") }

func buildAll(ctx context.Context, pending []target, bin string, m *meter) error {
	packages, err := countStale(ctx, pending, m)
	if err != nil {
		return err
	}
	for i, t := range pending {
		m.begin(t.title, packages[i])
		if err := t.build(ctx, bin, m); err != nil {
			return fmt.Errorf("build %s: %w", t.title, err)
		}
	}
	return nil
}

// countStale tells the meter how many packages there are to compile and returns how many for each target. One that
// an earlier target needs too is not counted again.
func countStale(ctx context.Context, pending []target, m *meter) ([]int, error) {
	m.say("Looking at what has to be compiled")
	counted := map[string]bool{}
	packages := make([]int, len(pending))
	for i, t := range pending {
		stale, err := t.stale(ctx, m)
		if err != nil {
			return nil, fmt.Errorf("look at the packages of %s: %w", t.title, err)
		}
		for _, folder := range stale {
			if !counted[folder] {
				counted[folder] = true
				packages[i]++
			}
		}
	}
	m.total = len(counted)
	return packages, nil
}

// stale lists the folders of the packages that building t compiles, without the program itself, which is never found
// in the cache. A folder names the version too, so that it stands for what is compiled. The modules are downloaded on
// the way.
func (t target) stale(ctx context.Context, m *meter) ([]string, error) {
	format := `{{if and .Stale (ne .Name "main")}}{{.Dir}}{{end}}`
	args := append(append([]string{"list", "-deps", "-f", format}, t.flags()...), t.pkg)
	out, err := t.run(ctx, args, m)
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' }), err
}

// build compiles t beside its place and moves it there, so that a running cluster keeps the file it runs from.
func (t target) build(ctx context.Context, bin string, m *meter) error {
	stamp, err := t.stamp()
	if err != nil {
		return err
	}
	fresh := filepath.Join(bin, t.name+".new")
	defer os.Remove(fresh)
	args := append(append([]string{"build", "-v", "-o", fresh}, t.flags()...), t.pkg)
	if _, err := t.run(ctx, args, m); err != nil {
		return err
	}
	if err := os.Rename(fresh, filepath.Join(bin, t.name)); err != nil {
		return err
	}
	return os.WriteFile(stampPath(bin, t), []byte(stamp), 0o600)
}

// run runs the go command in t's module, hands the lines of its standard error to the meter and returns its
// standard output.
func (t target) run(ctx context.Context, args []string, m *meter) ([]byte, error) {
	// The go command ends with the thread that started it, so that a build does not outlive a killed program.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var out strings.Builder
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = t.dir
	// Neither a workspace nor the user's own flags may change what is built.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
	cmd.Stdout = &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = killDelay
	lines, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("the go command is missing: install Go 1.26 or newer from https://go.dev/dl and try again")
	} else if err != nil {
		return nil, err
	}
	// Best effort: a build that competes with other work is a nuisance, not a failure.
	_ = syscall.Setpriority(syscall.PRIO_PGRP, cmd.Process.Pid, niceness)
	said := m.read(lines)
	if err := cmd.Wait(); err != nil {
		return nil, failure(ctx, err, said)
	}
	return []byte(out.String()), nil
}

func failure(ctx context.Context, err error, said []string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("the go command failed (%w); this is what it said:\n%s", err, strings.Join(said, "\n"))
}

// keptLines is how much of the go command's complaints an error repeats.
const keptLines = 20

// read follows the go command's standard error to its end and returns the last lines that were no progress.
func (m *meter) read(r io.Reader) []string {
	var said []string
	for scanner := bufio.NewScanner(r); scanner.Scan(); {
		if !m.line(scanner.Text()) {
			said = append(said, scanner.Text())
		}
	}
	return said[max(0, len(said)-keptLines):]
}
