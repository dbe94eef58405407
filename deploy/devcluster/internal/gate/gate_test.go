package gate

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// bench is a gate with an upstream that remembers what reached it.
type bench struct {
	*Client
	url     string
	http    *http.Client
	arrived chan string
}

func setup(t *testing.T, upstream http.HandlerFunc) *bench {
	t.Helper()
	b := &bench{arrived: make(chan string, 100)}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.arrived <- r.Method + " " + r.URL.Path
		upstream(w, r)
	}))
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	b.http = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	t.Cleanup(func() { b.http.CloseIdleConnections(); server.Close() })
	serve(t, b, Options{
		Address: freeAddress(t), ControlDir: deepDir(t), Upstream: upstreamURL(t, server), Log: io.Discard,
		ServerTLS: server.TLS, UpstreamTLS: &tls.Config{RootCAs: roots},
	})
	return b
}

// serve runs a gate until the test ends and returns when it listens.
func serve(t *testing.T, b *bench, o Options) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, o); close(ended) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	b.url, b.Client = "https://"+o.Address, NewClient(o.ControlDir)
	for _, err := b.List(t.Context()); err != nil; _, err = b.List(t.Context()) {
		select {
		case err := <-ended:
			t.Fatalf("serve: %v", err)
		default:
		}
	}
}

// deepDir is a directory whose path is longer than the address of a unix socket may be.
func deepDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir() + strings.Repeat("/a-directory-too-deep-for-the-address-of-a-socket", 3)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func get(t *testing.T, b *bench, method, path string) (*http.Response, error) {
	t.Helper()
	return b.http.Do(request(t.Context(), t, b, method, path))
}

func request(ctx context.Context, t *testing.T, b *bench, method, path string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, b.url+path, strings.NewReader("body of "+path))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer secret")
	return req
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(w, "%s %s %s", r.Header.Get("Authorization"), r.URL.RawQuery, body)
}

func TestPassesRequestsOnUntouched(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	res, err := get(t, b, "POST", "/api/v1/namespaces?dryRun=All")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if want := "Bearer secret dryRun=All body of /api/v1/namespaces?dryRun=All"; err != nil || string(body) != want {
		t.Errorf("got %q, error %v, want %q", body, err, want)
	}
}

func TestStreamsAsItComesAndDropCutsTheStream(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, `{"type":"ADDED"}`)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	res, err := get(t, b, "GET", "/api/v1/pods?watch=true")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	watch := bufio.NewReader(res.Body)
	if event, err := watch.ReadString('\n'); err != nil || event != `{"type":"ADDED"}`+"\n" {
		t.Fatalf("event %q, error %v", event, err)
	}
	add(t, b, Fault{Drop: true})
	if _, err := watch.ReadByte(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("after the drop: %v, want an unexpected end", err)
	}
	if _, err := get(t, b, "GET", "/api/v1/pods"); err == nil {
		t.Error("a new request was answered")
	}
}

func add(t *testing.T, b *bench, f Fault) string {
	t.Helper()
	id, err := b.Add(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestHoldUntilCleared(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	id := add(t, b, Fault{Method: "POST", Path: "^/api/v1/namespaces/store-x/resourcequotas$", Hold: true})
	answered := make(chan error, 1)
	go func() {
		res, err := b.http.Do(request(t.Context(), t, b, "POST", "/api/v1/namespaces/store-x/resourcequotas"))
		if err == nil {
			err = res.Body.Close()
		}
		answered <- err
	}()
	if err := b.Wait(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-b.arrived:
		t.Fatalf("%s reached the API server", got)
	case err := <-answered:
		t.Fatalf("answered, error %v", err)
	default:
	}
	if err := b.Clear(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if got := <-b.arrived; got != "POST /api/v1/namespaces/store-x/resourcequotas" {
		t.Errorf("%s reached the API server", got)
	}
}

func TestHeldRequestDiesWithItsClient(t *testing.T) {
	t.Parallel()
	f := newFaults()
	fault, err := f.add(Fault{Hold: true})
	if err != nil {
		t.Fatal(err)
	}
	gave := make(chan struct{})
	gated := handler(f, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the request was passed on")
	}))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(gave)
		gated.ServeHTTP(w, r)
	}))
	defer server.Close()

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		b := &bench{url: server.URL}
		res, err := server.Client().Do(request(ctx, t, b, "PUT", "/held"))
		if err == nil {
			res.Body.Close()
		}
		ended <- err
	}()
	if err := f.wait(t.Context(), fault.ID); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	<-gave
	f.clearAll()
}

func TestStatusOnceThenTheNextRule(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	add(t, b, Fault{Method: "GET", Path: "secrets", Status: 500, Times: 1})
	add(t, b, Fault{Path: "secrets", Status: 429})
	for i, want := range []struct {
		method, path string
		code         int
	}{
		{"GET", "/api/v1/secrets", 500},
		{"GET", "/api/v1/secrets", 429},
		{"POST", "/api/v1/secrets", 429},
		{"GET", "/api/v1/pods", 200},
	} {
		res, err := get(t, b, want.method, want.path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != want.code {
			t.Errorf("request %d: %d %s, error %v, want %d", i, res.StatusCode, body, err, want.code)
		}
		if want.code == 500 && !bytes.Contains(body, []byte(`"reason":"InternalError"`)) {
			t.Errorf("no Status object: %s", body)
		}
	}
	list, err := b.List(t.Context())
	if err != nil || len(list) != 2 || list[0].Hits != 1 || list[1].Hits != 2 {
		t.Errorf("list %v, error %v", list, err)
	}
	if got := list[0].String(); got != "1  GET secrets: answer 500 Internal Server Error, hits: 1 of 1" {
		t.Errorf("%q", got)
	}
}

func TestDelay(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	const delay = 100 * time.Millisecond
	add(t, b, Fault{Delay: delay})
	start := time.Now()
	res, err := get(t, b, "GET", "/slow")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if took := time.Since(start); took < delay {
		t.Errorf("took %v", took)
	}
}

func TestControlRefusesNonsense(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	for name, f := range map[string]Fault{
		"no action":   {Path: "x"},
		"two actions": {Hold: true, Drop: true},
		"not a regexp": {
			Path: "(", Hold: true,
		},
		"not an error":   {Status: 200},
		"negative delay": {Delay: -time.Second},
	} {
		if _, err := b.Add(t.Context(), f); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := b.Clear(t.Context(), "99"); err == nil || err.Error() != "there is no fault 99" {
		t.Errorf("clear of an unknown fault: %v", err)
	}
	if err := b.Wait(t.Context(), "99"); err == nil {
		t.Error("wait for an unknown fault: no error")
	}
	id := add(t, b, Fault{Drop: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := b.Wait(ctx, id); err == nil || err.Error() != "no request met fault "+id+" in time" {
		t.Errorf("wait: %v", err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func upstreamURL(t *testing.T, server *httptest.Server) *url.URL {
	t.Helper()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
