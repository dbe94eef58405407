package kubetest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Link is a test's own way to an API server, on which things go wrong as the test says:
// requests are held, refused, slowed or cut. It counts what passes.
type Link struct {
	t      testing.TB
	server *httptest.Server

	mu       sync.Mutex
	upstream http.Handler
	turns    int // how often the link was made to lead elsewhere
	fault    Fault
	onTheWay map[*http.Request]context.CancelFunc
	seen     []Request
}

// Fault decides what becomes of each request: pass serves it from the API server.
type Fault func(w http.ResponseWriter, r *http.Request, pass http.Handler)

// Request is one that came to a link.
type Request struct {
	Method string
	Path   string
	Watch  bool
	At     time.Time
}

// IsWrite reports whether the request would change something.
func (r Request) IsWrite() bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }

// NewLink opens a link to the control plane, on which requests are the platform's own.
func NewLink(t testing.TB) *Link {
	t.Helper()
	l := &Link{t: t, fault: NoFault, onTheWay: map[*http.Request]context.CancelFunc{}}
	l.Reach(Platform(t))
	l.server = httptest.NewUnstartedServer(l)
	l.server.Config.ConnContext = l.stamp
	l.server.Config.ErrorLog = log.New(io.Discard, "", 0) // aborted requests are the point of it
	l.server.Start()
	t.Cleanup(func() {
		l.Inject(Gone)
		l.server.CloseClientConnections()
		l.server.Close()
	})
	return l
}

// Config leads through the link.
func (l *Link) Config() *rest.Config { return &rest.Config{Host: l.server.URL, QPS: -1} }

// Kubeconfig is the path of a kubeconfig that leads through the link.
func (l *Link) Kubeconfig() string {
	l.t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["link"] = &clientcmdapi.Cluster{Server: l.server.URL}
	config.Contexts["link"] = &clientcmdapi.Context{Cluster: "link"}
	config.CurrentContext = "link"
	path := filepath.Join(l.t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		l.t.Fatal(err)
	}
	return path
}

// Reach makes the link lead to another API server, as when another cluster is put behind
// the same address. Open connections are closed.
func (l *Link) Reach(config *rest.Config) {
	l.t.Helper()
	target, err := url.Parse(config.Host)
	if err != nil {
		l.t.Fatal(err)
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		l.t.Fatal(err)
	}
	l.mu.Lock()
	fault := l.fault
	l.fault = Gone // no connection leads on to the other one
	l.turns++
	l.upstream = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1, // a watch event is not to wait in a buffer
		Transport:     transport,
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	l.mu.Unlock()
	if l.server != nil {
		l.Cut()
		l.server.CloseClientConnections()
	}
	l.Inject(fault)
}

// Inject sets the fault for requests that come from now on.
func (l *Link) Inject(fault Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = fault
}

// Cut ends the requests that are on their way, watches included, as if the API server had
// gone.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, cancel := range l.onTheWay {
		cancel()
	}
}

// Requests returns those that have come so far, in their order.
func (l *Link) Requests() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.seen)
}

// Writes returns the requests so far that would change something about the namespace.
func (l *Link) Writes(namespace string) []Request {
	return slices.DeleteFunc(l.Requests(), func(r Request) bool { return !r.IsWrite() || !r.About(namespace) })
}

// About reports whether the request is about the namespace or something in it.
func (r Request) About(namespace string) bool {
	return strings.HasSuffix(r.Path, "/namespaces/"+namespace) || strings.Contains(r.Path, "/namespaces/"+namespace+"/")
}

// ServeHTTP implements http.Handler.
func (l *Link) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// net/http notices that a client has gone only once the request's body has been read.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r, fault, pass, done := l.arrive(r)
	defer done()
	fault(w, r, pass)
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // rather than end the answer as if it were whole
	}
}

type turn struct{}

// stamp notes where a connection leads: a request that was read from it before it was closed
// leads nowhere else.
func (l *Link) stamp(ctx context.Context, _ net.Conn) context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	return context.WithValue(ctx, turn{}, l.turns)
}

func (l *Link) arrive(r *http.Request) (tracked *http.Request, fault Fault, pass http.Handler, done func()) {
	ctx, cancel := context.WithCancel(r.Context())
	tracked = r.WithContext(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.onTheWay[tracked] = cancel
	if fault = l.fault; r.Context().Value(turn{}) == l.turns {
		l.seen = append(l.seen, requestOf(r))
	} else {
		fault = Gone // and no cluster was asked
	}
	return tracked, fault, l.upstream, func() {
		cancel()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.onTheWay, tracked)
	}
}

