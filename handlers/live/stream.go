package live

import (
	"context"
	"time"
)

// stream keeps one page up to date for as long as it is open. Every message brings parts
// to what they are now, so that nothing is lost by missing one; its id is the number of the
// newest event that it takes in.
type stream struct {
	*Reader
	room *room
	seen int64 // the newest event that the browser's page shows, when it connects
	has  int   // the edition that the browser has; 0 before the first
}

// Stream keeps the reader's page up to date until the browser is gone, the viewer may not see the page any more, or
// the browser must come back for another reason. The browser's page shows all events up to the one with the number
// seen. It reports false, and has sent nothing, when the hub is closed.
func (h *Hub) Stream(ctx context.Context, r *Reader, key Key, page Page, seen int64) bool {
	s := &stream{Reader: r, seen: seen}
	if s.room = h.join(key, page); s.room == nil {
		return false
	}
	defer h.leave(s.room)
	s.run(ctx)
	return true
}

func (s *stream) run(ctx context.Context) {
	if s.Begin() != nil {
		return
	}
	defer s.End()
	beat := time.NewTimer(s.UntilBeat())
	defer beat.Stop()
	for {
		edition, next := s.room.look()
		if s.send(ctx, edition) != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-s.room.ended:
			return
		case <-s.doubted:
			s.doubt() // left to send, which alone decides
		case <-next:
		case <-beat.C:
			if s.Beat(ctx) != nil {
				return
			}
			beat.Reset(s.UntilBeat())
		}
	}
}

// send writes what is new to a viewer who still may see it.
func (s *stream) send(ctx context.Context, e *edition) error {
	if err := s.SettleDoubt(ctx); err != nil {
		return err
	}
	if e == nil || e.nth == s.has {
		return nil
	}
	message, err := s.message(ctx, e)
	if err != nil {
		s.hub.Log.Error("render a stream message", "error", err)
		return err
	}
	s.has = e.nth
	if message == nil {
		return nil
	}
	return s.Write(message)
}

func (s *stream) message(ctx context.Context, e *edition) ([]byte, error) {
	if s.has == 0 {
		return e.begin(ctx, s.seen)
	}
	return e.since(ctx, s.has)
}
