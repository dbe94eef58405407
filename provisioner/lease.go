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

	// giveBackAfter is how long a claim is kept while the cluster cannot be reached. Another
	// replica may reach it: a broken network of one node is enough.
	giveBackAfter = 30 * time.Second
)

// errLost says that somebody else may work on the store by now.
var errLost = errors.New("the claim is lost")

// lease is the time until which a store is ours. As a context it ends when the time is over,
// also when the whole process slept over the end and no timer has rung yet: whoever asks
// it, as every request does right before it is sent, finds it ended.
type lease struct {
	context.Context //nolint:containedctx // it is one
	end             context.CancelCauseFunc

	mu    sync.Mutex
	until time.Time
}

// holdLease starts with the lease that came with a claim, which may be a while ago.
func holdLease(ctx context.Context, from time.Time) *lease {
	ctx, end := context.WithCancelCause(ctx)
	l := &lease{end: end, until: from.Add(leaseTime)}
	l.Context = kube.WithFence(ctx, l.lost)
	return l
}

// lost says why nothing may be done under the lease any more, or nil. A context that was made
// of the lease need not know yet.
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

// over compares by the wall clock too: the other one stands still while a machine sleeps.
func (l *lease) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	return now.After(l.until) || now.Round(0).After(l.until.Round(0))
}

// keep renews until the context is done or the lease is lost. A renewal counts from when it
// was asked for.
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

// began is when the lease was last known to be ours.
func (l *lease) began() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until.Add(-leaseTime)
}

// lose ends a lease that the database reports as stale.
func (l *lease) lose(err error) { l.end(fmt.Errorf("%w: %w", errLost, err)) }
