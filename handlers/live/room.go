package live

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"shopwright.dev/shopwright/provisioner/service"
	"shopwright.dev/shopwright/store"
)

const (
	together   = 5 * time.Millisecond   // the events of one transaction
	pause      = 20 * time.Millisecond  // between two drawings, at least: hardly more than a browser shows one
	perReader  = 100 * time.Microsecond // longer, so that all can be written in the meantime
	perDrawing = 10                     // longer by so many times what the last one took: it leaves the machine to others
	longest    = time.Second
)

// room draws one page for all who see the same of it.
type room struct {
	hub     *Hub
	key     Key
	page    Page
	readers atomic.Int32
	wake    chan struct{}
	ended   chan struct{} // closed when readers must come back for another room
	end     func()

	mu      sync.Mutex
	pending Change
	current *edition      // nil until the first is drawn
	next    chan struct{} // closed when there is another edition
}

// openRoom is called with the hub's lock held.
func openRoom(h *Hub, key Key, page Page) *room {
	ctx, cancel := context.WithCancel(context.Background())
	r := &room{
		hub: h, key: key, page: page, wake: make(chan struct{}, 1), ended: make(chan struct{}),
		pending: Change{All: true}, next: make(chan struct{}),
	}
	r.end = sync.OnceFunc(func() { cancel(); close(r.ended) })
	r.signal()
	h.done.Go(func() { r.run(ctx) })
	return r
}

func (r *room) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// tell never waits for what is being drawn.
func (r *room) tell(e store.Event) {
	if c := r.page.Concerns(e); !c.nothing() {
		r.mark(c)
	}
}

func (r *room) mark(c Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending.add(c)
	r.signal()
}

// run draws after each change, at once where there was quiet before it, and otherwise after
// a pause in which more can gather.
func (r *room) run(ctx context.Context) {
	linked, unlink := r.page.Connection()
	defer unlink()
	changed, cancel := r.page.Cluster()
	defer func() { cancel() }()
	var last time.Time
	var drawing time.Duration
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-changed:
			r.mark(Change{All: true})
			continue
		case <-linked:
			cancel()
			changed, cancel = r.page.Cluster()
			r.mark(Change{All: true})
			continue
		}
		if !wait(ctx, max(together, r.pause(drawing)-time.Since(last))) {
			return
		}
		began := time.Now()
		if err := service.Guard(func() error { return r.renew(ctx) }); err != nil { // a panic is an error of this page alone
			r.fail(ctx, err)
			return
		}
		last = time.Now()
		drawing = last.Sub(began)
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// pause is how long nothing is drawn after a drawing that took so long.
func (r *room) pause(drawing time.Duration) time.Duration {
	return min(pause+perDrawing*drawing+time.Duration(r.readers.Load())*perReader, longest)
}

// fail sends all readers away: they come back to a new room.
func (r *room) fail(ctx context.Context, err error) {
	if ctx.Err() == nil {
		r.hub.Log.Error("render a live page", "view", r.key.View, "id", r.key.ID, "error", err)
	}
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	r.hub.end(r)
}

// renew draws what has changed and publishes it.
func (r *room) renew(ctx context.Context) error {
	select {
	case r.hub.drawing <- struct{}{}:
		defer func() { <-r.hub.drawing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	taken := r.hub.number.Load() // before what is pending: all up to here is in it
	r.mu.Lock()
	c, before := r.pending, r.current
	r.pending = Change{}
	r.mu.Unlock()
	if c.nothing() {
		return nil
	}
	parts, err := r.page.Parts(ctx, c)
	if err != nil {
		return err
	}
	newest, err := r.hub.Events.LastEvent(ctx) // after the reading: nothing newer can be in it
	if err != nil {
		return err
	}
	edition, err := newEdition(ctx, before, parts, taken, newest)
	if err != nil {
		return err
	}
	r.publish(edition)
	return nil
}

func (r *room) publish(e *edition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.current
	r.current = e
	if before == nil || before.nth != e.nth {
		close(r.next)
		r.next = make(chan struct{})
	}
}

// look returns the present edition, nil before the first one, and a channel that is closed
// when there is another.
func (r *room) look() (*edition, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current, r.next
}
