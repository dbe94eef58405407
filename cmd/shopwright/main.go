// Command shopwright opens and runs online shops on Kubernetes: it serves the pages, keeps
// the records and does the work, all in one process.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"shopwright.dev/shopwright/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// commands are the subcommands of the binary.
type commands struct {
	Serve       serveCmd       `cmd:"" default:"withargs" help:"Serve the pages and do the work (default)."`
	LoginLink   loginLinkCmd   `cmd:"" help:"Print a link with which the administrator signs in, once and within 15 minutes."`
	Config      configCmd      `cmd:"" help:"Print the configuration in force, without its secrets."`
	Healthcheck healthcheckCmd `cmd:"" help:"Ask the Shopwright that runs here whether it can serve; the exit code says so."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// exit codes, as shells and service managers expect them.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// run is the program, without the process around it. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var cli commands
	parser, err := kong.New(&cli, kong.Name("shopwright"),
		kong.Description("Opens shops on Kubernetes, and proves that they sell."),
		kong.Writers(stdout, stderr), kong.BindTo(ctx, (*context.Context)(nil)), kong.Exit(func(int) { panic(errHelp) }),
		kong.BindTo(stdout, (*io.Writer)(nil)))
	if err != nil {
		return report(stderr, err)
	}
	return report(stderr, parse(parser, args))
}

// errHelp ends parsing after help was printed.
var errHelp = errors.New("help was printed")

func parse(parser *kong.Kong, args []string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if r != any(errHelp) {
				panic(r)
			}
			err = nil
		}
	}()
	call, err := parser.Parse(args)
	if err != nil {
		return usageError{err}
	}
	return call.Run()
}

// usageError is a mistake in arguments or configuration.
type usageError struct{ error }

func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	_, _ = fmt.Fprintln(stderr, "shopwright:", explain(err)) // there is nowhere else to say it
	if errors.As(err, new(usageError)) {
		return exitUsage
	}
	return exitFailed
}

// explain is the sentence for a person, and in brackets what it was made of.
func explain(err error) string {
	e, ok := errors.AsType[*store.Error](err)
	if !ok {
		return err.Error()
	}
	if cause := errors.Unwrap(e); cause != nil {
		return fmt.Sprintf("%s (%s)", e.Message, strings.Join(strings.Fields(cause.Error()), " "))
	}
	return e.Message
}
