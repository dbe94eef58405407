package engine_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// pausableBackup is a WooCommerce shop's, and the proxy through which it reaches its bucket.
func pausableBackup(t *testing.T, port string) (*backup, *pausing) {
	t.Helper()
	slow := &pausing{next: bucketServer(t).URL}
	front := httptest.NewServer(slow)
	t.Cleanup(front.Close)
	return newBackup(t, shop(t, unchanged), front.URL, port, "/var/www/html"), slow
}

// neverTimesOut runs commands without their time limit: the real program leaves the group of processes that
// a test kills.
func (b *backup) neverTimesOut(t *testing.T) {
	t.Helper()
	b.write(t, "bin/timeout", "#!/bin/sh\nshift\nexec \"$@\"\n")
	if err := os.Chmod(b.dir+"/bin/timeout", 0o700); err != nil {
		t.Fatal(err)
	}
	b.env[0] = strings.Replace(b.env[0], "PATH=", "PATH="+b.dir+"/bin:", 1)
}

// pausing is a proxy that holds the requests of a kind until their sender goes away.
type pausing struct {
	next string
	held atomic.Pointer[hold] // nil for none
}

// hold is a kind of requests that are held.
type hold struct {
	method, path string        // the path is a part of it
	reached      chan struct{} // gets a value when there is one
}

func (p *pausing) pause(method, path string) *hold {
	h := &hold{method: method, path: path, reached: make(chan struct{}, 1)}
	p.held.Store(h)
	return h
}

func (p *pausing) goOn() { p.held.Store(nil) }

// killAt starts a command and kills it at a request of that kind.
func (p *pausing) killAt(t *testing.T, cmd *exec.Cmd, method, path string) {
	t.Helper()
	held := p.pause(method, path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-held.reached:
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if err := <-ended; err == nil {
			t.Errorf("it ended although %s %s was held", method, path)
		}
	case err := <-ended:
		t.Errorf("it ended before %s %s: %v: %s", method, path, err, cmd.Stderr)
	}
	p.goOn()
}

func (p *pausing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := p.held.Load(); h != nil && r.Method == h.method && strings.Contains(r.URL.Path, h.path) {
		select {
		case h.reached <- struct{}{}:
		default:
		}
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		return
	}
	request, err := http.NewRequestWithContext(r.Context(), r.Method, p.next+r.URL.RequestURI(), r.Body)
	if err != nil {
		http.Error(w, fmt.Sprint(err), http.StatusInternalServerError)
		return
	}
	request.Header, request.ContentLength = r.Header, r.ContentLength
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		http.Error(w, fmt.Sprint(err), http.StatusBadGateway)
		return
	}
	defer response.Body.Close() //nolint:errcheck // it was only read from
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body)
}
