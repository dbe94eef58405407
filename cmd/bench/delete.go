package main

import (
	"context"
	"fmt"
	"time"
)

// The aims for removing stores.
const (
	overFloorDelete = 0.5 // seconds, for one store
	ofFloorDelete   = 1.2 // for many at once
)

// removals are what a peer was measured at.
type removals struct {
	single, crowd []time.Duration
}

// measureDelete removes stores from the request until their namespaces are gone.
func measureDelete(ctx context.Context, b *bench) ([]figure, error) {
	var measured []removals
	for _, a := range approaches(b) {
		r, err := removeStores(ctx, b, a)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		measured = append(measured, r)
	}
	ours, helm, floor := measured[0], measured[1], measured[2]
	return []figure{
		seconds("one store gone", ours.single, atMost(median(floor.single).Seconds()+overFloorDelete, fmt.Sprintf("floor + %v s", overFloorDelete))),
		seconds("one store gone, Helm's command line", helm.single, aim{}),
		seconds("one store gone, floor", floor.single, aim{}),
		seconds(fmt.Sprintf("%d stores gone", few), ours.crowd, atMost(ofFloorDelete*median(floor.crowd).Seconds(), fmt.Sprintf("%v × floor", ofFloorDelete))),
		seconds(fmt.Sprintf("%d stores gone, Helm %d at once", few, helmWide), helm.crowd, aim{}),
		seconds(fmt.Sprintf("%d stores gone, floor", few), floor.crowd, aim{}),
	}, nil
}

func removeStores(ctx context.Context, b *bench, a approach) (r removals, err error) {
	p, err := a.open(ctx)
	if err != nil {
		return r, err
	}
	defer p.close()
	for range 5 {
		took, err := makeAndRemove(ctx, p, a, b.names(1))
		if err != nil {
			return r, err
		}
		r.single = append(r.single, took)
	}
	for range 3 {
		took, err := makeAndRemove(ctx, p, a, b.names(few))
		if err != nil {
			return r, err
		}
		r.crowd = append(r.crowd, took)
	}
	b.note("  %s: one in %s, %d in %s", a.name, median(r.single).Round(time.Millisecond), few, median(r.crowd).Round(time.Millisecond))
	return r, nil
}

// makeAndRemove returns how long it took until all of them were gone.
func makeAndRemove(ctx context.Context, p peer, a approach, names []string) (time.Duration, error) {
	if _, err := each(ctx, names, a.width(len(names)), p.create); err != nil {
		return 0, err
	}
	began := time.Now()
	_, err := each(ctx, names, a.width(len(names)), p.remove)
	return time.Since(began), err
}
