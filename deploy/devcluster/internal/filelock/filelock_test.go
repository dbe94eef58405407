package filelock

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

func TestAcquireWaitsForTheHolder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	release, err := Acquire(t.Context(), path, func() { t.Error("waited for nobody") })
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan struct{})
	taken := make(chan error, 1)
	go func() {
		release, err := Acquire(context.Background(), path, func() { close(waited) })
		if err == nil {
			release()
		}
		taken <- err
	}()
	<-waited
	select {
	case err := <-taken:
		t.Fatalf("taken twice, error %v", err)
	default:
	}
	release()
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
}

func TestAcquireEndsWithItsContext(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	release, err := Acquire(t.Context(), path, func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Acquire(ctx, path, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}
