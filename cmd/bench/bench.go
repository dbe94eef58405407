package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// options are what the command line says.
type options struct {
	only    string
	cluster string
	helm    string
	binary  string
	profile string
}

func (o *options) register(flags *flag.FlagSet) {
	flags.StringVar(&o.only, "only", "", "comma-separated `names` of the sections to measure; all when empty")
	flags.StringVar(&o.cluster, "cluster", "", "state `directory` of a development control plane that is up")
	flags.StringVar(&o.helm, "helm", "helm", "Helm's command line `program`")
	flags.StringVar(&o.binary, "binary", "bin/shopwright", "the `program` that is measured as a process")
	flags.StringVar(&o.profile, "profile", "", "`directory` for CPU and memory profiles of our own work, one of each for every repetition")
}

// bench is what all sections share.
type bench struct {
	options
	account  target // the platform's own
	admin    target // may do everything: Helm waits for what the platform's role does not list
	scratch  string // directory for the time of the run
	chart    string // directory of the neutral chart
	out      io.Writer
	section  string // that is being measured
	profiles int    // written of it so far
	serial   atomic.Int64
}

// target is a way to the API server, for clients of either sort.
type target struct {
	config     *rest.Config
	kubeconfig string
}

func newBench(o options, out io.Writer) (*bench, error) {
	b := &bench{options: o, out: out}
	var err error
	if b.account, err = loadTarget(filepath.Join(o.cluster, "platform.kubeconfig")); err != nil {
		return nil, err
	}
	if b.admin, err = loadTarget(filepath.Join(o.cluster, "admin.kubeconfig")); err != nil {
		return nil, err
	}
	if b.scratch, err = os.MkdirTemp("", "shopwright-bench-"); err != nil {
		return nil, err
	}
	b.chart = filepath.Join(b.scratch, "chart")
	return b, os.CopyFS(b.chart, neutral{}.Chart())
}

func loadTarget(kubeconfig string) (target, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return target{}, fmt.Errorf("load %s: %w", kubeconfig, err)
	}
	config.QPS = -1
	return target{config, kubeconfig}, nil
}

func (b *bench) close() { _ = os.RemoveAll(b.scratch) }

// measure runs a section in a cluster without any store of a section before. Those of the
// last one go with the cluster.
func (b *bench) measure(ctx context.Context, s section) ([]figure, error) {
	b.section, b.profiles = s.name, 0
	began := time.Now()
	b.note("%s: begins", s.name)
	if err := b.sweep(ctx); err != nil {
		return nil, err
	}
	figures, err := s.run(ctx, b)
	b.note("%s: took %s", s.name, time.Since(began).Round(time.Second))
	return figures, err
}

// note tells whoever waits for the table.
func (b *bench) note(format string, args ...any) { _, _ = fmt.Fprintf(b.out, format+"\n", args...) }

// name returns a store's name that no other has.
func (b *bench) name() string { return fmt.Sprintf("bench-%d", b.serial.Add(1)) }

// names returns as many of them.
func (b *bench) names(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = b.name()
	}
	return names
}
