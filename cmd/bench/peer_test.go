package main

import (
	"context"
	"errors"
	"sync"
	"testing"
)

// Whoever is measured at four at once must never have five to do, and must have four.
func TestEachKeepsToItsWidth(t *testing.T) {
	t.Parallel()
	const wide = 4
	var mu sync.Mutex
	var busy, most int
	full := make(chan struct{})
	failure := errors.New("the third fails")
	took, err := each(t.Context(), []string{"1", "2", "3", "4", "5", "6", "7", "8"}, wide, func(ctx context.Context, name string) error {
		mu.Lock()
		if busy++; busy > most {
			most = busy
		}
		if busy == wide && most == wide {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		mu.Unlock()
		select { // nobody ends before as many as may be at work are
		case <-full:
		case <-ctx.Done():
		}
		mu.Lock()
		busy--
		mu.Unlock()
		if name == "3" {
			return failure
		}
		return nil
	})
	if most != wide {
		t.Errorf("%d at once, want %d", most, wide)
	}
	if len(took) != 8 || !errors.Is(err, failure) {
		t.Errorf("%d were measured, %v", len(took), err)
	}
}
