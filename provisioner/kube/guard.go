package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// ErrOtherCluster says that behind the address another cluster answers than the one that is
// meant. Nothing was asked of it but who it is.
var ErrOtherCluster = errors.New("another cluster answers at this address")

// Guard lets requests pass only to the cluster that is meant. Another one can appear behind
// the same address, but not on a connection that is open: so each connection is asked who
// answers, by the UID of kube-system, and only then used for anything else.
type Guard struct {
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
	unguarded, err := rest.TransportFor(config)
	if err != nil {
		return nil, fmt.Errorf("prepare connections to the cluster: %w", err)
	}
	system := *base
	system.Path = path.Join("/", base.Path, "api/v1/namespaces", metav1.NamespaceSystem)
	return &rest.Config{
		Host: base.String(), UserAgent: config.UserAgent, Timeout: config.Timeout, QPS: -1,
		Transport: &guarded{Guard: g, config: config, unguarded: unguarded, system: &system, opening: make(chan struct{}, 1)},
	}, nil
}

// guarded is the transport of all clients.
type guarded struct {
	*Guard
	config    *rest.Config
	unguarded http.RoundTripper // for as long as no cluster is expected
	system    *url.URL
	opening   chan struct{} // holds one while a line is opened that others will share
}

// attempts bounds how often a request tries for a line that others, too, are after.
const attempts = 20

// RoundTrip implements http.RoundTripper. A line may take its time to open: the fence is asked
// after that, for every line anew.
func (g *guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if g.expected() == "" {
		return send(g.unguarded, r)
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
		if err := g.open(r, lines); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("no connection to the cluster stays open")
}

// send is where a request leaves.
func send(over http.RoundTripper, r *http.Request) (*http.Response, error) {
	if err := askFence(r); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // as whoever is given a request has to
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
func (g *guarded) open(r *http.Request, known []*line) error {
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
	l, err := newLine(g.config, g.drop)
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
