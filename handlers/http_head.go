package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"
)

// pages answers HEAD for every path with a GET, see RFC 9110, section 9.3.2. The server omits the body.
type pages struct{ *echo.Echo }

func (p pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodHead {
		p.Echo.ServeHTTP(w, r)
		return
	}
	ctx, cancel := context.WithCancel(context.WithValue(r.Context(), asHead{}, true))
	defer cancel()
	get := r.WithContext(ctx)
	get.Method = http.MethodGet
	p.Echo.ServeHTTP(headerOnly{w, cancel}, get)
}

// asHead marks the context of a HEAD request that is answered as a GET.
type asHead struct{}

// methodOf returns the method that the client sent.
func methodOf(r *http.Request) string {
	if r.Context().Value(asHead{}) != nil {
		return http.MethodHead
	}
	return r.Method
}

// headerOnly cancels the request for a stream once the header is sent, because a HEAD request has no body.
type headerOnly struct {
	http.ResponseWriter
	end context.CancelFunc
}

// Flush implements [http.Flusher].
func (w headerOnly) Flush() {
	_ = http.NewResponseController(w.ResponseWriter).Flush()
	w.end()
}

// Unwrap is for [http.ResponseController].
func (w headerOnly) Unwrap() http.ResponseWriter { return w.ResponseWriter }
