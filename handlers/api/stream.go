package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

func (a *API) registerStreams() {
	register(a, operation{
		id: "follow-events", method: http.MethodGet, path: "/events", tag: tagStreams, scope: store.ReadStores, content: []string{"text/event-stream"},
		summary: "Follow the team’s events",
		description: "Server-sent events: id is the event’s number, event its kind, data the event as in the activity. " +
			"Reconnect with Last-Event-ID to miss nothing. The stream ends when the token expires.",
	}, a.followEvents)
	register(a, operation{
		id: "read-log", method: http.MethodGet, path: "/stores/{id}/logs", tag: tagStreams, scope: store.ReadStores, content: []string{"text/plain", "application/x-ndjson"},
		summary: "Read or follow the log of a container", description: "Plain text, or one JSON object per line with Accept: application/x-ndjson. The store’s passwords are masked.",
	}, a.readLog)
}

// stream is an answer that goes on for as long as its token is good.
type stream struct {
	api *API
	who caller
	c   huma.Context
	out *http.ResponseController
	sub *database.Subscription

	writing sync.Mutex // of one message at a time
}

var errTooManyStreams = &v1.Problem{
	Status: http.StatusTooManyRequests, Code: string(store.Limited), Retry: whenBack,
	Detail: "Too many streams are open. Close another, or try again in a moment.",
}

// streaming begins an answer that goes on, which is written by run.
func (a *API) streaming(ctx context.Context, kind func(huma.Context) string, run func(context.Context, *stream)) (*huma.StreamResponse, error) {
	who := callerOf(ctx)
	leave, ok := a.Follow(who.User.ID)
	if !ok {
		return nil, errTooManyStreams
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		defer leave()
		s := &stream{api: a, who: who, c: c, out: http.NewResponseController(humaecho.Unwrap(c).Response()), sub: a.DB.Subscribe()}
		defer s.sub.Close()
		c.SetHeader("Content-Type", kind(c))
		c.SetHeader("X-Accel-Buffering", "no")
		c.SetStatus(http.StatusOK)
		if s.write(nil) == nil { // whoever waits for an answer knows at once that there is one
			run(c.Context(), s)
		}
		_ = s.extend() // the answer needs the time to end in order
	}}, nil
}

// write gives the reader the time of one message, and none of it stays behind.
func (s *stream) write(text []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.extend(); err != nil {
		return err
	}
	if _, err := s.c.BodyWriter().Write(text); err != nil {
		return err
	}
	return s.out.Flush()
}

func (s *stream) extend() error {
	return s.out.SetWriteDeadline(time.Now().Add(s.api.WriteTimeout))
}

// good reports whether the token still lets its user read on as at the beginning.
func (s *stream) good(ctx context.Context) bool {
	now, err := s.api.DB.TokenActor(ctx, s.who.secret, s.who.Actor.Address)
	return err == nil && now.Actor.Admin == s.who.Actor.Admin && now.Actor.Roles[s.who.Token.TeamID] == s.who.Actor.Roles[s.who.Token.TeamID]
}

type eventsInput struct {
	Last  int64  `header:"Last-Event-ID" default:"-1" doc:"Number of the last event received. The stream continues after it; by default it starts now."`
	Store string `query:"store" maxLength:"40" doc:"Only events of the store with this ID."`
}

func (a *API) followEvents(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	if in.Store != "" {
		if _, err := a.DB.FindStore(ctx, actorOf(ctx), in.Store); err != nil {
			return nil, err
		}
	}
	return a.streaming(ctx, func(huma.Context) string { return "text/event-stream" }, func(ctx context.Context, s *stream) {
		f := &follower{stream: s, store: in.Store, last: s.sub.After}
		if in.Last >= 0 {
			f.last = min(in.Last, s.sub.After)
		}
		f.run(ctx)
	})
}

// follower is one reader of the events.
type follower struct {
	*stream
	store string
	last  int64 // number of the newest event that was told, or passed over
}

func (f *follower) run(ctx context.Context) {
	if f.write([]byte("retry: 2000\n\n")) != nil || f.catchUp(ctx) != nil {
		return
	}
	beat := time.NewTicker(f.api.Heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.api.Ending:
			return
		case e, open := <-f.sub.Events:
			if !open || e.RightsOf() == f.who.User.ID && !f.good(ctx) || f.tell(e) != nil {
				return
			}
		case <-beat.C:
			if !f.good(ctx) || f.write([]byte(": still here\n\n")) != nil {
				return
			}
		}
	}
}

// catchUp tells what happened before the subscription began.
func (f *follower) catchUp(ctx context.Context) error {
	const many = 200
	for f.last < f.sub.After {
		events, err := f.api.DB.EventsAfter(ctx, f.who.Actor, f.last, f.store, many)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := f.tell(e); err != nil {
				return err
			}
		}
		if len(events) < many {
			return nil
		}
	}
	return nil
}

func (f *follower) tell(e store.Event) error {
	if e.Number <= f.last {
		return nil
	}
	f.last = e.Number
	if !f.who.Actor.Sees(e) || f.store != "" && f.store != e.StoreID {
		return nil
	}
	data, err := json.Marshal(eventOf(e.SeenBy(f.who.Actor)))
	if err != nil {
		return err
	}
	var message bytes.Buffer
	fmt.Fprintf(&message, "id: %d\nevent: %s\ndata: %s\n\n", e.Number, e.Kind, data)
	return f.write(message.Bytes())
}
