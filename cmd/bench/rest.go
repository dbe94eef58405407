package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// The aims for the program that has nothing to do.
const (
	idleMemory     = 60  // MB
	firstPage      = 0.3 // seconds
	crowdedMemory  = 150 // MB
	requestsMinute = 30
)

const (
	starts    = 7
	restAfter = 10 * time.Second // from the start, until the memory is read
	crowded   = 1000             // stores
	crowdWide = 40               // of them made at once
)

// measureRest looks at the real program: alone, and with many stores that are ready.
func measureRest(ctx context.Context, b *bench) ([]figure, error) {
	answered, err := firstPages(ctx, b)
	if err != nil {
		return nil, err
	}
	figures := []figure{seconds("from start to first page", answered, atMost(firstPage, ""))}
	empty, err := os.MkdirTemp(b.scratch, "empty-")
	if err != nil {
		return figures, err
	}
	idle, err := memoryAtRest(ctx, b, empty)
	if err != nil {
		return figures, err
	}
	figures = append(figures, figure{name: "memory without stores", value: idle.all, unit: "MB", spread: idle.spread(), aim: atMost(idleMemory, "")})
	dir, err := populate(ctx, b)
	if err != nil {
		return figures, err
	}
	full, err := memoryAtRest(ctx, b, dir)
	if err != nil {
		return figures, err
	}
	calls, err := callsAMinute(ctx, b, dir)
	return append(figures,
		figure{name: fmt.Sprintf("memory with %d stores", crowded), value: full.all, unit: "MB", spread: full.spread(), aim: atMost(crowdedMemory, "")},
		figure{name: fmt.Sprintf("API requests a minute with %d stores", crowded), value: float64(calls), aim: below(requestsMinute)},
	), err
}

// firstPages starts the program several times on new data, and asks for the page that
// everybody sees first.
func firstPages(ctx context.Context, b *bench) ([]time.Duration, error) {
	var answered []time.Duration
	for range starts {
		dataDir, err := os.MkdirTemp(b.scratch, "start-")
		if err != nil {
			return nil, err
		}
		took, err := untilFirstPage(ctx, b, dataDir)
		if err != nil {
			return nil, err
		}
		answered = append(answered, took)
	}
	return answered, nil
}

func untilFirstPage(ctx context.Context, b *bench, dataDir string) (time.Duration, error) {
	p, err := startProcess(ctx, b, dataDir, b.account)
	if err != nil {
		return 0, err
	}
	err = p.get(ctx, "/sign-in")
	took := time.Since(p.began)
	return took, errors.Join(err, p.stop())
}

func memoryAtRest(ctx context.Context, b *bench, dataDir string) (memory, error) {
	if err := dropCached(b.binary); err != nil {
		return memory{}, err
	}
	p, err := startProcess(ctx, b, dataDir, b.account)
	if err != nil {
		return memory{}, err
	}
	err = p.settle(ctx, restAfter)
	held, readErr := p.resident()
	profileErr := b.profiledIn(ctx, p, func() error { return nil })
	return held, errors.Join(err, readErr, profileErr, p.stop())
}

// populate lets our own provisioner make the stores, of the neutral engine, and returns the
// data directory with their records.
func populate(ctx context.Context, b *bench) (dataDir string, err error) {
	p, err := newPlatform(ctx, b, b.account, crowdWide)
	if err != nil {
		return "", err
	}
	defer p.close()
	began := time.Now()
	err = b.profiled(func() error {
		_, err := each(ctx, b.names(crowded), crowdWide, p.create)
		return err
	})
	b.note("  %d stores were made in %s", crowded, time.Since(began).Round(time.Second))
	return p.dir, err
}

// callsAMinute counts what the program asks of the API server while nothing happens.
func callsAMinute(ctx context.Context, b *bench, dataDir string) (int, error) {
	m, err := newMeter(ctx, b, b.account)
	if err != nil {
		return 0, err
	}
	defer m.close()
	p, err := startProcess(ctx, b, dataDir, m.at)
	if err != nil {
		return 0, err
	}
	if err := p.settle(ctx, restAfter); err != nil {
		return 0, errors.Join(err, p.stop())
	}
	made, err := m.during(func() error { return pass(ctx, time.Minute) })
	b.note("  a minute at rest: %s", made)
	return made.total(), errors.Join(err, p.stop())
}
