package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"shopwright.dev/shopwright/deploy/devcluster/internal/cluster"
	"shopwright.dev/shopwright/deploy/devcluster/internal/simulate"
)

type simCommand struct {
	state
	Namespace string   `arg:"" help:"The namespace, which need not exist yet."`
	Switches  []string `arg:"" optional:"" help:"fail=image-pull|crash-loop|never-ready|job-failed, start-delay=5s, job-duration=5s; none removes a switch; component=NAME narrows to pods with that app.kubernetes.io/component. Without any, the switches are shown."`
}

// Run changes or shows the switches of a namespace.
func (s simCommand) Run(ctx context.Context, stdout io.Writer) error {
	c, err := cluster.Open(s.Dir)
	if err != nil {
		return err
	}
	admin, err := c.Admin()
	if err != nil {
		return err
	}
	defer admin.Close()
	if len(s.Switches) > 0 {
		change, err := simulate.ParseChange(s.Switches)
		if err != nil {
			return err
		}
		return simulate.Set(ctx, admin, s.Namespace, change)
	}
	switches, err := simulate.Switches(ctx, admin, s.Namespace)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(switches)) {
		fmt.Fprintf(stdout, "%s=%s\n", name, switches[name])
	}
	return nil
}
