package provisioner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

const (
	leaseTime  = 15 * time.Second
	renewEvery = 5 * time.Second

	// giveBackAfter is how long a claim is kept while the cluster is unreachable. Another replica may
	// still reach it, for example if only the network of this node is broken.
	giveBackAfter = 30 * time.Second
)

// errLost says that another process may work on the store by now.
var errLost = errors.New("the claim is lost")

// lease is a context that ends when the claim on a store expires. It ends in time even if the whole
// process was suspended and no timer has fired yet, because Err and Done check the clock themselves. The
// lease is also the fence of its requests, so each of them checks right before it is sent.
type lease struct {
	context.Context //nolint:containedctx // it is one
	end             context.CancelCauseFunc

	mu    sync.Mutex
	until time.Time
}

// holdLease returns the lease of a claim that was made at that time, which may be a while ago.
func holdLease(ctx context.Context, from time.Time) *lease {
	ctx, end := context.WithCancelCause(ctx)
	l := &lease{end: end, until: from.Add(leaseTime)}
	l.Context = kube.WithFence(ctx, l.lost)
	return l
}

// lost returns why nothing more may be done under the lease, or nil. A context derived from the lease may
// not have ended yet.
func (l *lease) lost() error {
	if l.Err() == nil {
		return nil
	}
	return context.Cause(l)
}

// Done implements context.Context.
func (l *lease) Done() <-chan struct{} {
	_ = l.Err()
	return l.Context.Done()
}

// Err implements context.Context.
func (l *lease) Err() error {
	if err := l.Context.Err(); err != nil {
		return err
	}
	if l.over() {
		l.end(fmt.Errorf("%w: it was not renewed in time", errLost))
	}
	return l.Context.Err()
}

// over also compares the wall clocks, because the monotonic clock stands still while a machine sleeps.
func (l *lease) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	return now.After(l.until) || now.Round(0).After(l.until.Round(0))
}

// keep renews the lease until the context is done or the lease is lost. The renewed lease starts when the
// renewal was requested.
func (l *lease) keep(renew func(context.Context) error) {
	for asked := l.began(); sleep(l, time.Until(asked.Add(renewEvery))) == nil; {
		asked = time.Now()
		err := renew(l)
		switch {
		case err == nil:
			l.mu.Lock()
			l.until = asked.Add(leaseTime)
			l.mu.Unlock()
		case errors.Is(err, store.ErrStale):
			l.lose(err)
		}
	}
}

// began is when the current lease started.
func (l *lease) began() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until.Add(-leaseTime)
}

// lose ends a lease that the database reports as stale.
func (l *lease) lose(err error) { l.end(fmt.Errorf("%w: %w", errLost, err)) }
