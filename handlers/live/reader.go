package live

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Viewer is who reads, with the rights of the moment in which the request was let in.
type Viewer struct {
	UserID    string
	ExpiresAt time.Time // when the session ends unless it is used
	// Check looks the session up again and returns when it ends now. It fails when it has ended, or when the user's
	// rights have changed.
	Check func(ctx context.Context) (expiresAt time.Time, err error)
}

// errExpired ends the stream of a session that nobody has used.
var errExpired = errors.New("the session has expired")

// Reader is a browser that gets an answer for longer than it takes to look somebody's rights
// up, and so as long as the viewer keeps them.
type Reader struct {
	hub     *Hub
	viewer  Viewer
	out     *http.ResponseController
	answer  http.ResponseWriter
	doubted chan struct{} // holds something when the viewer's rights must be looked at again
}

// Admit lets the viewer read an answer. It reports false when the hub is closed. Every reader
// that was admitted is dismissed.
func (h *Hub) Admit(w http.ResponseWriter, v Viewer) (r *Reader, ok bool) {
	r = &Reader{hub: h, viewer: v, out: http.NewResponseController(w), answer: w, doubted: make(chan struct{}, 1)}
	return r, h.admit(r)
}

// Dismiss is called when the answer has ended.
func (r *Reader) Dismiss() { r.hub.dismiss(r) }

// doubt makes the reader look at the viewer's rights before it writes again.
func (r *Reader) doubt() {
	select {
	case r.doubted <- struct{}{}:
	default:
	}
}

// Doubted receives when [Reader.CheckRights] is due.
func (r *Reader) Doubted() <-chan struct{} { return r.doubted }

// Closing is closed when all streams must end.
func (r *Reader) Closing() <-chan struct{} { return r.hub.closing }

// SettleDoubt checks the viewer's rights if an event can have changed them. It is called before each message.
func (r *Reader) SettleDoubt(ctx context.Context) error {
	select {
	case <-r.doubted:
		return r.CheckRights(ctx)
	default:
		return nil
	}
}

// CheckRights fails when the viewer may not read on.
func (r *Reader) CheckRights(ctx context.Context) error {
	expiresAt, err := r.viewer.Check(ctx)
	if err != nil {
		return err
	}
	r.viewer.ExpiresAt = expiresAt
	return nil
}

// Begin begins a stream of server-sent events.
func (r *Reader) Begin() error {
	header := r.answer.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no")
	r.answer.WriteHeader(http.StatusOK)
	return r.Write([]byte("retry: 2000\n\n"))
}

// End gives the answer the time to end in order.
func (r *Reader) End() { _ = r.extend() }

// Beat is a sign of life. It fails when the session has run out, and nothing else has used
// it meanwhile.
func (r *Reader) Beat(ctx context.Context) error {
	if !time.Now().Before(r.viewer.ExpiresAt) {
		if err := r.CheckRights(ctx); err != nil {
			return err
		}
		if !time.Now().Before(r.viewer.ExpiresAt) {
			return errExpired
		}
	}
	return r.Write([]byte(": still here\n\n"))
}

// UntilBeat is the time until the next sign of life, or until the session ends.
func (r *Reader) UntilBeat() time.Duration {
	return min(r.hub.Heartbeat, max(0, time.Until(r.viewer.ExpiresAt)))
}

// Write sends the text at once. It fails when the browser does not take it in time.
func (r *Reader) Write(text []byte) error {
	if err := r.extend(); err != nil {
		return err
	}
	if _, err := r.answer.Write(text); err != nil {
		return err
	}
	return r.out.Flush()
}

// extend gives the browser the time of one more message.
func (r *Reader) extend() error {
	return r.out.SetWriteDeadline(time.Now().Add(r.hub.WriteTimeout))
}
