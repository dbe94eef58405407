package kube

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"
)

// HelperError says that the program from which a kubeconfig gets its credentials does not end.
type HelperError struct {
	Command string
	cause   error
}

// Error implements error.
func (e *HelperError) Error() string {
	return "the program " + e.Command + ", which provides the kubeconfig’s credentials, doesn’t finish"
}

// Unwrap returns why it was not waited for any longer.
func (e *HelperError) Unwrap() error { return e.cause }

// afterEnd is how long a request may take to return once its context has ended. The network needs no time for that.
const afterEnd = 200 * time.Millisecond

// mostAbandoned bounds how many requests wait for such a program that nobody waits for any more. Each
// keeps a goroutine, and the cluster is asked every few seconds for as long as the program runs.
const mostAbandoned = 16

// errAbandoned is the cause where so many do.
var errAbandoned = errors.New("earlier requests still wait for it")

// helped is a transport that may wait for such a program, which knows nothing of the requests' contexts: it may
// ask a person who is not there, for ever.
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
			_ = got.response.Body.Close() // nobody waits for it any more
		}
		h.abandoned.Add(-1)
	}()
	return nil, &HelperError{Command: h.command, cause: context.Cause(r.Context())}
}
