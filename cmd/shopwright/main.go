// Command shopwright opens and runs online shops on Kubernetes. It serves the pages, keeps the database
// and runs the work, all in one process.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], console{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// commands are the subcommands of the binary.
type commands struct {
	Serve       serveCmd       `cmd:"" default:"withargs" help:"Serve the pages and do the work (default)."`
	LoginLink   loginLinkCmd   `cmd:"" help:"Print a link that signs in an administrator, once and within 10 minutes."`
	Repository  repositoryCmd  `cmd:"" help:"Print what restic needs to read a store’s restore points, secrets included."`
	RecoveryKey recoveryKeyCmd `cmd:"" help:"Create the recovery key, which backups of the database are encrypted for, and print it once."`
	Restore     restoreCmd     `cmd:"" help:"Restore the database of a lost installation from a backup target, into an empty one."`
	Config      configCmd      `cmd:"" help:"Print the configuration in force, without its secrets."`
	Healthcheck healthcheckCmd `cmd:"" help:"Exit with 0 if the Shopwright on this machine can serve."`
	Migrate     migrateCmd     `cmd:"" help:"Show or update the schema of the database, or copy it to Postgres."`
	Version     versionCmd     `cmd:"" help:"Print the version."`

	Login      loginCmd      `cmd:"" help:"Sign in with a token, for the commands below." group:"Client commands:"`
	Stores     storesCmd     `cmd:"" help:"List, create, change and delete stores." group:"Client commands:"`
	Backups    backupsCmd    `cmd:"" help:"Show how all stores are backed up, those first that need attention, as an administrator." group:"Client commands:"`
	Targets    targetsCmd    `cmd:"" help:"List, add, change, delete and test backup targets, as an administrator." group:"Client commands:"`
	Tokens     tokensCmd     `cmd:"" help:"List and revoke your tokens." group:"Client commands:"`
	Completion completionCmd `cmd:"" help:"Print the completion script for a shell."`
	Complete   completeCmd   `cmd:"" hidden:"" help:"List the words that can come next."`
}

// exit codes, as shells and service managers expect them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitNotAllowed  = 4
	exitStoreFailed = 5
	exitTimeout     = 6
	exitInterrupted = 130
)

// run runs the program without touching the process around it, and returns the exit code.
func run(ctx context.Context, args []string, at console) int {
	var cli commands
	cli.Stores.Retry.name, cli.Stores.Repair.name, cli.Stores.Check.name = "retry", "repair", "check"
	cli.Stores.Cancel.name = "cancel"
	parser, err := kong.New(&cli, kong.Name("shopwright"),
		kong.Description("Opens shops on Kubernetes and verifies them with a test order."),
		kong.Writers(at.out, at.err), kong.Bind(at), kong.BindTo(ctx, (*context.Context)(nil)), kong.Exit(func(int) { panic(errHelp) }),
		kong.BindTo(at.out, (*io.Writer)(nil)))
	if err != nil {
		return report(at.err, err)
	}
	return report(at.err, parse(parser, args))
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
	_, _ = fmt.Fprintln(stderr, "shopwright:", explain(err)) // there is nowhere else to report it
	return exitCode(err)
}

// exitCode returns the exit code for the kind of error.
func exitCode(err error) int {
	problem, _ := errors.AsType[*v1.Problem](err)
	switch {
	case errors.As(err, new(usageError)), problem != nil && problem.Status == http.StatusUnprocessableEntity:
		return exitUsage
	case errors.As(err, new(notFound)), problem != nil && problem.Status == http.StatusNotFound:
		return exitNotFound
	case errors.As(err, new(notSignedIn)), problem != nil && (problem.Status == http.StatusUnauthorized || problem.Status == http.StatusForbidden):
		return exitNotAllowed
	case errors.As(err, new(storeFailed)), errors.As(err, new(backupFailed)), errors.As(err, new(notBegun)), errors.As(err, new(drillFailed)):
		return exitStoreFailed
	case errors.As(err, new(stillAtWork)):
		return exitTimeout
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailed
}

// explain returns the message for a person, with its cause in parentheses.
func explain(err error) string {
	if problem, ok := errors.AsType[*v1.Problem](err); ok {
		return problem.Detail
	}
	e, ok := errors.AsType[*store.Error](err)
	if !ok {
		return err.Error()
	}
	if cause := errors.Unwrap(e); cause != nil {
		return fmt.Sprintf("%s (%s)", e.Message, strings.Join(strings.Fields(cause.Error()), " "))
	}
	return e.Message
}
