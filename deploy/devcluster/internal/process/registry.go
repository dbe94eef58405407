package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Registry is a directory of pid files, one for each component, NAME.pid.
type Registry string

// Add writes a process down.
func (r Registry) Add(p Process) error {
	if err := os.MkdirAll(string(r), 0o700); err != nil {
		return fmt.Errorf("make the directory of pid files: %w", err)
	}
	line := fmt.Sprintf("%d %d\n", p.PID, p.Started)
	if err := os.WriteFile(r.path(p.Name), []byte(line), 0o600); err != nil {
		return fmt.Errorf("write down process %d: %w", p.PID, err)
	}
	return nil
}

// Remove forgets a process.
func (r Registry) Remove(name string) error {
	if err := os.Remove(r.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget a process: %w", err)
	}
	return nil
}

// Running returns the registered processes that are alive, in the order of names; names it has no file for, and
// files whose process has ended or has given its number to another, are left out.
func (r Registry) Running(names ...string) ([]Process, error) {
	var running []Process
	for _, name := range names {
		p, err := r.read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if p.Alive() {
			running = append(running, p)
		}
	}
	return running, nil
}

func (r Registry) read(name string) (Process, error) {
	raw, err := os.ReadFile(r.path(name))
	if err != nil {
		return Process{}, err
	}
	p := Process{Name: name}
	if _, err := fmt.Sscan(strings.TrimSpace(string(raw)), &p.PID, &p.Started); err != nil {
		return Process{}, fmt.Errorf("read %s: %w", r.path(name), err)
	}
	return p, nil
}

func (r Registry) path(name string) string { return filepath.Join(string(r), name+".pid") }
