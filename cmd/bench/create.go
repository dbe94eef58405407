package main

import (
	"context"
	"fmt"
	"time"
)

// The aims for one store, as parts of what the peers need.
const (
	ofHelmTime     = 0.5
	ofFloorTime    = 1.15
	requestsAStore = 20
)

const (
	createRepetitions = 11
	countRepetitions  = 3
)

// trial is a peer with what it has been measured at.
type trial struct {
	name string
	peer
	took     []time.Duration
	requests []int
}

// measureCreate makes one store at a time in the three ways, in turn, so that what else
// happens on the machine meets all of them.
func measureCreate(ctx context.Context, b *bench) ([]figure, error) {
	trials, err := newTrials(ctx, b, b.account, b.admin)
	if err != nil {
		return nil, err
	}
	defer closeTrials(trials)
	if err := timeCreation(ctx, b, trials); err != nil {
		return nil, err
	}
	if err := countRequests(ctx, b, trials); err != nil {
		return nil, err
	}
	ours, helm, floor := trials[0], trials[1], trials[2]
	return []figure{
		seconds("one store, from asked for to ready", ours.took, atMost(ofHelmTime*median(helm.took).Seconds(), fmt.Sprintf("%v × Helm", ofHelmTime))),
		seconds("one store, beside the floor", ours.took, atMost(ofFloorTime*median(floor.took).Seconds(), fmt.Sprintf("%v × floor", ofFloorTime))),
		seconds("one store, Helm's command line", helm.took, aim{}),
		seconds("one store, floor", floor.took, aim{}),
		{name: "requests for one store", value: float64(median(ours.requests)), aim: atMost(requestsAStore, "")},
		{name: "requests for one store, Helm's command line", value: float64(median(helm.requests))},
		{name: "requests for one store, floor", value: float64(median(floor.requests))},
	}, nil
}

// newTrials makes ours, Helm's command line and the floor, in this order, each with a first
// store behind it: what is asked and cached once is not what is measured. Only ours works as
// the account that has to give itself its rights in each namespace.
func newTrials(ctx context.Context, b *bench, at, admin target) ([]*trial, error) {
	ours, err := newPlatform(ctx, b, at, defaultConcurrency)
	if err != nil {
		return nil, err
	}
	cli, err := newHelmCLI(b, admin)
	if err != nil {
		return nil, err
	}
	floor, err := newFloor(ctx, admin)
	if err != nil {
		return nil, err
	}
	trials := []*trial{{name: "ours", peer: ours}, {name: "Helm", peer: cli}, {name: "floor", peer: floor}}
	for _, t := range trials {
		if _, err := one(ctx, b.name(), t.create); err != nil {
			closeTrials(trials)
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return trials, nil
}

func closeTrials(trials []*trial) {
	for _, t := range trials {
		t.close()
	}
}

func timeCreation(ctx context.Context, b *bench, trials []*trial) error {
	for range createRepetitions {
		for _, t := range trials {
			took, err := one(ctx, b.name(), t.create)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			t.took = append(t.took, took)
		}
	}
	return nil
}

// countRequests makes stores through a meter, one at a time.
func countRequests(ctx context.Context, b *bench, timed []*trial) error {
	account, err := newMeter(ctx, b, b.account)
	if err != nil {
		return err
	}
	defer account.close()
	admin, err := newMeter(ctx, b, b.admin)
	if err != nil {
		return err
	}
	defer admin.close()
	counted, err := newTrials(ctx, b, account.at, admin.at)
	if err != nil {
		return err
	}
	defer closeTrials(counted)
	for i, t := range counted {
		m := admin
		if i == 0 {
			m = account
		}
		for range countRepetitions {
			made, err := m.during(func() error { _, err := one(ctx, b.name(), t.create); return err })
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			timed[i].requests = append(timed[i].requests, made.total())
			b.note("  %s: %s", t.name, made)
		}
	}
	return nil
}
