package provisioner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"shopwright.dev/shopwright/store"
)

// A claim may have waited for others that were claimed before it: the lease does not begin
// when the answer comes.
func TestLeaseCountsFromTheClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := time.Now()
		time.Sleep(9 * time.Second)
		l := holdLease(t.Context(), from)
		time.Sleep(leaseTime - 9*time.Second)
		if err := l.Err(); err != nil {
			t.Errorf("it ended before its time: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if err := l.lost(); !errors.Is(err, errLost) {
			t.Errorf("it lasts longer than the claim: %v", err)
		}
	})
}

// kept is a lease that is renewed until the test has seen enough of it.
func kept(t *testing.T, from time.Time, renew func(context.Context) error) (l *lease, stop func()) {
	t.Helper()
	l = holdLease(t.Context(), from)
	var renewing sync.WaitGroup
	renewing.Go(func() { l.keep(renew) })
	return l, func() { l.end(nil); renewing.Wait() }
}

func TestLeaseIsRenewedInTime(t *testing.T) {
	for _, late := range []time.Duration{0, 9 * time.Second, leaseTime - time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			var renewals atomic.Int64
			l, stop := kept(t, time.Now().Add(-late), func(context.Context) error { renewals.Add(1); return nil })
			defer stop()
			time.Sleep(time.Hour)
			if err := l.Err(); err != nil {
				t.Errorf("claimed %s ago it ended: %v", late, err)
			}
			if n, usual := renewals.Load(), int64(time.Hour/renewEvery); n < usual-1 || n > usual+1 {
				t.Errorf("claimed %s ago it was renewed %d times in an hour", late, n)
			}
		})
	}
}

// Nobody can be asked to renew it: it ends by itself, also for what was made of it.
func TestLeaseEndsWhenItIsNotRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, stop := kept(t, time.Now(), func(context.Context) error { return errors.New("no database") })
		defer stop()
		under, cancel := context.WithCancel(l)
		defer cancel()
		time.Sleep(leaseTime)
		if err := under.Err(); err != nil {
			t.Errorf("it ended before its time: %v", err)
		}
		time.Sleep(renewEvery)
		synctest.Wait()
		if under.Err() == nil || !errors.Is(context.Cause(l), errLost) {
			t.Errorf("it lasts: %v, %v", under.Err(), context.Cause(l))
		}
	})
}

func TestLeaseThatIsLostEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, stop := kept(t, time.Now(), func(context.Context) error { return fmt.Errorf("renew: %w", store.ErrStale) })
		defer stop()
		time.Sleep(renewEvery)
		synctest.Wait()
		if err := l.lost(); !errors.Is(err, errLost) || !errors.Is(err, store.ErrStale) {
			t.Errorf("after the first renewal: %v", err)
		}
	})
}
