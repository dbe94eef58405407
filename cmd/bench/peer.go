package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// peer is one way to make and remove stores. Both verbs return when the work is done: the
// store is ready, or its namespace is gone. They may be called at once for several stores.
type peer interface {
	create(ctx context.Context, name string) error
	remove(ctx context.Context, name string) error
	close()
}

// patience bounds how long a single store may take, so that a bench ends.
const patience = 10 * time.Minute

// each does the work for every name, so many of them at once, and returns what each took.
func each(ctx context.Context, names []string, atOnce int, work func(context.Context, string) error) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	took, failed := make([]time.Duration, len(names)), make([]error, len(names))
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, name := range names {
		slots <- struct{}{}
		all.Go(func() {
			began := time.Now()
			failed[i] = work(ctx, name)
			took[i] = time.Since(began)
			<-slots
		})
	}
	all.Wait()
	return took, errors.Join(failed...)
}

// one does the work once and returns what it took.
func one(ctx context.Context, name string, work func(context.Context, string) error) (time.Duration, error) {
	took, err := each(ctx, []string{name}, 1, work)
	return took[0], err
}

// until asks again and again; it is for what no watch tells.
func until(ctx context.Context, every time.Duration, holds func(context.Context) (bool, error)) error {
	return wait.PollUntilContextTimeout(ctx, every, patience, true, holds)
}
