package kube

import (
	"fmt"
	"net/http"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// What a few watches may ask for: all of them anew at once, and then so many a second.
const (
	watchBurst = 15
	watchRate  = 3
)

// throttled returns a client for a few watches, with a throttle of its own: client-go opens
// a watch anew without any pause when it is told that what it asks for is forgotten (410),
// and its own throttle lets watches pass.
func (c *Client) throttled() (kubernetes.Interface, error) {
	config := rest.CopyConfig(c.config)
	limiter := flowcontrol.NewTokenBucketRateLimiter(watchRate, watchBurst)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return throttle{limiter: limiter, next: next} })
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a Kubernetes client for watches: %w", err)
	}
	return set, nil
}

// throttle lets requests wait for their turn.
type throttle struct {
	limiter flowcontrol.RateLimiter
	next    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t throttle) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.limiter.Wait(r.Context()); err != nil {
		return nil, err
	}
	return t.next.RoundTrip(r)
}
