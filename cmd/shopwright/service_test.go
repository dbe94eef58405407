package main_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

// service stands before several programs as a Service of Kubernetes does: it sends requests to
// those that were ready when they were last asked.
type service struct {
	t       *testing.T
	server  *httptest.Server
	running sync.WaitGroup
	end     chan struct{}

	mu     sync.Mutex
	turn   int
	ready  map[string]bool // by URL
	served map[string]int  // by URL
	failed []string        // what visitors complain of
}

// askEvery is how often a program is asked whether it is ready. So long may it have left
// before anybody knows.
const askEvery = time.Second

// newService is for these programs. The visitors end with end.
func newService(t *testing.T) *service {
	t.Helper()
	s := &service{t: t, end: make(chan struct{}), ready: map[string]bool{}, served: map[string]int{}}
	s.server = httptest.NewServer(http.HandlerFunc(s.forward))
	t.Cleanup(s.server.Close)
	return s
}

// add has requests sent to the program as long as it is ready.
func (s *service) add(p *process) {
	at := p.url
	s.ask(at)
	s.running.Go(func() { s.each(askEvery, func() { s.ask(at) }) })
}

func (s *service) each(pause time.Duration, do func()) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			do()
		case <-s.end:
			return
		}
	}
}

// ask asks the program whether it is ready, on a connection of its own, as kubelets do.
func (s *service) ask(at string) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Get(at + "/readyz")
	if err == nil {
		_ = response.Body.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready[at] = err == nil && response.StatusCode == http.StatusOK
}

// forward passes a request on to one after the other of the programs that are ready.
func (s *service) forward(w http.ResponseWriter, r *http.Request) {
	chosen := s.next()
	to, err := url.Parse(chosen)
	if err != nil || chosen == "" {
		http.Error(w, "nobody is ready", http.StatusServiceUnavailable)
		return
	}
	proxy := httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
	proxy.ServeHTTP(w, r)
}

// next is where the next request goes, empty where nobody is ready.
func (s *service) next() (chosen string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ready []string
	for _, at := range slices.Sorted(maps.Keys(s.ready)) {
		if s.ready[at] {
			ready = append(ready, at)
		}
	}
	if len(ready) == 0 {
		return ""
	}
	s.turn++
	chosen = ready[s.turn%len(ready)]
	s.served[chosen]++
	return chosen
}

// visit has somebody who is signed in ask for the list of stores all the time.
func (s *service) visit(client *http.Client) {
	s.running.Go(func() {
		s.each(100*time.Millisecond, func() {
			if complaint := look(client, s.server.URL+"/stores"); complaint != "" {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.failed = append(s.failed, time.Now().Format(time.StampMilli)+" "+complaint)
			}
		})
	})
}

// look returns what somebody would complain of who asks for a page.
func look(client *http.Client, address string) string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err.Error()
	}
	response, err := client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Sprintf("%s is answered with %d", address, response.StatusCode)
	}
	return ""
}

// untilServedBy returns when the program has served a request.
func (s *service) untilServedBy(p *process) {
	s.t.Helper()
	eventually(s.t, "asked", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.served[p.url] > 0
	})
}

// untilLeft returns when the program gets no more requests.
func (s *service) untilLeft(p *process) {
	s.t.Helper()
	eventually(s.t, "left alone", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return !s.ready[p.url]
	})
}

// close ends the visits. Nobody may have had anything to complain of.
func (s *service) close() {
	s.t.Helper()
	close(s.end)
	s.running.Wait()
	for _, complaint := range s.failed {
		s.t.Error(complaint)
	}
	s.t.Logf("requests were served by %v", s.served)
}
