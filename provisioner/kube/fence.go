package kube

import (
	"context"
	"net/http"
)

// Fence returns why no more requests may be sent, or nil while they may.
type Fence func() error

type fenceKey struct{}

// WithFence returns a context whose requests ask the fence right before they are sent, and before
// each retry. The end of the context itself can come too late: after the whole process was suspended,
// its timers have not fired yet.
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
