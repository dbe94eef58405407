package kubetest

import (
	"testing"
	"time"
)

// Within waits for what no event tells of, and fails the test unless it comes.
func Within(t testing.TB, what string, holds func() bool) {
	t.Helper()
	timeout, tick := time.After(patience), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}
