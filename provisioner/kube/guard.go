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

// ErrOtherCluster says that behind the address another cluster answers than the one that is
// meant. Nothing was asked of it but who it is.
var ErrOtherCluster = errors.New("another cluster answers at this address")

// Guard lets requests pass only to the cluster that is meant. Another one can appear behind
// the same address, but not on a connection that is open: so each connection is asked who
// answers, by the UID of kube-system, and only then used for anything else.
type Guard struct {
	// Renew reads the configuration again when the cluster has refused its credentials; nil where they renew themselves.
	Renew func() (*rest.Config, error)

	mu    sync.Mutex
	uid   string
	lines []*line // that may be used, the newest last
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

// errRefused says that the credentials are refused where the line was opened.
var errRefused = apierrors.NewUnauthorized("ask the cluster who it is")

// guarded is the transport of all clients.
type guarded struct {
	*Guard
	access  *accesses
	system  *url.URL
	opening chan struct{} // holds one while a line is opened that others will share
}

// attempts bounds how often a request tries for a line that others, too, are after.
const attempts = 20

// RoundTrip implements http.RoundTripper. Where the credentials are refused and others can be had, those are
// tried once.
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

// pass sends the request over a line. A line may take its time to open: the fence is asked after that, for every
// line anew.
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

// send is where a request leaves.
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

// open adds a line to those that were found busy or over, unless somebody else does. Where
// there is no encryption there is no HTTP/2 either: a line then serves one request at a time
// and nobody waits for that of another.
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

// forget takes the lines with those credentials out of use. What goes on over one ends first, and then the line.
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

// ask opens the line with the question who answers.
func (g *guarded) ask(r *http.Request, l *line) error {
	question := r.Clone(r.Context())
	question.Method, question.URL, question.Body, question.GetBody, question.ContentLength = http.MethodGet, g.system, nil, nil, 0
	question.Header.Del("Content-Type")
	question.Header.Set("Accept", "application/json")
	response, err := l.RoundTrip(question)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(response.Body) // to its end, or the connection would close
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

// again returns the request with its body as at the start. It was not sent, but the
// transport has closed the body.
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
