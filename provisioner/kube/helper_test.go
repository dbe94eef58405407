package kube

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// stuck answers nothing until the helper ends.
type stuck struct {
	ends    chan struct{}
	waiting atomic.Int32
}

func (s *stuck) RoundTrip(*http.Request) (*http.Response, error) {
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	<-s.ends
	return httptest.NewRecorder().Result(), nil
}

// Requests that were given up are few, however long the helper runs, and others pass once it has ended.
func TestFewRequestsWaitForAHelper(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		helper := &stuck{ends: make(chan struct{})}
		transport := &helped{RoundTripper: helper, command: "hangs"}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for range 100 {
			err := askOver(gone, transport)
			if _, silent := errors.AsType[*HelperError](err); !silent {
				t.Fatalf("got %v", err)
			}
		}
		if n := helper.waiting.Load(); n != mostAbandoned {
			t.Errorf("%d requests wait", n)
		}
		close(helper.ends)
		synctest.Wait()
		if err := askOver(t.Context(), transport); err != nil {
			t.Errorf("after it has ended: %v", err)
		}
	})
}

func askOver(ctx context.Context, transport http.RoundTripper) error {
	response, err := transport.RoundTrip(httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	if err == nil {
		err = response.Body.Close()
	}
	return err
}
