package main

import (
	"context"
	"errors"
	"fmt"

	"shopwright.dev/shopwright/deploy/devcluster/internal/cluster"
	"shopwright.dev/shopwright/deploy/devcluster/internal/node"
)

type loadCommand struct {
	state
	Files []string `arg:"" type:"existingfile" help:"Images as docker save writes them."`
}

// Run gives the node the images in the files.
func (l loadCommand) Run(ctx context.Context) error {
	c, err := cluster.Open(l.Dir)
	if err != nil {
		return err
	}
	var failed error
	for _, file := range l.Files {
		if err := c.LoadImage(ctx, file); err != nil {
			failed = errors.Join(failed, fmt.Errorf("load %s: %w", file, err))
		}
	}
	return failed
}

// holdCommand is what the process does that holds a real node's namespaces. `up` starts it.
type holdCommand struct {
	Dir string `arg:""`
}

// Run stays until it is told to end.
func (h holdCommand) Run(ctx context.Context) error { return node.Hold(ctx, h.Dir) }
