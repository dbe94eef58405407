package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"
)

// pages answer HEAD wherever they answer GET, see RFC 9110, section 9.3.2. The server leaves the
// body out.
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

// methodOf is the method that the client has sent.
func methodOf(r *http.Request) string {
	if r.Context().Value(asHead{}) != nil {
		return http.MethodHead
	}
	return r.Method
}

// headerOnly ends the request of a stream once its header is sent: nobody reads on.
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
