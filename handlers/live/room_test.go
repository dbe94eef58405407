package live

import (
	"bytes"
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

// counted is a page that counts how often it is drawn.
type counted struct{ drawn atomic.Int32 }

func (*counted) Concerns(e store.Event) Change { return Change{All: e.Kind == store.SignedIn} }

func (*counted) Connection() (<-chan struct{}, func()) { return nil, func() {} }

func (*counted) Cluster() (<-chan struct{}, func()) { return nil, func() {} }

func (c *counted) Parts(context.Context, Change) ([]Part, error) {
	return []Part{says("counted", strconv.Itoa(int(c.drawn.Add(1))))}, nil
}

// open is a hub on the events of the database, without a cluster.
func open(t *testing.T, db *database.DB, log *slog.Logger) *Hub {
	t.Helper()
	hub := New(Config{Events: db, Log: log})
	t.Cleanup(hub.Stop)
	return hub
}

// TestReadersShareADrawing opens one page for many and changes it once.
func TestReadersShareADrawing(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	hub := open(t, db, slog.New(slog.DiscardHandler))
	page, key := &counted{}, Key{View: "counted"}
	const readers = 500
	rooms := make([]*room, readers)
	for i := range rooms {
		rooms[i] = hub.join(key, page)
	}
	untilDrawn(t, rooms, 1)
	storetest.Actor(t, db, "somebody")
	untilDrawn(t, rooms, 2)
	if n := page.drawn.Load(); n != 2 {
		t.Errorf("%d readers make a page be drawn %d times", readers, n)
	}
}

func untilDrawn(t *testing.T, rooms []*room, nth int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	var all sync.WaitGroup
	for _, r := range rooms {
		all.Go(func() {
			for e, next := r.look(); e == nil || e.nth < nth; e, next = r.look() {
				select {
				case <-next:
				case <-ctx.Done():
					t.Error("a reader waits in vain")
					return
				}
			}
		})
	}
	all.Wait()
}

// undrawable is a page on which something is wrong with what it shows.
type undrawable struct{ counted }

func (*undrawable) Parts(context.Context, Change) ([]Part, error) { panic("no such pod") }

// The readers of a page that cannot be drawn are sent away, and those of others stay.
func TestPanicEndsOnePage(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	hub := open(t, storetest.SQLite(t), slog.New(slog.NewTextHandler(&log, nil)))
	other := hub.join(Key{View: "other"}, &counted{})
	<-hub.join(Key{View: "undrawable"}, &undrawable{}).ended
	untilDrawn(t, []*room{other}, 1)
	hub.Stop() // nothing writes to the log any more
	if said := log.String(); !strings.Contains(said, "no such pod") || !strings.Contains(said, "room_test.go") {
		t.Errorf("the log does not say where: %s", said)
	}
}

func TestPauseBetweenDrawings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		readers     int32
		drawing     time.Duration
		least, most time.Duration
	}{
		{"one who looks sees what is new at once", 1, time.Millisecond, 16 * time.Millisecond, 40 * time.Millisecond},
		{"thousands get it in turn", 2000, time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond},
		{"a page that is hard to draw leaves time for others", 1, 20 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond},
		{"nobody waits for ever", 100_000, time.Minute, time.Second, time.Second},
	} {
		r := &room{}
		r.readers.Store(tt.readers)
		if got := r.pause(tt.drawing); got < tt.least || got > tt.most {
			t.Errorf("%s: %s, want %s to %s", tt.name, got, tt.least, tt.most)
		}
	}
}
