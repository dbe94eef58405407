package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// ErrOtherCluster says that behind the address another cluster answers than the one that is
// meant. Nothing was asked of it but who it is.
var ErrOtherCluster = errors.New("another cluster answers at this address")

// Guard lets requests pass only to the cluster that is meant. Another one can appear behind
// the same address, but not on a connection that is open: so each new connection is asked
// who answers, by the UID of kube-system, before anything else is sent on it.
type Guard struct {
	mu  sync.Mutex
	uid string
}

// Expect names the cluster that is meant. Before that everything passes.
func (g *Guard) Expect(uid string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.uid = uid
}

func (g *Guard) expected() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.uid
}

// Config returns a configuration for the same cluster with the guard in the way of its
// requests. All clients that are made of it share their connections.
func (g *Guard) Config(config *rest.Config) (*rest.Config, error) {
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, fmt.Errorf("read the cluster's address: %w", err)
	}
	dialing := rest.CopyConfig(config)
	dialing.Dial = g.dialer(config.Dial)
	transport, err := rest.TransportFor(dialing)
	if err != nil {
		return nil, fmt.Errorf("prepare connections to the cluster: %w", err)
	}
	system := *base
	system.Path = path.Join("/", base.Path, "api/v1/namespaces", metav1.NamespaceSystem)
	return &rest.Config{
		Host: base.String(), UserAgent: config.UserAgent, Timeout: config.Timeout, QPS: -1,
		Transport: &guarded{Guard: g, next: transport, system: &system},
	}, nil
}

type dial func(ctx context.Context, network, address string) (net.Conn, error)

// dialer opens connections, for the question only once a cluster is expected.
func (g *Guard) dialer(open dial) dial {
	if open == nil {
		open = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if g.expected() != "" && ctx.Value(asking{}) == nil {
			return nil, errUnasked
		}
		return open(ctx, network, address)
	}
}

// asking marks the context of the one question that may open a connection.
type asking struct{}

var errUnasked = errors.New("a new connection has to be asked first who answers")

// guarded is the transport of all clients.
type guarded struct {
	*Guard
	next   http.RoundTripper
	system *url.URL
}

// attempts bounds how often a request tries for a connection that others, too, are after.
const attempts = 20

// RoundTrip implements http.RoundTripper.
func (g *guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	for range attempts {
		response, err := g.next.RoundTrip(r)
		if !errors.Is(err, errUnasked) {
			return response, err
		}
		if err := g.ask(r); err != nil {
			return nil, err
		}
		if r, err = again(r); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("no connection to the cluster stays open")
}

// ask opens a connection with the question who answers.
func (g *guarded) ask(r *http.Request) error {
	question := r.Clone(context.WithValue(r.Context(), asking{}, true))
	question.Method, question.URL, question.Body, question.GetBody, question.ContentLength = http.MethodGet, g.system, nil, nil, 0
	question.Header.Del("Content-Type")
	question.Header.Set("Accept", "application/json")
	response, err := g.next.RoundTrip(question)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	var system struct {
		Metadata struct{ UID string }
	}
	if err := json.NewDecoder(response.Body).Decode(&system); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the cluster who it is: %s", strings.ToLower(http.StatusText(response.StatusCode)))
	}
	if want := g.expected(); system.Metadata.UID != want {
		return fmt.Errorf("%w: its kube-system has the UID %s, not %s", ErrOtherCluster, system.Metadata.UID, want)
	}
	return nil
}

// again returns the request with its body as at the start. No byte of it was sent, but the
// transport has closed it.
func again(r *http.Request) (*http.Request, error) {
	if r.Body == nil || r.GetBody == nil {
		return r, nil
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, fmt.Errorf("send a request again: %w", err)
	}
	r = r.Clone(r.Context())
	r.Body = body
	return r, nil
}
