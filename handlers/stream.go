package handlers

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

const (
	heartbeat    = 15 * time.Second // below the 60 s after which proxies cut a silent connection
	writeTimeout = 10 * time.Second // of one message to a reader who has stopped reading
	gather       = 60 * time.Millisecond
)

// part is one piece of a page that can be replaced by itself. What has no component is only
// remembered, since another part contains it.
type part struct {
	target    string
	component templ.Component
	contained bool
}

// live is a page as its stream sees it.
type live interface {
	// parts draws what the page shows now.
	parts(ctx context.Context) ([]part, error)
	// concerns reports whether an event that the visitor may see can change the page.
	concerns(e store.Event) bool
	// cluster subscribes anew to what the cluster says, as often as the connection to it
	// changes.
	cluster() (changed <-chan struct{}, cancel func())
}

// stream keeps one page up to date for as long as it is open. Every message brings parts
// to what they are now, so that nothing is lost by missing one; its id is the number of the
// newest event that it takes in.
func (a *App) stream(c echo.Context) error {
	page, err := a.livePage(c)
	if err != nil {
		return err
	}
	s := &streamer{App: a, page: page, who: visitorOf(c), out: http.NewResponseController(c.Response()), response: c.Response(), sent: map[string]uint64{}, seed: maphash.MakeSeed()}
	header := c.Response().Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no")
	return s.run(c.Request().Context(), seenBy(c.Request()))
}

// seenBy is the newest event that the browser knows: from an earlier stream, or from the
// page itself.
func seenBy(r *http.Request) int64 {
	for _, text := range []string{r.Header.Get("Last-Event-ID"), r.URL.Query().Get("since")} {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	}
	return -1
}

func (a *App) livePage(c echo.Context) (live, error) {
	who := visitorOf(c)
	switch c.QueryParam("view") {
	case "stores":
		return &liveList{App: a, who: who, query: parseListQuery(c.QueryParams())}, nil
	case "store":
		st, err := a.DB.FindStore(c.Request().Context(), who.Actor, c.QueryParam("id"))
		if err != nil {
			return nil, err
		}
		return &liveStore{App: a, who: who, st: st, tab: views.Tab(c.QueryParam("tab"))}, nil
	}
	return nil, echo.ErrNotFound
}

// streamer writes one stream.
type streamer struct {
	*App
	page     live
	who      visitor
	out      *http.ResponseController
	response *echo.Response
	sent     map[string]uint64 // what the browser has, by target
	seed     maphash.Seed
	number   int64 // of the newest event taken in
}

func (s *streamer) run(ctx context.Context, seen int64) error {
	sub := s.DB.Subscribe()
	defer sub.Close()
	linked, unlink := s.Provisioner.SubscribeCluster()
	defer unlink()
	changed, cancel := s.page.cluster()
	defer func() { cancel() }()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	if err := s.begin(ctx, seen); err != nil {
		return err
	}
	due := time.NewTimer(time.Hour)
	due.Stop()
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.closing:
			return nil
		case e, open := <-sub.Events:
			if !open || s.ended(ctx, e) {
				return nil // the browser comes back and sees the whole
			}
			s.number = e.Number
			if s.who.Actor.Sees(e) && s.page.concerns(e) {
				due.Reset(gather)
			}
		case <-linked:
			cancel()
			changed, cancel = s.page.cluster()
			due.Reset(gather)
		case <-changed:
			due.Reset(gather)
		case <-beat.C:
			if s.signedOut(ctx) || s.write([]byte(": still here\n\n")) != nil {
				return nil
			}
		case <-due.C:
			if s.send(ctx, false) != nil {
				return nil // the answer has begun: all that is left is to end it
			}
		}
	}
}

// begin answers, and brings a browser up to date that may have missed something.
func (s *streamer) begin(ctx context.Context, seen int64) error {
	last, err := s.DB.LastEvent(ctx)
	if err != nil {
		return err
	}
	s.number = last
	s.response.WriteHeader(http.StatusOK)
	if err := s.write([]byte("retry: 2000\n\n")); err != nil {
		return nil //nolint:nilerr // the browser is gone
	}
	if err := s.send(ctx, seen == last); err != nil {
		s.Log.Error("draw the first message of a stream", "error", err)
	}
	return nil
}

// ended reports whether the event took the visitor's right to this stream away.
func (s *streamer) ended(ctx context.Context, e store.Event) bool {
	return e.Kind == store.SignedOut && e.ActorID == s.who.User.ID && s.signedOut(ctx)
}

func (s *streamer) signedOut(ctx context.Context) bool {
	_, err := s.DB.Session(ctx, s.who.sessionID)
	return store.ErrorCode(err) == store.NotFound
}

// send writes the parts that differ from what the browser has. When the browser has just
// drawn the page it has all that comes from the records already.
func (s *streamer) send(ctx context.Context, fresh bool) error {
	parts, err := s.page.parts(ctx)
	if err != nil {
		return err
	}
	var message bytes.Buffer
	for _, p := range parts {
		if err := s.add(ctx, &message, p, fresh); err != nil {
			return err
		}
	}
	if message.Len() == 0 {
		return nil
	}
	return s.write(frame(s.number, message.Bytes()))
}

func (s *streamer) add(ctx context.Context, message *bytes.Buffer, p part, fresh bool) error {
	var drawn bytes.Buffer
	if err := p.component.Render(ctx, &drawn); err != nil {
		return fmt.Errorf("draw %s: %w", p.target, err)
	}
	sum := maphash.Bytes(s.seed, drawn.Bytes())
	if s.sent[p.target] == sum {
		return nil
	}
	s.sent[p.target] = sum
	if p.contained || fresh {
		return nil
	}
	return views.Partial("#"+p.target, "outerMorph", templ.Raw(drawn.String())).Render(ctx, message)
}

func (s *streamer) write(text []byte) error {
	if err := s.out.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if _, err := s.response.Write(text); err != nil {
		return err
	}
	return s.out.Flush()
}

// frame is a message as the standard of server-sent events has it: a line of data for each
// line of text.
func frame(number int64, text []byte) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "id: %d\n", number)
	for line := range bytes.Lines(text) {
		out.WriteString("data: ")
		out.Write(bytes.TrimRight(line, "\r\n"))
		out.WriteByte('\n')
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// clusterParts are those that every page shows of the cluster.
func clusterParts(state provisioner.ClusterState) []part {
	c := clusterView(state)
	return []part{
		{target: "cluster-pill", component: views.ClusterPill(c)},
		{target: "cluster-notice", component: views.ClusterNotice(c)},
	}
}
