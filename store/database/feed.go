package database

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"shopwright.dev/shopwright/store"
)

const (
	channel     = "shopwright_events" // Postgres sends the number of every event here
	pollEvery   = 5 * time.Second     // finds events whose notification was lost
	listenFor   = 15 * time.Second    // until a silent connection is pinged
	feedBatch   = 500
	subscribers = 256 // events a subscriber may lag behind before it is closed
)

// feed reads committed events in order, exactly once per process, and hands them to subscribers. It never
// waits for one of them.
type feed struct {
	db     *DB
	wake   chan struct{}
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu   sync.Mutex
	last int64
	subs map[*Subscription]struct{}
}

// Subscription delivers events from the moment it was made. Events is closed when the
// subscriber lags too far behind or the database is closed: subscribe again and read the
// present state.
type Subscription struct {
	Events <-chan store.Event
	After  int64 // the number of the newest event before the first that is delivered
	events chan store.Event
	feed   *feed
}

// Subscribe starts to deliver all events, of all teams: the receiver must ask [Actor.Sees] before it
// shows one. Close the subscription when done.
func (db *DB) Subscribe() *Subscription {
	events := make(chan store.Event, subscribers)
	db.feed.mu.Lock()
	defer db.feed.mu.Unlock()
	sub := &Subscription{Events: events, After: db.feed.last, events: events, feed: db.feed}
	if db.feed.subs == nil { // stopped
		close(events)
		return sub
	}
	db.feed.subs[sub] = struct{}{}
	return sub
}

// Close ends the subscription. It may be called more than once.
func (s *Subscription) Close() {
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	s.feed.drop(s)
}

func startFeed(db *DB, last int64) *feed {
	ctx, cancel := context.WithCancel(context.Background())
	f := &feed{db: db, wake: make(chan struct{}, 1), cancel: cancel, last: last, subs: map[*Subscription]struct{}{}}
	f.done.Go(func() { f.run(ctx) })
	if db.postgres != nil {
		f.done.Go(func() { f.listen(ctx) })
	}
	return f
}

func (f *feed) stop() {
	f.cancel()
	f.done.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	for sub := range f.subs {
		f.drop(sub)
	}
	f.subs = nil
}

func (f *feed) poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *feed) run(ctx context.Context) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		f.deliver(ctx)
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		case <-ticker.C:
		}
	}
}

// deliver hands out all new events. After a database error it retries at the next wake-up, and logs
// nothing: the callers that use the database report the error.
func (f *feed) deliver(ctx context.Context) {
	for {
		events, err := f.db.eventsAfter(ctx, f.last, feedBatch)
		if err != nil || len(events) == 0 {
			return
		}
		f.publish(events)
	}
}

func (f *feed) publish(events []store.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range events {
		for sub := range f.subs {
			select {
			case sub.events <- e:
			default:
				f.drop(sub)
			}
		}
		f.last = e.Number
	}
}

// drop is called with the lock held.
func (f *feed) drop(sub *Subscription) {
	if _, there := f.subs[sub]; there {
		delete(f.subs, sub)
		close(sub.events)
	}
}

// listen waits for notifications of events that other processes wrote.
func (f *feed) listen(ctx context.Context) {
	for ctx.Err() == nil {
		f.listenOnce(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (f *feed) listenOnce(ctx context.Context) {
	conn, err := pgx.ConnectConfig(ctx, f.db.postgres.Copy())
	if err != nil {
		return
	}
	defer hangUp(ctx, conn)
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return
	}
	for {
		f.poke()
		if err := await(ctx, conn); err != nil {
			return
		}
	}
}

// await waits for a notification for a while, and then pings to see that the connection still works.
func await(ctx context.Context, conn *pgx.Conn) error {
	waiting, cancel := context.WithTimeout(ctx, listenFor)
	defer cancel()
	_, err := conn.WaitForNotification(waiting)
	if err == nil || waiting.Err() == nil || ctx.Err() != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, connectWithin)
	defer stop()
	return conn.Ping(ctx)
}

// hangUp closes a connection, which may be cut off.
func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectWithin)
	defer cancel()
	_ = conn.Close(ctx)
}
