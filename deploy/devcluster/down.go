package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"shopwright.dev/shopwright/deploy/devcluster/internal/cluster"
	"shopwright.dev/shopwright/deploy/devcluster/internal/progress"
)

type downCommand struct {
	state
	Wipe bool `help:"Remove the state directory as well, with all of the cluster's data."`
}

// Run stops the cluster. It is no error if there is none.
func (d downCommand) Run(ctx context.Context, stdout io.Writer) error {
	err := cluster.Down(ctx, d.Dir, d.Wipe, progress.Text(stdout))
	if errors.Is(err, cluster.ErrNoCluster) {
		fmt.Fprintln(stdout, "There is no cluster in", d.Dir)
		return nil
	}
	return err
}

type statusCommand struct {
	state
}

// Run prints the cluster's processes, its address and whether it is ready.
func (s statusCommand) Run(ctx context.Context, stdout io.Writer) error {
	c, err := cluster.Open(s.Dir)
	if err != nil {
		return err
	}
	status, err := c.Status(ctx)
	if err != nil {
		return err
	}
	if err := printStatus(stdout, c, status); err != nil {
		return err
	}
	if !status.Ready {
		return errNotReady
	}
	return nil
}

func printStatus(stdout io.Writer, c *cluster.Cluster, status cluster.Status) error {
	const mebibyte = 1 << 20
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	var total int64
	for _, p := range status.Components {
		total += p.MemoryBytes
		if p.PID == 0 {
			fmt.Fprintf(table, "%s\tnot running\n", p.Name)
			continue
		}
		fmt.Fprintf(table, "%s\tprocess %d\t%d MiB\n", p.Name, p.PID, p.MemoryBytes/mebibyte)
	}
	fmt.Fprintf(table, "memory\t%d MiB\n", total/mebibyte)
	fmt.Fprintf(table, "API server\t%s\n", c.Server())
	fmt.Fprintf(table, "state\t%s\n", c.Dir)
	fmt.Fprintf(table, "ready\t%t\n", status.Ready)
	return table.Flush()
}
