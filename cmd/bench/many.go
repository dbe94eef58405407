package main

import (
	"context"
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// The aims for many stores at once.
const (
	ofFloorTotal     = 1.3
	ofHelmThroughput = 4
	cpuAStore        = 0.05 // seconds of ours
)

const (
	helmWide = 8 // calls of Helm at once; more only get in each other's way
	few      = 20
	lots     = 100
)

// crowd is what it took to make many stores at once.
type crowd struct {
	took  []time.Duration // for each store, from asked for to ready
	total time.Duration
	cpu   time.Duration // of the peer, not of the control plane
}

// approach is a way to make a crowd, opened for the time of one measurement so that no two
// of them use this process at once.
type approach struct {
	name string
	wide int  // stores at once; zero for all
	ours bool // what profiles are written of
	open func(context.Context) (peer, error)
}

func approaches(b *bench) []approach {
	return []approach{
		{name: "ours", ours: true, open: func(ctx context.Context) (peer, error) { return newPlatform(ctx, b, b.account, defaultConcurrency) }},
		{name: "Helm", open: func(context.Context) (peer, error) { return newHelmCLI(b, b.admin) }, wide: helmWide},
		{name: "floor", open: func(ctx context.Context) (peer, error) { return newFloor(ctx, b.admin) }},
	}
}

// width is how many of so many stores are worked on at once.
func (a approach) width(stores int) int {
	if a.wide == 0 {
		return stores
	}
	return a.wide
}

func measureMany(ctx context.Context, b *bench) ([]figure, error) {
	var figures []figure
	for _, size := range []struct{ stores, repetitions int }{{few, 3}, {lots, 1}} {
		crowds, err := gather(ctx, b, approaches(b), size.stores, size.repetitions)
		if err != nil {
			return figures, err
		}
		figures = append(figures, crowdFigures(size.stores, crowds[0], crowds[1], crowds[2])...)
	}
	return figures, nil
}

// gather lets each approach make the crowd several times, in turn, each time in a cluster
// without stores.
func gather(ctx context.Context, b *bench, approaches []approach, stores, repetitions int) ([][]crowd, error) {
	crowds := make([][]crowd, len(approaches))
	for range repetitions {
		for i, a := range approaches {
			c, err := makeCrowd(ctx, b, a, stores)
			if err != nil {
				return nil, fmt.Errorf("%s, %d stores: %w", a.name, stores, err)
			}
			b.note("  %s: %d stores in %s, %s of CPU", a.name, stores, c.total.Round(time.Millisecond), c.cpu.Round(time.Millisecond))
			crowds[i] = append(crowds[i], c)
			if err := b.sweep(ctx); err != nil {
				return nil, err
			}
		}
	}
	return crowds, nil
}

// makeCrowd opens the peer, lets it make a first store, and measures the rest.
func makeCrowd(ctx context.Context, b *bench, a approach, stores int) (crowd, error) {
	p, err := a.open(ctx)
	if err != nil {
		return crowd{}, err
	}
	defer p.close()
	if _, err := one(ctx, b.name(), p.create); err != nil {
		return crowd{}, err
	}
	names := b.names(stores)
	var c crowd
	work := func() error {
		runtime.GC()
		cpu, began := cpuTime(), time.Now()
		c.took, err = each(ctx, names, a.width(stores), p.create)
		c.total, c.cpu = time.Since(began), cpuTime()-cpu
		return err
	}
	if a.ours {
		err = b.profiled(work)
	} else {
		err = work()
	}
	return c, err
}

// cpuTime is what this process and the ended programs that it has called have used so far.
func cpuTime() time.Duration {
	var total time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var used syscall.Rusage
		_ = syscall.Getrusage(who, &used) // fails for an unknown who only
		total += time.Duration(used.Utime.Nano() + used.Stime.Nano())
	}
	return total
}

func crowdFigures(stores int, ours, helm, floor []crowd) []figure {
	n := func(format string, args ...any) string {
		return fmt.Sprintf("%d stores, ", stores) + fmt.Sprintf(format, args...)
	}
	helmRate := throughput(helm)
	return []figure{
		seconds(n("all ready"), totals(ours), atMost(ofFloorTotal*median(totals(floor)).Seconds(), fmt.Sprintf("%v × floor", ofFloorTotal))),
		seconds(n("all ready, Helm %d at once", helmWide), totals(helm), aim{}),
		seconds(n("all ready, floor"), totals(floor), aim{}),
		{name: n("throughput"), value: throughput(ours), unit: "stores/s", aim: atLeast(ofHelmThroughput*helmRate, fmt.Sprintf("%d × Helm", ofHelmThroughput))},
		{name: n("throughput, Helm"), value: helmRate, unit: "stores/s"},
		{name: n("throughput, floor"), value: throughput(floor), unit: "stores/s"},
		spreadOf(n("each, median"), ours, 50), spreadOf(n("each, 95 of 100"), ours, 95),
		spreadOf(n("each, median, Helm"), helm, 50), spreadOf(n("each, 95 of 100, Helm"), helm, 95),
		spreadOf(n("each, median, floor"), floor, 50), spreadOf(n("each, 95 of 100, floor"), floor, 95),
		{name: n("CPU for each"), value: cpuOfEach(ours), unit: "s", aim: atMost(cpuAStore, "")},
		{name: n("CPU for each, Helm"), value: cpuOfEach(helm), unit: "s"},
		{name: n("CPU for each, floor"), value: cpuOfEach(floor), unit: "s"},
	}
}

func totals(crowds []crowd) []time.Duration {
	var all []time.Duration
	for _, c := range crowds {
		all = append(all, c.total)
	}
	return all
}

// throughput is that of the crowd whose time is the median.
func throughput(crowds []crowd) float64 {
	return float64(len(crowds[0].took)) / median(totals(crowds)).Seconds()
}

func spreadOf(name string, crowds []crowd, p int) figure {
	var all []time.Duration
	for _, c := range crowds {
		all = append(all, c.took...)
	}
	return figure{name: name, value: percentile(all, p).Seconds(), unit: "s"}
}

func cpuOfEach(crowds []crowd) float64 {
	var all []time.Duration
	for _, c := range crowds {
		all = append(all, c.cpu)
	}
	return median(all).Seconds() / float64(len(crowds[0].took))
}
