package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"shopwright.dev/shopwright/deploy/devcluster/internal/cluster"
	"shopwright.dev/shopwright/deploy/devcluster/internal/gate"
)

type faultCommand struct {
	Add   faultAddCommand   `cmd:"" help:"Add a fault and print its id. The first fault that matches a request takes it."`
	List  faultListCommand  `cmd:"" help:"Show the faults in force."`
	Wait  faultWaitCommand  `cmd:"" help:"Wait until a fault has hit a request."`
	Clear faultClearCommand `cmd:"" help:"End a fault, or all. Requests held back go on."`
}

// client speaks to the gate of the cluster.
func (s state) gate() (*gate.Client, error) {
	c, err := cluster.Open(s.Dir)
	if err != nil {
		return nil, err
	}
	return gate.NewClient(c.Dir), nil
}

type faultAddCommand struct {
	state
	Method string        `help:"HTTP method; all when left out." placeholder:"METHOD"`
	Path   string        `help:"Regular expression for the request's path; all when left out." placeholder:"REGEXP"`
	Hold   bool          `xor:"action" required:"" help:"Hold the request back until the fault is cleared. If its client goes, it never reaches the API server."`
	Status int           `xor:"action" required:"" help:"Answer with this HTTP status." placeholder:"CODE"`
	Delay  time.Duration `xor:"action" required:"" help:"Pass the request on after this time."`
	Drop   bool          `xor:"action" required:"" help:"Close the connection; requests on their way, watches too, are cut."`
	Times  int           `help:"Hit this many requests at most; any number when left out." placeholder:"N"`
}

// Run adds the fault.
func (f faultAddCommand) Run(ctx context.Context, stdout io.Writer) error {
	client, err := f.gate()
	if err != nil {
		return err
	}
	id, err := client.Add(ctx, gate.Fault{
		Method: f.Method, Path: f.Path, Hold: f.Hold, Status: f.Status, Delay: f.Delay, Drop: f.Drop, Times: f.Times,
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, id)
	return nil
}

type faultListCommand struct {
	state
}

// Run prints the faults, one a line.
func (f faultListCommand) Run(ctx context.Context, stdout io.Writer) error {
	client, err := f.gate()
	if err != nil {
		return err
	}
	faults, err := client.List(ctx)
	for _, fault := range faults {
		fmt.Fprintln(stdout, fault)
	}
	return err
}

type faultWaitCommand struct {
	state
	ID      string        `arg:""`
	Timeout time.Duration `default:"60s" help:"How long to wait."`
}

// Run waits for a hit.
func (f faultWaitCommand) Run(ctx context.Context) error {
	client, err := f.gate()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, f.Timeout)
	defer cancel()
	return client.Wait(ctx, f.ID)
}

type faultClearCommand struct {
	state
	ID string `arg:"" optional:"" help:"The fault; all when left out."`
}

// Run clears the fault.
func (f faultClearCommand) Run(ctx context.Context) error {
	client, err := f.gate()
	if err != nil {
		return err
	}
	return client.Clear(ctx, f.ID)
}

type gateCommand struct {
	state
}

// Run serves the gate until it is told to end.
func (g gateCommand) Run(ctx context.Context) error {
	c, err := cluster.Open(g.Dir)
	if err != nil {
		return err
	}
	options, err := c.GateOptions()
	if err != nil {
		return err
	}
	options.Log = os.Stderr
	return gate.Serve(ctx, options)
}
