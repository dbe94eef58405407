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

// Run gives the node the images that come on standard input.
func (l loadCommand) Run(ctx context.Context) error {
	c, err := cluster.Open(l.Dir)
	if err != nil {
		return err
	}
	return c.LoadImages(ctx, os.Stdin)
}

// holdCommand is what the process does that holds a real node's namespaces. `up` starts it.
type holdCommand struct {
	Dir string `arg:""`
}

// Run stays until it is told to end.
func (h holdCommand) Run(ctx context.Context) error { return node.Hold(ctx, h.Dir) }
