package handlers

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"shopwright.dev/shopwright/provisioner/service"
	"shopwright.dev/shopwright/store"
)

// hub keeps pages live, however many are open.
//
// One subscription to the events of the database serves all of them. Readers who see the
// same thing, which is the same page with the same rights, share a [room]. It draws what
// an event can have changed, once, and publishes it as an [edition]. Each reader's
// [stream] remembers which edition its browser has, and writes what is newer whenever
// there is a newer one. Nothing is ever queued for a reader: whoever is slow skips
// editions, and whoever does not read at all is dropped, comes back, and is told the
// whole. So a reader costs a connection, and a change costs one drawing for each room.
//
// An event that can take somebody's rights away reaches that person's streams before any
// room hears of it; see [store.Event.RightsOf].
type hub struct {
	app     *App
	closing chan struct{} // closed when all streams must end
	close   func()
	done    sync.WaitGroup
	drawing chan struct{} // held while drawing, so that pages opened meanwhile get their share
	number  atomic.Int64  // of the newest event that all rooms have heard of

	mu      sync.Mutex
	rooms   map[roomKey]*room
	readers map[string]map[*reader]struct{} // by user
}

func newHub(app *App) *hub {
	closing := make(chan struct{})
	return &hub{
		app: app, closing: closing, close: sync.OnceFunc(func() { close(closing) }),
		drawing: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		rooms:   map[roomKey]*room{}, readers: map[string]map[*reader]struct{}{},
	}
}

// start begins to pass events on, until stop.
func (h *hub) start() {
	sub := h.subscribe()
	ctx, end := context.WithCancel(context.Background())
	h.done.Go(func() { <-h.closing; end() })
	h.done.Go(func() {
		service.Run(ctx, h.app.Log, service.Service{Name: "live pages", Run: func(context.Context) { h.run(sub) }})
	})
}

// stop ends all streams and returns when nothing is drawn any more.
func (h *hub) stop() {
	h.close()
	h.done.Wait()
}

// run goes on with a new subscription when events were lost: everybody then comes back and
// sees the whole.
func (h *hub) run(sub *store.Subscription) {
	for h.follow(sub) {
		sub = h.subscribe()
		h.endRooms()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.rooms {
		h.end(r)
	}
	h.rooms = nil
}

func (h *hub) subscribe() *store.Subscription {
	sub := h.app.DB.Subscribe()
	h.number.Store(sub.After)
	return sub
}

// follow passes events on until the subscription is lost, or the hub is closed: then it
// returns false.
func (h *hub) follow(sub *store.Subscription) bool {
	defer sub.Close()
	for {
		select {
		case <-h.closing:
			return false
		case e, open := <-sub.Events:
			if !open {
				return h.pause()
			}
			h.tell(e)
		}
	}
}

// pause keeps a database that is closing from being asked over and over.
func (h *hub) pause() bool {
	select {
	case <-h.closing:
		return false
	case <-time.After(time.Second):
		return true
	}
}

func (h *hub) tell(e store.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if user := e.RightsOf(); user != "" {
		for r := range h.readers[user] {
			r.doubt()
		}
	}
	for _, r := range h.rooms {
		r.tell(e)
	}
	h.number.Store(e.Number)
}

// endRooms is for when events were lost, which may have been about rights.
func (h *hub) endRooms() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, readers := range h.readers {
		for r := range readers {
			r.doubt()
		}
	}
	for _, r := range h.rooms {
		h.end(r)
	}
}

// end is called with the lock held.
func (h *hub) end(r *room) {
	if h.rooms[r.key] == r {
		delete(h.rooms, r.key)
	}
	r.end()
}

// admit makes sure that the reader hears when its rights may have changed. It reports false
// when the hub is closed. Every reader that was admitted is dismissed.
func (h *hub) admit(r *reader) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rooms == nil {
		return false
	}
	user := r.who.User.ID
	if h.readers[user] == nil {
		h.readers[user] = map[*reader]struct{}{}
	}
	h.readers[user][r] = struct{}{}
	r.doubt() // what happened since the request was let in reached nobody
	return true
}

// dismiss forgets the reader.
func (h *hub) dismiss(r *reader) {
	h.mu.Lock()
	defer h.mu.Unlock()
	user := r.who.User.ID
	delete(h.readers[user], r)
	if len(h.readers[user]) == 0 {
		delete(h.readers, user)
	}
}

// join brings a reader into the room of its page, which is opened for the first one. It
// returns nil when the hub is closed.
func (h *hub) join(key roomKey, page live) *room {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rooms == nil {
		return nil
	}
	r := h.rooms[key]
	if r == nil {
		r = openRoom(h, key, page)
		h.rooms[key] = r
	}
	r.readers.Add(1)
	return r
}

// leave is called by a reader who leaves the room, which is closed behind the last one.
func (h *hub) leave(r *room) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.readers.Add(-1) == 0 {
		h.end(r)
	}
}
