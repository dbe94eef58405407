package process

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// Command says how a component is started.
type Command struct {
	Name string
	Path string
	Args []string
	// Env is added to this program's own environment.
	Env []string
	// Log is the file that takes what the component writes; it is emptied first.
	Log string
	// Bound ends the component when the thread that started it ends, however that happens. The caller keeps
	// that thread: runtime.LockOSThread for as long as the component is to live.
	Bound bool
	// Namespaces are those that the component gets anew, flags of clone(2).
	Namespaces uintptr
}

// Child is a component started by this program.
type Child struct {
	Process
	Log  string
	done chan struct{}
}

// Done is closed when the child has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Start starts a component in a session of its own, so that a terminal's interrupt does not reach it: whoever runs
// the cluster ends its parts in order.
func Start(command Command) (*Child, error) {
	log, err := os.OpenFile(command.Log, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", command.Name, err)
	}
	defer log.Close()

	cmd := exec.Command(command.Path, command.Args...) //nolint:noctx // it outlives every context here
	cmd.Env = append(os.Environ(), command.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: command.Namespaces}
	if command.Bound {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Name, err)
	}
	process, err := Find(command.Name, cmd.Process.Pid)
	child := &Child{Process: process, Log: command.Log, done: make(chan struct{})}
	go func() {
		defer close(child.done)
		_ = cmd.Wait() // how it ended is in its log
	}()
	return child, err
}
