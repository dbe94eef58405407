// Package live keeps open pages up to date: rooms in which a page is drawn once for all who see the same of it,
// editions of it, and the streams that carry them to browsers. It knows no single page, session or address: a [Page]
// draws itself, and a [Viewer] says whether somebody still may look.
package live

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"shopwright.dev/shopwright/provisioner/service"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

// Events are those of the database.
type Events interface {
	// Subscribe returns a subscription to all events from now on.
	Subscribe() *database.Subscription
	// LastEvent returns the number of the newest event.
	LastEvent(ctx context.Context) (int64, error)
}

// Config is what a hub needs.
type Config struct {
	Events       Events
	Log          *slog.Logger
	Heartbeat    time.Duration // between signs of life to a reader for whom there is nothing else
	WriteTimeout time.Duration // of one message to a reader who has stopped reading
}

// Hub keeps pages live, however many are open.
//
// One subscription to the events of the database serves all of them. Readers who see the
// same thing, which is the same page with the same rights, share a [room]. It draws what
// an event can have changed, once, and publishes it as an [edition]. Each reader's
// [Hub.Stream] remembers which edition its browser has, and writes what is newer whenever
// there is a newer one. Nothing is ever queued for a reader: whoever is slow skips
// editions, and whoever does not read at all is dropped, comes back, and is told the
// whole. So a reader costs a connection, and a change costs one drawing for each room.
//
// An event that can take somebody's rights away reaches that person's streams before any
// room hears of it; see [store.Event.RightsOf].
type Hub struct {
	Config
	closing chan struct{} // closed when all streams must end
	close   func()
	done    sync.WaitGroup
	drawing chan struct{} // held while drawing, so that pages opened meanwhile get their share
	number  atomic.Int64  // of the newest event that all rooms have heard of

	mu      sync.Mutex
	rooms   map[Key]*room
	readers map[string]map[*Reader]struct{} // by user
}

// New returns a hub that passes events on until it is stopped.
func New(c Config) *Hub {
	closing := make(chan struct{})
	h := &Hub{
		Config: c, closing: closing, close: sync.OnceFunc(func() { close(closing) }),
		drawing: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		rooms:   map[Key]*room{}, readers: map[string]map[*Reader]struct{}{},
	}
	h.start()
	return h
}

func (h *Hub) start() {
	sub := h.subscribe()
	ctx, end := context.WithCancel(context.Background())
	h.done.Go(func() { <-h.closing; end() })
	h.done.Go(func() {
		service.Run(ctx, h.Log, service.Service{Name: "live pages", Run: func(context.Context) { h.run(sub) }})
	})
}

// Stop ends all streams and returns when nothing is drawn any more.
func (h *Hub) Stop() {
	h.close()
	h.done.Wait()
}

// Closing is closed when all streams must end.
func (h *Hub) Closing() <-chan struct{} { return h.closing }

// Newest is the number of the newest event that all rooms have heard of.
func (h *Hub) Newest() int64 { return h.number.Load() }

// run goes on with a new subscription when events were lost: everybody then comes back and
// sees the whole.
func (h *Hub) run(sub *database.Subscription) {
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

func (h *Hub) subscribe() *database.Subscription {
	sub := h.Events.Subscribe()
	h.number.Store(sub.After)
	return sub
}

// follow passes events on until the subscription is lost, or the hub is closed: then it
// returns false.
func (h *Hub) follow(sub *database.Subscription) bool {
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
func (h *Hub) pause() bool {
	select {
	case <-h.closing:
		return false
	case <-time.After(time.Second):
		return true
	}
}

func (h *Hub) tell(e store.Event) {
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
func (h *Hub) endRooms() {
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
func (h *Hub) end(r *room) {
	if h.rooms[r.key] == r {
		delete(h.rooms, r.key)
	}
	r.end()
}

// admit makes sure that the reader hears when its rights may have changed. It reports false
// when the hub is closed.
func (h *Hub) admit(r *Reader) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rooms == nil {
		return false
	}
	user := r.viewer.UserID
	if h.readers[user] == nil {
		h.readers[user] = map[*Reader]struct{}{}
	}
	h.readers[user][r] = struct{}{}
	r.doubt() // what happened since the request was let in reached nobody
	return true
}

// dismiss forgets the reader.
func (h *Hub) dismiss(r *Reader) {
	h.mu.Lock()
	defer h.mu.Unlock()
	user := r.viewer.UserID
	delete(h.readers[user], r)
	if len(h.readers[user]) == 0 {
		delete(h.readers, user)
	}
}

// join brings a reader into the room of its page, which is opened for the first one. It
// returns nil when the hub is closed.
func (h *Hub) join(key Key, page Page) *room {
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
func (h *Hub) leave(r *room) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.readers.Add(-1) == 0 {
		h.end(r)
	}
}
