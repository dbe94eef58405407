// Command devcluster runs a Kubernetes control plane on this machine for developing and testing
// Shopwright: a real etcd, API server, controller manager and scheduler, built from Go modules, and nodes
// whose pods are simulated. It needs no root, no containers and no network other than the loopback
// interface, except that a real node needs root. Linux only.
//
// The module is separate from Shopwright's own, and neither imports the other: they exchange only
// kubeconfig files and this program's output.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"shopwright.dev/shopwright/deploy/devcluster/internal/progress"
)

// commands is the command line.
type commands struct {
	Up     upCommand     `cmd:"" help:"Bring a cluster up, building its programs first where needed."`
	Down   downCommand   `cmd:"" help:"End a cluster. Its data stay."`
	Status statusCommand `cmd:"" help:"Show a cluster's processes. The exit status is 1 unless it is ready."`
	Build  buildCommand  `cmd:"" help:"Build the programs of the control plane and nothing else."`
	Sim    simCommand    `cmd:"" help:"Make the pods of a namespace fail or dawdle."`
	Load   loadCommand   `cmd:"" help:"Give the real node images, which come from docker save on standard input."`
	Hold   holdCommand   `cmd:"" name:"hold-node" hidden:""`
}

// state is the flag that names a cluster.
type state struct {
	Dir string `name:"state" required:"" placeholder:"DIR" help:"Directory of all that belongs to the cluster."`
}

// errNotReady makes a command exit with status 1 and no message.
var errNotReady = errors.New("not ready")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, errNotReady):
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "devcluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	parser, err := kong.New(&commands{},
		kong.Name("devcluster"),
		kong.Description("A real Kubernetes control plane with simulated nodes, on this machine."),
		kong.Writers(stdout, stderr),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.BindTo(stdout, (*io.Writer)(nil)),
	)
	if err != nil {
		return fmt.Errorf("define the command line: %w", err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return err
	}
	return parsed.Run()
}

// reporting is the flag for the format of progress reports.
type reporting struct {
	Progress string `enum:"text,json" default:"text" help:"How to report progress: ${enum}; json is one object a line."`
}

func (r reporting) reporter(stdout io.Writer) progress.Reporter {
	if r.Progress == "json" {
		return progress.JSON(stdout)
	}
	return progress.Text(stdout)
}

// told reports a failed command as progress, if that is JSON. The caller prints the error as text.
func (r reporting) told(stdout io.Writer, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		err = errors.New("interrupted")
	}
	if r.Progress == "json" {
		progress.JSON(stdout)(progress.Failure(err))
	}
	return err
}