func requestOf(r *http.Request) Request {
	return Request{Method: r.Method, Path: r.URL.Path, Watch: r.URL.Query().Get("watch") != "", At: time.Now()}
}

// NoFault lets everything pass.
func NoFault(w http.ResponseWriter, r *http.Request, pass http.Handler) { pass.ServeHTTP(w, r) }

// Gone closes every connection, as if there were no API server.
func Gone(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// Silent takes every request and never answers it, also when the fault has changed since.
func Silent(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() }

// Outdated opens the watches that are asked for, and says in each that what is asked for is
// forgotten.
func Outdated(w http.ResponseWriter, r *http.Request, pass http.Handler) {
	if !requestOf(r).Watch {
		pass.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"type": watch.Error, "object": metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
		Message: "injected fault: too old resource version", Reason: metav1.StatusReasonExpired, Code: http.StatusGone,
	}})
}

// Slow lets every request wait first.
func Slow(d time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		wait := time.NewTimer(d)
		defer wait.Stop()
		select {
		case <-wait.C:
			pass.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}
}

// Refusing answers with the status, as an API server does, what the condition selects.
func Refusing(code int, reason metav1.StatusReason, which func(Request) bool) Fault {
	return func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if !which(requestOf(r)) {
			pass.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if code == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "1")
		}
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(metav1.Status{
			TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
			Message: "injected fault: " + http.StatusText(code), Reason: reason, Code: int32(code),
		})
	}
}

// All selects every request.
func All(Request) bool { return true }

// Hold keeps back the first request that the condition selects, and those that follow it,
// until it is released.
func (l *Link) Hold(which func(Request) bool) *Held {
	h := &Held{arrived: make(chan struct{}), release: make(chan struct{})}
	l.Inject(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if which(requestOf(r)) {
			h.once.Do(func() { close(h.arrived) })
			select {
			case <-h.release:
			case <-r.Context().Done():
				return
			}
		}
		pass.ServeHTTP(w, r)
	})
	l.t.Cleanup(h.Release)
	h.t = l.t
	return h
}

// patience bounds how long a test waits for what takes seconds on a machine that has
// nothing else to do.
const patience = 15 * time.Minute

// HoldWatches keeps back what the watches of a kind tell, such as pods, until it is released.
// It returns when one is open.
func (l *Link) HoldWatches(resource string) *Held {
	l.t.Helper()
	h := &Held{t: l.t, arrived: make(chan struct{}), release: make(chan struct{})}
	l.t.Cleanup(h.Release)
	l.Inject(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if request := requestOf(r); request.Watch && strings.HasSuffix(request.Path, "/"+resource) {
			h.once.Do(func() { close(h.arrived) })
			w = heldAnswer{w, r.Context(), h.release}
		}
		pass.ServeHTTP(w, r)
	})
	l.Cut() // those that are open
	h.Wait()
	return h
}

// heldAnswer begins an answer, and gives the rest once it is released.
type heldAnswer struct {
	http.ResponseWriter
	ctx     context.Context //nolint:containedctx // of the request
	release <-chan struct{}
}

// Write implements http.ResponseWriter.
func (h heldAnswer) Write(p []byte) (int, error) {
	select {
	case <-h.release:
		return h.ResponseWriter.Write(p)
	case <-h.ctx.Done():
		return 0, h.ctx.Err()
	}
}

// Unwrap gives http.ResponseController what this does not change.
func (h heldAnswer) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// Held are requests that wait at a link.
type Held struct {
	t        testing.TB
	arrived  chan struct{}
	once     sync.Once
	release  chan struct{}
	released sync.Once
}

// Arrived is closed when a request waits.
func (h *Held) Arrived() <-chan struct{} { return h.arrived }

// Wait returns when a request waits.
func (h *Held) Wait() {
	h.t.Helper()
	select {
	case <-h.arrived:
	case <-time.After(patience):
		h.t.Fatalf("no request has come within %s that would be held", patience)
	}
}

// Release lets the requests go on. It may be called more than once.
func (h *Held) Release() { h.released.Do(func() { close(h.release) }) }

// Busiest returns how many requests came in the busiest second. Requests that open a watch
// count as others do.
func Busiest(requests []Request) (inOneSecond int) {
	seconds := map[int64]int{}
	for _, r := range requests {
		seconds[r.At.Unix()]++
	}
	if len(seconds) > 0 {
		inOneSecond = slices.Max(slices.Collect(maps.Values(seconds)))
	}
	return inOneSecond
}
