package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
)

// ErrOtherCluster says that the address leads to a different cluster from the expected one. That
// cluster was only asked for its identity.
var ErrOtherCluster = errors.New("another cluster answers at this address")

// Guard sends requests only to the expected cluster. Another cluster can appear behind the same
// address, but not on an open connection. So the first request on each connection reads the UID of
// kube-system, and the connection is used for other requests only if the UID is the expected one.
type Guard struct {
	// Renew reads the configuration again after the cluster has rejected its credentials; nil if they
	// renew themselves.
	Renew func() (*rest.Config, error)

	mu    sync.Mutex
	uid   string
	lines []*line // in use, the newest last
}

// Expect sets the UID of the expected cluster. Until then all requests pass.
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

// Config returns a configuration for the same cluster whose requests pass through the guard. All
// clients made from it share their connections.
func (g *Guard) Config(config *rest.Config) (*rest.Config, error) {
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, fmt.Errorf("read the cluster's address: %w", err)
	}
	first, err := newAccess(config)
	if err != nil {
		return nil, err
	}
	system := *base
	system.Path = systemPath(base.Path)
	var transport http.RoundTripper = &guarded{
		Guard: g, access: &accesses{read: g.Renew, now: first}, system: &system, opening: make(chan struct{}, 1),
	}
	if config.ExecProvider != nil {
		transport = &helped{RoundTripper: transport, command: config.ExecProvider.Command}
	}
	return &rest.Config{Host: base.String(), UserAgent: config.UserAgent, Timeout: config.Timeout, QPS: -1, Transport: transport}, nil
}

// errRefused says that the cluster rejected the credentials on a new connection.
var errRefused = apierrors.NewUnauthorized("ask the cluster who it is")

// guarded is the transport of all clients.
type guarded struct {
	*Guard
	access  *accesses
	system  *url.URL
	opening chan struct{} // a semaphore: held while a line is opened that other requests will share
}

// attempts limits how often a request looks for a line with room for it: others may fill each new one first.
const attempts = 20

// RoundTrip implements http.RoundTripper. If the cluster rejects the credentials and there are new
// ones, it retries once with those.
func (g *guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	with := g.access.current()
	response, err := g.pass(r, with)
	switch {
	case err != nil && !errors.Is(err, errRefused), err == nil && response.StatusCode != http.StatusUnauthorized:
		return response, err
	case r.Body != nil && r.GetBody == nil, !g.access.renew(with):
		return response, err
	}
	if response != nil {
		_ = response.Body.Close() // another answer takes its place
	}
	g.forget(with)
	if r, err = again(r); err != nil {
		return nil, err
	}
	return g.pass(r, g.access.current())
}

// pass sends the request over a line. Opening a line can take a while, so the fence is asked
// afterwards, before each attempt to send.
func (g *guarded) pass(r *http.Request, with *access) (*http.Response, error) {
	if g.expected() == "" {
		return send(with.unguarded, r)
	}
	for range attempts {
		lines := g.usable()
		for _, l := range slices.Backward(lines) {
			response, err := send(l, r) //nolint:bodyclose // it is the caller's, or there is none
			if !errors.Is(err, errOneConnection) {
				return response, err
			}
			if r, err = again(r); err != nil {
				return nil, err
			}
		}
		if err := g.open(r, with, lines); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("no connection to the cluster stays open")
}

// send sends the request unless its fence forbids it.
func send(over http.RoundTripper, r *http.Request) (*http.Response, error) {
	if err := askFence(r); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper closes the body, also when it fails
		}
		return nil, err
	}
	return over.RoundTrip(r)
}

func (g *guarded) usable() []*line {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.lines)
}

// open adds a line if all known ones are busy or closed and no other request has added one meanwhile.
// Without TLS there is no HTTP/2, so a line serves one request at a time: concurrent ones open their own.
func (g *guarded) open(r *http.Request, with *access, known []*line) error {
	if g.system.Scheme == "https" {
		select {
		case g.opening <- struct{}{}:
			defer func() { <-g.opening }()
		case <-r.Context().Done():
			return r.Context().Err()
		}
		if now := g.usable(); slices.ContainsFunc(now, func(l *line) bool { return !slices.Contains(known, l) }) {
			return nil
		}
	}
	l, err := newLine(with, g.drop)
	if err != nil {
		return err
	}
	if err := g.ask(r, l); err != nil {
		l.end()
		return err
	}
	g.add(l)
	return nil
}

func (g *guarded) add(l *line) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !l.over() {
		g.lines = append(g.lines, l)
	}
}

// forget removes the lines with those credentials. Requests in flight on them finish first; then the
// idle connections close.
func (g *guarded) forget(with *access) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lines = slices.DeleteFunc(g.lines, func(l *line) bool { return l.with == with })
}

func (g *guarded) drop(l *line) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lines = slices.DeleteFunc(g.lines, func(other *line) bool { return other == l })
}

// ask opens the line with a request for the cluster's identity, and checks the answer.
func (g *guarded) ask(r *http.Request, l *line) error {
	question := r.Clone(r.Context())
	question.Method, question.URL, question.Body, question.GetBody, question.ContentLength = http.MethodGet, g.system, nil, nil, 0
	question.Header.Del("Content-Type")
	question.Header.Set("Accept", "application/json")
	response, err := l.RoundTrip(question)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(response.Body) // to EOF, or the connection could not be reused
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	var system struct {
		Metadata struct{ UID string }
	}
	if response.StatusCode == http.StatusUnauthorized {
		return errRefused
	}
	if err := json.Unmarshal(answer, &system); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the cluster who it is: %s", strings.ToLower(http.StatusText(response.StatusCode)))
	}
	if want := g.expected(); system.Metadata.UID != want {
		return fmt.Errorf("%w: its kube-system has the UID %s, not %s", ErrOtherCluster, system.Metadata.UID, want)
	}
	return nil
}

// again returns the request with a fresh body for another try: the transport has closed the first one.
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
