package kube

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"
)

// HelperError says that the credential plugin of a kubeconfig, an external program, does not finish.
type HelperError struct {
	Command string
	cause   error
}

// Error implements error.
func (e *HelperError) Error() string {
	return "the program " + e.Command + ", which provides the kubeconfig’s credentials, doesn’t finish"
}

// Unwrap returns why the request stopped waiting for it.
func (e *HelperError) Unwrap() error { return e.cause }

// afterEnd is the grace period for a request to return once its context has ended. A request that
// takes longer is waiting for the plugin: the network needs no time for that.
const afterEnd = 200 * time.Millisecond

// mostAbandoned limits the requests that still wait for the plugin after their callers have given up.
// Each keeps a goroutine, and while the plugin runs another ping comes every few seconds.
const mostAbandoned = 16

// errAbandoned is the cause once that limit is reached.
var errAbandoned = errors.New("earlier requests still wait for it")

// helped is a transport that may wait for a credential plugin. The plugin does not know the contexts
// of requests: it may prompt for ever for input that nobody gives.
type helped struct {
	http.RoundTripper
	command   string
	abandoned atomic.Int32
}

// RoundTrip implements http.RoundTripper.
func (h *helped) RoundTrip(r *http.Request) (*http.Response, error) {
	if h.abandoned.Load() >= mostAbandoned {
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper closes the body, also when it fails
		}
		return nil, &HelperError{Command: h.command, cause: errAbandoned}
	}
	type result struct {
		response *http.Response
		err      error
	}
	done := make(chan result, 1)
	go func() {
		response, err := h.RoundTripper.RoundTrip(r) //nolint:bodyclose // the receiver closes it
		done <- result{response, err}
	}()
	select {
	case got := <-done:
		return got.response, got.err
	case <-r.Context().Done():
	}
	select {
	case got := <-done:
		return got.response, got.err
	case <-time.After(afterEnd):
	}
	h.abandoned.Add(1)
	go func() {
		if got := <-done; got.err == nil {
			_ = got.response.Body.Close() // its caller has given up
		}
		h.abandoned.Add(-1)
	}()
	return nil, &HelperError{Command: h.command, cause: context.Cause(r.Context())}
}
