package main

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever is measured at four at once must never have five to do, and must have four.
func TestEachKeepsToItsWidth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const wide = 4
		var busy atomic.Int64
		go func() {
			synctest.Wait() // until nothing more is begun
			if n := busy.Load(); n != wide {
				t.Errorf("%d at once, want %d", n, wide)
			}
		}()
		failure := errors.New("the third fails")
		names := []string{"1", "2", "3", "4", "5", "6", "7", "8"}
		took, err := each(t.Context(), names, wide, func(_ context.Context, name string) error {
			busy.Add(1)
			defer busy.Add(-1)
			time.Sleep(time.Second) // of the bubble's clock
			if name == "3" {
				return failure
			}
			return nil
		})
		if !errors.Is(err, failure) {
			t.Errorf("the failure was lost: %v", err)
		}
		for i, d := range took {
			if want := time.Duration(1+i/wide) * time.Second; d != want {
				t.Errorf("store %d took %s, want %s with the wait for its turn", i, d, want)
			}
		}
	})
}
