// Command bench measures what a store, a crowd of stores and the program itself cost, beside
// the peers that do the same work with other means, and prints one table. `make bench` gives
// it a development control plane of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // the one deferred call is made above
	}
}

// run measures the chosen sections and prints what came of them, even when one of them could
// not be measured to its end.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	o.register(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(sections(), o.only)
	if err != nil {
		return err
	}
	b, err := newBench(o, stderr)
	if err != nil {
		return err
	}
	defer b.close()
	var rows []row
	var failed error
	for _, s := range chosen {
		figures, err := b.measure(ctx, s)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("section %s: %w", s.name, err))
		}
		rows = append(rows, rowsOf(s, figures)...)
	}
	return errors.Join(printTable(stdout, rows), failed)
}
