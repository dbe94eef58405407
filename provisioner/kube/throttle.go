package kube

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// The rate limit of a few watches: a burst that reopens all of them at once, then requests per second.
const (
	watchBurst = 15
	watchRate  = 3
)

// watchAgain is the backoff after a watch request that got no answer.
const watchAgain = 3 * time.Second

// throttled returns a client for a few watches, with a rate limit of its own.
func (c *Client) throttled() (kubernetes.Interface, error) {
	config := rest.CopyConfig(c.config)
	config.Wrap(newThrottle)
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a Kubernetes client for watches: %w", err)
	}
	return set, nil
}

// throttle sets the pace at which client-go opens watches. After a 410, which says that the resource
// version has expired, client-go opens the next one at once, and its own rate limiter exempts
// watches. While nothing answers, its backoff grows, so that the caches would stay outdated for up to
// a minute after the API server is back: throttle retries such requests itself.
type throttle struct {
	limiter flowcontrol.RateLimiter
	next    http.RoundTripper
}

func newThrottle(next http.RoundTripper) http.RoundTripper {
	return throttle{limiter: flowcontrol.NewTokenBucketRateLimiter(watchRate, watchBurst), next: next}
}

// RoundTrip implements http.RoundTripper. Lists and watches have no body, so they can be sent again
// as they are.
func (t throttle) RoundTrip(r *http.Request) (*http.Response, error) {
	for {
		if err := t.limiter.Wait(r.Context()); err != nil {
			return nil, err
		}
		response, err := t.next.RoundTrip(r)
		if err == nil || sleep(r.Context(), watchAgain) != nil {
			return response, err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
