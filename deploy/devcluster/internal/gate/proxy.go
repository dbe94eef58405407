// Package gate is a reverse proxy in front of an API server where tests make requests fail: held back, refused,
// delayed or cut. It passes credentials on untouched, streams watches as they come and knows nothing of Kubernetes
// but the shape of an error.
package gate

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// newProxy forwards to upstream. HTTP/1.1 on purpose: exec and port-forward upgrade their connection, which HTTP/2
// cannot.
func newProxy(upstream *url.URL, upstreamTLS *tls.Config, log *log.Logger) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			r.Out.Host = r.In.Host
		},
		FlushInterval: -1, // a watch event is not to wait in a buffer
		ErrorLog:      log,
		Transport: &http.Transport{
			TLSClientConfig:     upstreamTLS,
			TLSNextProto:        map[string]func(string, *tls.Conn) http.RoundTripper{},
			MaxIdleConnsPerHost: 100,
			IdleConnTimeout:     time.Minute,
			DisableCompression:  true, // the answer is passed on as it came
		},
	}
}

// handler lets requests through to next unless a fault takes them.
func handler(f *faults, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r := f.take(req.Method, req.URL.Path); r != nil && !r.apply(w, req) {
			return
		}
		tracked, done := f.track(req)
		defer done()
		next.ServeHTTP(w, tracked)
		if tracked.Context().Err() != nil {
			// A drop cut the request: close the connection rather than end the answer as if it were whole.
			panic(http.ErrAbortHandler)
		}
	})
}

// apply does what the fault says and reports whether the request is to go on. It panics with http.ErrAbortHandler,
// which closes the connection, for a request that goes nowhere.
func (r *rule) apply(w http.ResponseWriter, req *http.Request) bool {
	switch {
	case r.Drop:
		panic(http.ErrAbortHandler)
	case r.Status != 0:
		refuse(w, r.Status)
		return false
	}
	// net/http notices that a client has gone only once the request's body has been read.
	body, err := io.ReadAll(req.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	r.pause(req.Context())
	return true
}

// pause waits until the fault is over. A request whose client has gone meanwhile must not reach the API server.
func (r *rule) pause(ctx context.Context) {
	var elapsed <-chan time.Time
	if !r.Hold {
		elapsed = time.After(r.Delay)
	}
	select {
	case <-r.cleared:
	case <-elapsed:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		panic(http.ErrAbortHandler)
	}
}

// refuse answers like an API server does: with a Status object.
func refuse(w http.ResponseWriter, code int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// A client that does not stay for the answer is none of our business.
	_ = json.NewEncoder(w).Encode(map[string]any{
		"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Failure",
		"message": "a fault added at the gate: " + http.StatusText(code), "reason": reason(code), "code": code,
	})
}

// reason is the StatusReason (k8s.io/apimachinery, meta/v1) that clients tell errors apart by.
func reason(code int) string {
	switch code {
	case http.StatusUnauthorized:
		return "Unauthorized"
	case http.StatusForbidden:
		return "Forbidden"
	case http.StatusNotFound:
		return "NotFound"
	case http.StatusConflict:
		return "Conflict"
	case http.StatusTooManyRequests:
		return "TooManyRequests"
	case http.StatusInternalServerError:
		return "InternalError"
	case http.StatusServiceUnavailable:
		return "ServiceUnavailable"
	case http.StatusGatewayTimeout:
		return "Timeout"
	}
	return ""
}
