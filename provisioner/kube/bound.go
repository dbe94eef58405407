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

// answerWithin bounds a request with all of its answer. An API server that is slow takes
// seconds; one that takes longer, or something on the way to it, will not answer at all.
const answerWithin = 30 * time.Second

// ErrSilent says that the API server took a request and did not answer it.
var ErrSilent = errors.New("no answer")

// bounded ends requests that nobody answers. Of a watch that is the beginning of the answer:
// the rest has no end. What a log begins with may come only when something is written.
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

// whySilent is the error of a request that was ended, in the place of that it was ended.
func whySilent(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, ErrSilent) {
		return cause
	}
	return err
}

// boundedBody is the answer to a request that ends within the bound.
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
