// Package process starts the components of a cluster as processes of their own, recognises them again from another
// run of the program, and ends them. Linux only: it reads /proc. It does not know what the processes are.
package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pollInterval is how often a process that is no child of ours is looked at while we wait for its end.
const pollInterval = 10 * time.Millisecond

// killGrace is how long the kernel may take to end a process that was killed.
const killGrace = 5 * time.Second

// Process is a process as it is written down between runs. Started, the time the kernel started it in clock ticks
// since boot, tells it from a later process that got the same number.
type Process struct {
	Name    string
	PID     int
	Started uint64
}

// Find describes the running process pid.
func Find(name string, pid int) (Process, error) {
	started, _, err := stat(pid)
	if err != nil {
		return Process{}, fmt.Errorf("look at process %d: %w", pid, err)
	}
	return Process{Name: name, PID: pid, Started: started}, nil
}

// Alive reports whether the process still runs. One that has ended and waits to be reaped does not.
func (p Process) Alive() bool {
	started, state, err := stat(p.PID)
	return err == nil && started == p.Started && state != 'Z' && state != 'X'
}

// MemoryBytes is the memory that the process takes, 0 when it is gone. Of pages that several processes share, such as
// those of one program that runs many times, each has its part (Pss in proc_pid_smaps(5)).
func (p Process) MemoryBytes() int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.PID))
	if err != nil || !p.Alive() {
		return 0
	}
	_, rest, _ := strings.Cut(string(raw), "\nPss:")
	var kibibytes int64
	if _, err := fmt.Sscan(rest, &kibibytes); err != nil {
		return 0
	}
	return kibibytes << 10
}

// Stop asks the processes to end, all at once, and kills those that still run after grace.
func Stop(grace time.Duration, processes ...Process) error {
	var failed error
	for _, p := range processes {
		failed = errors.Join(failed, p.signal(syscall.SIGTERM))
	}
	deadline := time.Now().Add(grace)
	for _, p := range processes {
		if !p.waitUntil(deadline) {
			failed = errors.Join(failed, p.signal(syscall.SIGKILL))
			p.waitUntil(time.Now().Add(time.Second))
		}
	}
	return failed
}

// Kill ends the processes without asking them.
func Kill(processes ...Process) error {
	var failed error
	for _, p := range processes {
		failed = errors.Join(failed, p.signal(syscall.SIGKILL))
	}
	deadline := time.Now().Add(killGrace)
	for _, p := range processes {
		p.waitUntil(deadline)
	}
	return failed
}

// All returns the running processes of this machine of which is says so; their names are those of the programs.
func All(is func(pid int) bool) ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []Process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || !is(pid) {
			continue
		}
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if p, err := Find(strings.TrimSpace(string(name)), pid); err == nil && p.Alive() {
			found = append(found, p)
		}
	}
	return found, nil
}

func (p Process) signal(s syscall.Signal) error {
	if !p.Alive() {
		return nil
	}
	if err := syscall.Kill(p.PID, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %v to %s (process %d): %w", s, p.Name, p.PID, err)
	}
	return nil
}

func (p Process) waitUntil(deadline time.Time) bool {
	for p.Alive() {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(pollInterval)
	}
	return true
}

// stat reads a process's start time and state. The second field, the program's name in parentheses, may hold
// anything, so counting starts after its last parenthesis (proc_pid_stat(5): state is field 3, starttime field 22).
func stat(pid int) (started uint64, state byte, err error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 20 {
		return 0, 0, fmt.Errorf("unexpected /proc/%d/stat: %q", pid, raw)
	}
	started, err = strconv.ParseUint(fields[19], 10, 64)
	return started, fields[0][0], err
}
