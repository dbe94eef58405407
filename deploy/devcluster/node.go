package main

import (
	"context"
	"os"

	"shopwright.dev/shopwright/deploy/devcluster/internal/cluster"
	"shopwright.dev/shopwright/deploy/devcluster/internal/node"
)

type loadCommand struct {
	state
}

// Run loads images from standard input into the node.
func (l loadCommand) Run(ctx context.Context) error {
	c, err := cluster.Open(l.Dir)
	if err != nil {
		return err
	}
	return c.LoadImages(ctx, os.Stdin)
}

// holdCommand is the process that keeps the namespaces of a real node. `up` starts it.
type holdCommand struct {
	Dir string `arg:""`
}

// Run waits until it is stopped.
func (h holdCommand) Run(ctx context.Context) error { return node.Hold(ctx, h.Dir) }
