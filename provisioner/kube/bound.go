package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// answerWithin is the timeout of a request with its whole response. A slow API server takes seconds;
// if it takes longer than this, it or something in between will not answer at all.
const answerWithin = 30 * time.Second

// ErrSilent says that the API server accepted a request and did not answer it.
var ErrSilent = errors.New("no answer")

// bounded times out requests that get no answer. A watch only has to begin its response in time,
// because the response never ends. A log has no timeout: its first byte may come only when the
// container writes something.
type bounded struct{ next http.RoundTripper }

func newBounded(next http.RoundTripper) http.RoundTripper { return bounded{next} }

func isLog(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/log")
}

func isWatch(r *http.Request) bool {
	asked := r.URL.Query().Get("watch")
	return asked != "" && asked != "false" && asked != "0"
}

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if isLog(r) {
		return b.next.RoundTrip(r)
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	timer := time.AfterFunc(answerWithin, func() { cancel(fmt.Errorf("%w within %s", ErrSilent, answerWithin)) })
	done := func() { timer.Stop(); cancel(nil) }
	response, err := b.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		defer done()
		return nil, whySilent(ctx, err)
	}
	if isWatch(r) {
		timer.Stop()
	}
	response.Body = &boundedBody{ReadCloser: response.Body, ctx: ctx, done: done}
	return response, nil
}

// whySilent replaces the error of a request that timed out with its cause, which wraps ErrSilent.
func whySilent(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, ErrSilent) {
		return cause
	}
	return err
}

// boundedBody is a response body whose reads report the timeout as ErrSilent.
type boundedBody struct {
	io.ReadCloser
	ctx  context.Context //nolint:containedctx // of the request
	done func()
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = whySilent(b.ctx, err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *boundedBody) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}
