package kube

import (
	"context"
	"net/http"
)

// Fence says why nothing may be sent any more, or nil.
type Fence func() error

type fenceKey struct{}

// WithFence returns a context whose requests ask the fence right before each is sent, and
// again before each further try. A context's own end tells too late where the whole process
// slept: its timers have not rung yet when it wakes up.
func WithFence(ctx context.Context, fence Fence) context.Context {
	return context.WithValue(ctx, fenceKey{}, fence)
}

// askFence asks the fence of the request, if it has one.
func askFence(r *http.Request) error {
	if fence, ok := r.Context().Value(fenceKey{}).(Fence); ok {
		return fence()
	}
	return nil
}
