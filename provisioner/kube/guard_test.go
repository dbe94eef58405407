package kube_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner/kube"
)

// address is one behind which different clusters answer over time. A connection leads to
// the one that answered when it was opened.
type address struct {
	*httptest.Server
	answers atomic.Value // the UID of the cluster that new connections lead to
	opened  atomic.Int64 // connections
	strayed atomic.Int64 // requests that came to another cluster than the right one
	written atomic.Int64 // requests for something else than who answers
	asked   func()       // called when a connection is asked who answers, if it is set
	waiting sync.WaitGroup
	held    chan struct{} // closes when requests that wait may go on
}

type clusterKey struct{}

// newAddress leads to the cluster "right", over HTTP/1.1 or, with encryption, HTTP/2.
func newAddress(t *testing.T, encrypted bool) *address {
	t.Helper()
	a := &address{held: make(chan struct{})}
	a.answers.Store("right")
	a.Server = httptest.NewUnstartedServer(a)
	a.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		a.opened.Add(1)
		return context.WithValue(ctx, clusterKey{}, a.answers.Load())
	}
	a.Config.ErrorLog = log.New(io.Discard, "", 0) // connections that are cut are the point of it
	if encrypted {
		a.EnableHTTP2 = true
		a.StartTLS()
	} else {
		a.Start()
	}
	t.Cleanup(func() { a.CloseClientConnections(); a.Close() })
	return a
}

// ServeHTTP implements http.Handler.
func (a *address) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	cluster := r.Context().Value(clusterKey{})
	_, _ = io.Copy(io.Discard, r.Body)
	if r.URL.Path == "/writes" {
		a.written.Add(1)
	}
	switch {
	case r.URL.Path == "/api/v1/namespaces/kube-system":
		if a.asked != nil {
			a.asked()
		}
		_, _ = fmt.Fprintf(w, `{"metadata":{"uid":%q}}`, cluster)
	case cluster != "right":
		a.strayed.Add(1)
	case r.URL.Path == "/waits":
		a.waiting.Done()
		<-a.held
	}
}

// becomes puts another cluster behind the address. What is open closes.
func (a *address) becomes(cluster string) {
	a.answers.Store(cluster)
	a.CloseClientConnections()
}

// client sends its requests through a guard that expects the right cluster.
func (a *address) client(t *testing.T) *http.Client {
	t.Helper()
	guard := &kube.Guard{}
	config := &rest.Config{Host: a.URL}
	if cert := a.Certificate(); cert != nil {
		config.CAData = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	}
	config, err := guard.Config(config)
	if err != nil {
		t.Fatal(err)
	}
	guard.Expect("right")
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (a *address) post(client *http.Client, path string) error {
	return a.postWith(context.Background(), client, path)
}

func (a *address) postWith(ctx context.Context, client *http.Client, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL+path, strings.NewReader("something"))
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return errors.Join(err, response.Body.Close())
}

func TestNothingIsSentToAnotherCluster(t *testing.T) {
	t.Parallel()
	for name, encrypted := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAddress(t, encrypted)
			client := a.client(t)
			for range 10 {
				a.rush(t, client, "right", func(err error) bool { return err == nil })
				a.rush(t, client, "other", func(err error) bool { return errors.Is(err, kube.ErrOtherCluster) })
			}
			if n := a.strayed.Load(); n > 0 {
				t.Errorf("%d requests came to another cluster", n)
			}
		})
	}
}

// rush puts the cluster behind the address while many send requests, until each of them
// has got what is expected several times.
func (a *address) rush(t *testing.T, client *http.Client, cluster string, expected func(error) bool) {
	t.Helper()
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for good := 0; good < 5 && a.strayed.Load() == 0; {
				if expected(a.post(client, "/writes")) {
					good++
				}
			}
		})
	}
	a.becomes(cluster)
	senders.Wait()
}

func TestRequestsShareAConnection(t *testing.T) {
	t.Parallel()
	a := newAddress(t, true)
	client := a.client(t)
	var senders sync.WaitGroup
	for range 20 {
		senders.Go(func() {
			if err := a.post(client, "/writes"); err != nil {
				t.Error(err)
			}
		})
	}
	senders.Wait()
	if n := a.opened.Load(); n != 1 {
		t.Errorf("%d connections were opened for 20 requests over HTTP/2", n)
	}
}

// TestMoreWatchesThanAConnectionCarries opens as many requests that do not end as several
// connections can carry.
func TestMoreWatchesThanAConnectionCarries(t *testing.T) {
	t.Parallel()
	const many = 600
	a := newAddress(t, true)
	client := a.client(t)
	a.waiting.Add(many)
	var senders sync.WaitGroup
	for range many {
		senders.Go(func() {
			if err := a.post(client, "/waits"); err != nil {
				t.Error(err)
				a.waiting.Done()
			}
		})
	}
	a.waiting.Wait()
	if err := a.post(client, "/writes"); err != nil {
		t.Errorf("beside them nothing can be sent: %v", err)
	}
	close(a.held)
	senders.Wait()
	t.Logf("%d connections carry %d requests", a.opened.Load(), many)
}

// The lease of whoever sends something may end while a connection is being opened for it, as
// when the process is stopped in the midst of that.
func TestNothingIsSentOverAFenceThatHasShut(t *testing.T) {
	t.Parallel()
	for name, encrypted := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, over := newAddress(t, encrypted), errors.New("the lease is over")
			var shut atomic.Bool
			a.asked = func() { shut.Store(true) }
			ctx := kube.WithFence(t.Context(), func() error {
				if shut.Load() {
					return over
				}
				return nil
			})
			client := a.client(t)
			if err := a.postWith(ctx, client, "/writes"); !errors.Is(err, over) {
				t.Errorf("it was sent: %v", err)
			}
			shut.Store(false) // the connection is open now
			if err := a.postWith(ctx, client, "/writes"); err != nil || a.written.Load() != 1 {
				t.Errorf("before the end %d requests were sent, %v", a.written.Load(), err)
			}
			shut.Store(true)
			if err := a.postWith(ctx, client, "/writes"); !errors.Is(err, over) || a.written.Load() != 1 {
				t.Errorf("over a connection that is open %d were sent, %v", a.written.Load()-1, err)
			}
		})
	}
}
