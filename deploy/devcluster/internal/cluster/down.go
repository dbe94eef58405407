package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"shopwright.dev/shopwright/deploy/devcluster/internal/process"
	"shopwright.dev/shopwright/deploy/devcluster/internal/progress"
)

const (
	// stopGrace is how long a process may take to end before it is killed.
	stopGrace = 10 * time.Second
	// supervisorGrace leaves a supervisor the time to end all its processes in order.
	supervisorGrace = 40 * time.Second
)

// Down ends the cluster in the state directory dir, if one is up. Its data stay, and its kube-system namespace keeps
// its UID over the next Up; wipe removes the directory with all that is in it.
func Down(ctx context.Context, dir string, wipe bool, report progress.Reporter) error {
	c, err := Open(dir)
	if err != nil {
		return err
	}
	// A program that holds the cluster in the foreground ends it itself, and lets go of the lock if it is
	// still at building.
	if err := c.stopSupervisor(); err != nil {
		return err
	}
	c, release, err := lock(ctx, c.Dir, report)
	if err != nil {
		return err
	}
	defer release()
	if err := c.stop(); err != nil || !wipe {
		return err
	}
	if err := os.RemoveAll(c.Dir); err != nil {
		return fmt.Errorf("remove the state directory: %w", err)
	}
	return nil
}

func (c *Cluster) stopSupervisor() error {
	running, err := c.registry().Running(supervisorName)
	if err != nil {
		return err
	}
	return process.Stop(supervisorGrace, running...)
}

// stop ends the cluster's processes in order, whoever started them.
func (c *Cluster) stop() error {
	var failed error
	for _, group := range c.stopOrder() {
		running, err := c.registry().Running(group...)
		failed = errors.Join(failed, err, process.Stop(stopGrace, running...))
	}
	if c.Node != nil {
		failed = errors.Join(failed, c.Node.Clear())
	}
	for _, name := range c.components() {
		failed = errors.Join(failed, c.registry().Remove(name))
	}
	return failed
}
