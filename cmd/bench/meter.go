package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// meter is a proxy to the API server that counts the requests of whoever is sent there. It
// signs them in, and costs time: nothing is timed through it.
type meter struct {
	server *http.Server
	at     target

	mu     sync.Mutex
	counts requests // by method and resource
}

func newMeter(ctx context.Context, b *bench, as target) (*meter, error) {
	upstream, err := url.Parse(as.config.Host)
	if err != nil {
		return nil, err
	}
	transport, err := rest.TransportFor(as.config)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &meter{counts: requests{}}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		Transport: transport, FlushInterval: -1,
	}
	m.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.count(r)
		proxy.ServeHTTP(w, r)
	})}
	go func() { _ = m.server.Serve(listener) }()
	m.at, err = targetAt(b, "http://"+listener.Addr().String())
	return m, err
}

// targetAt is a way to the API server without credentials, such as through a meter.
func targetAt(b *bench, address string) (target, error) {
	config := clientcmdapi.NewConfig()
	config.Clusters["meter"] = &clientcmdapi.Cluster{Server: address}
	config.Contexts["meter"] = &clientcmdapi.Context{Cluster: "meter"}
	config.CurrentContext = "meter"
	dir, err := os.MkdirTemp(b.scratch, "meter-")
	if err != nil {
		return target{}, err
	}
	path := filepath.Join(dir, "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return target{}, err
	}
	return loadTarget(path)
}

func (m *meter) close() { _ = m.server.Close() }

func (m *meter) count(r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[kindOf(r)]++
}

// heartbeat is how the program finds out that its cluster is still there, which it does
// whether or not anybody asks for a page.
const heartbeat = "heartbeat"

// kindOf names a request by its method and what it is about, without names.
func kindOf(r *http.Request) string {
	method := r.Method
	if r.URL.Path == "/api/v1/namespaces/kube-system" {
		return heartbeat
	}
	if r.URL.Query().Get("watch") != "" {
		method = "WATCH"
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if i := slices.Index(parts, "namespaces"); i >= 0 && len(parts) > i+2 {
		return method + " " + parts[i+2]
	}
	for i, part := range parts {
		if strings.HasPrefix(part, "v1") && len(parts) > i+1 {
			return method + " " + parts[i+1]
		}
	}
	return method + " " + r.URL.Path
}

// requests are counted by their kind.
type requests map[string]int

func (r requests) total() (n int) {
	for _, count := range r {
		n += count
	}
	return n
}

func (r requests) String() string {
	var list []string
	for _, kind := range slices.Sorted(maps.Keys(r)) {
		list = append(list, fmt.Sprintf("%d %s", r[kind], kind))
	}
	return strings.Join(list, ", ")
}

// during counts the requests that are made while the work is done.
func (m *meter) during(work func() error) (requests, error) {
	m.mu.Lock()
	clear(m.counts)
	m.mu.Unlock()
	if err := work(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.counts), nil
}
