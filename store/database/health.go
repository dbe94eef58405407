package database

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"shopwright.dev/shopwright/store"
)

const (
	healFirst = time.Second      // after trouble began
	healEvery = 10 * time.Second // later
	// quiet is how long the log is spared the same trouble after it has ended.
	quiet = time.Minute
)

// health knows whether the database can be used. It learns of trouble from those who meet
// it, and looks by itself for its end.
type health struct {
	log    *slog.Logger
	silent trouble       // what it is called when no answer comes
	gone   func() bool   // whether the file of the database is not where it was
	fell   chan struct{} // wakes whoever looks for the end of trouble

	mu       sync.Mutex
	trouble  *store.Error
	since    time.Time
	well     chan struct{} // closed while there is no trouble
	written  time.Time     // when a write last succeeded
	told     trouble       // the trouble that the log knows of
	toldWell time.Time     // when the log was told that it had ended

	cancel context.CancelFunc
	done   sync.WaitGroup
}

func newHealth(silent trouble, gone func() bool) *health {
	well := make(chan struct{})
	close(well)
	return &health{
		log: slog.New(slog.DiscardHandler), silent: silent, gone: gone, fell: make(chan struct{}, 1), well: well, cancel: func() {},
	}
}

// judge notes what an error says of the database, and returns an *Error in its place if it
// says that the database cannot be used.
func (h *health) judge(err error) error {
	err = classify(err)
	found, ok := errors.AsType[*store.Error](err)
	if !ok || found.Code != store.Unavailable {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if errors.Is(err, errNoAnswer) {
		if h.trouble != nil {
			return h.trouble // which is why
		}
		found = h.silent.error(found.Cause)
	}
	if met := troubleIn(found); (met == unopened || met == broken) && h.gone() {
		found = moved.error(found.Cause)
	}
	h.fall(found)
	return found
}

// fall is called with the lock held.
func (h *health) fall(e *store.Error) {
	if h.trouble == nil {
		h.since, h.well = time.Now(), make(chan struct{})
	}
	h.trouble = e
	select {
	case h.fell <- struct{}{}:
	default:
	}
	if met := troubleIn(e); h.told != met && (h.toldWell.IsZero() || time.Since(h.toldWell) > quiet) {
		h.told = met
		h.log.Error(e.Message, "cause", e.Cause)
	}
}

// wrote notes that a write has succeeded: whatever was wrong is over.
func (h *health) wrote() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.written = time.Now()
	if h.trouble != nil && troubleIn(h.trouble) != damaged {
		h.rise()
	}
}

// mended notes that a damaged database is sound again.
func (h *health) mended() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.trouble != nil {
		h.rise()
	}
}

// rise is called with the lock held.
func (h *health) rise() {
	h.trouble = nil
	close(h.well)
	if h.told != "" {
		h.told, h.toldWell = "", time.Now()
		h.log.Info("the database is available again", "after", time.Since(h.since).Round(time.Millisecond))
	}
}

// state returns the present error, nil once the database has recovered.
func (h *health) state() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.trouble == nil {
		return nil
	}
	return h.trouble
}

// barred returns an error when nothing may be written.
func (h *health) barred() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.trouble != nil && troubleIn(h.trouble) == damaged {
		return h.trouble
	}
	return nil
}

func (h *health) writable() bool { return h.barred() == nil }

func (h *health) wroteBefore(d time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Since(h.written) > d
}

// wait returns when there is no trouble, or the context's error.
func (h *health) wait(ctx context.Context) error {
	h.mu.Lock()
	well := h.well
	h.mu.Unlock()
	select {
	case <-well:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// start begins to look for the end of trouble, until stop.
func (h *health) start(probe func(context.Context, *store.Error)) {
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	h.done.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-h.fell:
				h.heal(ctx, probe)
			}
		}
	})
}

func (h *health) stop() {
	h.cancel()
	h.done.Wait()
}

// heal tries again and again until there is no trouble.
func (h *health) heal(ctx context.Context, probe func(context.Context, *store.Error)) {
	for pause := healFirst; ; pause = min(2*pause, healEvery) {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		known, ill := errors.AsType[*store.Error](h.state())
		if !ill {
			return
		}
		probe(ctx, known)
	}
}
