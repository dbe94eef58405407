package views

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/a-h/templ"

	"shopwright.dev/shopwright/static"
)

const policy = "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; object-src 'none'"

// withPolicy sends what the real server sends, so that whatever it forbids fails here.
func withPolicy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		next.ServeHTTP(w, r)
	})
}

// serve returns the address of a server of these pages and of the static files.
func serve(t *testing.T, mux *http.ServeMux) string {
	t.Helper()
	mux.Handle(static.Prefix, static.Handler())
	server := httptest.NewServer(withPolicy(mux))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

func servePage(c templ.Component) http.Handler { return templ.Handler(c) }

// idle is a stream on which nothing happens.
func idle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}
