package handlers_test

import (
	"bufio"
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// patience bounds how long a test waits for what takes seconds on a machine that has nothing
// else to do.
const patience = 15 * time.Minute

// message is one of a stream's messages.
type message struct {
	id    int64
	event string // the id as it stands
	data  string
}

// targets are the parts that the message replaces.
func (m message) targets() string {
	var all []string
	for _, after := range strings.Split(m.data, `hx-target="#`)[1:] {
		target, _, _ := strings.Cut(after, `"`)
		all = append(all, target)
	}
	return strings.Join(all, " ")
}

// reader follows a stream as a browser does.
type reader struct {
	t        *testing.T
	messages chan message // closed when the stream ends
}

// follow opens the stream of a page that shows everything up to that event.
func (s site) follow(b *http.Client, query string, seen int64) reader {
	s.t.Helper()
	return s.listen(b, "/events?"+query, http.Header{"Last-Event-Id": {strconv.FormatInt(seen, 10)}})
}

// listen opens the stream at that address.
func (s site) listen(b *http.Client, path string, header http.Header) reader {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	s.t.Cleanup(cancel)
	r := s.request(http.MethodGet, path, nil).WithContext(ctx)
	maps.Copy(r.Header, header)
	response, err := b.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || response.Header.Get("X-Accel-Buffering") != "no" || response.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("the stream answers %s with %v", response.Status, response.Header)
	}
	messages := make(chan message)
	go func() {
		defer close(messages)
		defer func() { _ = response.Body.Close() }()
		readMessages(ctx, bufio.NewReader(response.Body), messages)
	}()
	return reader{t: s.t, messages: messages}
}

func readMessages(ctx context.Context, from *bufio.Reader, to chan<- message) {
	var m message
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			return
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch {
		case field == "id":
			m.event = value
			m.id, _ = strconv.ParseInt(value, 10, 64)
		case field == "data":
			m.data += value + "\n"
		case field == "" && m.data != "":
			select {
			case to <- m:
			case <-ctx.Done():
				return
			}
			m = message{}
		}
	}
}

// until reads messages until one has the text, and returns it.
func (r reader) until(text string) message {
	r.t.Helper()
	all := r.through(text)
	return all[len(all)-1]
}

// sayingThrough is all that is said up to the text and with it, in however many messages.
func (r reader) sayingThrough(text string) (said string) {
	r.t.Helper()
	for _, m := range r.through(text) {
		said += m.data
	}
	return said
}

// through reads messages to the first that has the text.
func (r reader) through(text string) (all []message) {
	r.t.Helper()
	bound := time.After(patience)
	for {
		select {
		case m, open := <-r.messages:
			if !open {
				r.t.Fatalf("the stream ended before it said %q", text)
			}
			if all = append(all, m); strings.Contains(m.data, text) {
				return all
			}
		case <-bound:
			r.t.Fatalf("the stream does not say %q", text)
		}
	}
}

// untilEnd reads until the stream ends, and returns all that it still said.
func (r reader) untilEnd() (said string) {
	r.t.Helper()
	bound := time.After(patience)
	for {
		select {
		case m, open := <-r.messages:
			if !open {
				return said
			}
			said += m.data
		case <-bound:
			r.t.Fatal("the stream goes on")
		}
	}
}

func (s site) lastEvent() int64 {
	s.t.Helper()
	last, err := s.db.LastEvent(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return last
}

// work claims the next store in the queue, as the platform does.
func (s site) work() store.Claim {
	s.t.Helper()
	claim, ok, err := s.db.Claim(s.t.Context(), "test", time.Hour, store.Concurrency{})
	if err != nil || !ok {
		s.t.Fatalf("claim a store: %v, %v", ok, err)
	}
	return claim
}

func (s site) advance(c *store.Claim, p store.Progress) {
	s.t.Helper()
	st, err := s.db.Advance(s.t.Context(), *c, p)
	if err != nil {
		s.t.Fatal(err)
	}
	c.Store = st
}

func TestStreamBringsWhatChangedOnly(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	first, second := strings.TrimPrefix(s.create(b, "First"), "/stores/"), strings.TrimPrefix(s.create(b, "Second"), "/stores/")
	list := s.follow(b, "view=stores", 0)
	if got := list.until("First").targets(); got != "cluster-pill cluster-notice stores-count status-tabs store-rows" {
		t.Errorf("who knows nothing is told %s", got)
	}
	page := s.follow(b, "view=store&tab=overview&id="+first, 0)
	page.until("First")

	claim := s.work()
	s.advance(&claim, store.Progress{Step: store.StepNamespace, Note: store.Quote("so far so good")})
	told := list.until("so far so good")
	if told.targets() != "store-"+first || strings.Contains(told.data, second) {
		t.Errorf("a step of one store replaces %s", told.targets())
	}
	if last := s.lastEvent(); told.id != last {
		t.Errorf("the message takes in event %d, and has id %d", last, told.id)
	}
	page.until("so far so good")

	if _, err := s.db.Complete(t.Context(), claim, store.Opened{URL: "http://first.localhost"}); err != nil {
		t.Fatal(err)
	}
	if got := list.until(`data-status="ready"`).targets(); got != "status-tabs store-"+first {
		t.Errorf("a store that became ready replaces %s", got)
	}
	s.create(b, "<script>alert(1)</script>")
	if got := list.until("&lt;script&gt;alert(1)").targets(); got != "stores-count status-tabs store-rows" {
		t.Errorf("a new store replaces %s", got)
	}
}

func TestFrameOfPagesThatDoNotLive(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	page := s.create(b, "Shop")
	for _, page := range []string{"/activity", "/account", "/stores/new", page + "/delete"} {
		stream := streamOf.FindStringSubmatch(s.get(b, page).body)
		if stream == nil || !strings.HasPrefix(stream[1], "/events?") || !strings.Contains(stream[1], "since=") || !strings.Contains(stream[1], "view=frame") {
			t.Errorf("%s has the stream %q", page, stream)
		}
	}
	frame := s.follow(b, "view=frame", -1)
	if got := frame.until("cluster-pill").targets(); got != "cluster-pill cluster-notice stores-count" {
		t.Errorf("a frame consists of %s", got)
	}
	claim := s.work()
	s.advance(&claim, store.Progress{Step: store.StepNamespace, Note: store.Quote("one step")})
	s.create(b, "Another")
	if m := frame.until("stores-count"); m.targets() != "stores-count" || !strings.Contains(m.data, ">2<") {
		t.Errorf("a new store is told by %s", m.data)
	}
}

func TestStreamBeginsWhereThePageEnds(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	s.create(b, "First")
	claim := s.work()
	known := s.follow(b, "view=stores", s.lastEvent())
	if got := known.until("cluster-pill").targets(); got != "cluster-pill cluster-notice" {
		t.Errorf("who has seen everything is told %s", got)
	}
	before := s.lastEvent()
	s.advance(&claim, store.Progress{Step: store.StepNamespace, Note: store.Quote("one step")})
	known.until("one step")
	if got := s.follow(b, "view=stores", before).until("one step").targets(); got != "cluster-pill cluster-notice store-"+claim.Store.ID {
		t.Errorf("who missed a step of one store is told %s", got)
	}
	if m := s.follow(b, "view=stores&status=ready", before).until("cluster-pill"); strings.Contains(m.data, "one step") {
		t.Error("a store is told to a page that filters it out")
	}
}

func TestChangesWithoutAPauseAreTold(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	s.create(b, "Shop")
	list := s.follow(b, "view=stores", s.lastEvent())
	list.until("cluster-pill")
	claim := s.work()
	told := 0
	for n := 0; told < 3; n++ {
		s.advance(&claim, store.Progress{Step: store.StepNamespace, Note: store.Quote("at " + strconv.Itoa(n))})
		select {
		case <-list.messages:
			told++
		default:
		}
		if n == 20_000 {
			t.Fatal("nothing is told while changes go on")
		}
	}
}

func TestSignOutEndsStreamsOfThatSession(t *testing.T) {
	t.Parallel()
	s := serve(t)
	leaving, staying := s.developer(), s.developer()
	ends, goesOn := s.follow(leaving, "view=stores", -1), s.follow(staying, "view=stores", -1)
	ends.until("store-rows")
	goesOn.until("store-rows")
	s.post(leaving, "/sign-out", nil)
	s.create(staying, "Afterwards")
	if said := ends.untilEnd(); strings.Contains(said, "Afterwards") {
		t.Error("the stream shows what came after the sign-out")
	}
	goesOn.until("Afterwards")
}

// share makes the developer a member of a team that has a store, and returns what it takes
// to end that.
func (s site) share(b *http.Client) (page string, remove func()) {
	s.t.Helper()
	s.get(b, "/stores")
	id, err := s.db.SignIn(s.t.Context(), store.Identity{Provider: "development login", Subject: "developer"}, store.Browser{})
	if err != nil {
		s.t.Fatal(err)
	}
	developer, err := s.db.Session(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	page = s.foreign()
	owner, team := storetest.Actor(s.t, s.db, "somebody else")
	if err := s.db.AddMember(s.t.Context(), owner, team, developer.User.ID, store.Viewer); err != nil {
		s.t.Fatal(err)
	}
	return page, func() {
		s.t.Helper()
		if err := s.db.RemoveMember(s.t.Context(), owner, team, developer.User.ID); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestLostMembershipEndsStreams(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	page, remove := s.share(b)
	address := "view=store&tab=overview&id=" + strings.TrimPrefix(page, "/stores/")
	list, one := s.follow(b, "view=stores", -1), s.follow(b, address, -1)
	list.until("Theirs")
	one.until("Theirs")
	seen := s.lastEvent()
	remove()
	claim := s.work()
	s.advance(&claim, store.Progress{Step: store.StepNamespace, Note: store.Quote("none of your business")})
	if said := list.untilEnd() + one.untilEnd(); strings.Contains(said, "none of your business") {
		t.Error("the streams show a store of a team that was lost")
	}
	if m := s.follow(b, "view=stores", seen).until("store-rows"); strings.Contains(m.data, "Theirs") {
		t.Error("the list that comes back has the lost store")
	}
	if got := s.get(b, "/events?"+address); got.status != http.StatusNotFound {
		t.Errorf("the lost store's stream comes back: %d", got.status)
	}
}

func TestGainedMembershipIsShown(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	list := s.follow(b, "view=stores", -1)
	list.until("store-rows")
	seen := s.lastEvent()
	s.share(b)
	list.untilEnd()
	s.follow(b, "view=stores", seen).until("Theirs")
}

func TestEndOfTheSessionEndsStreams(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	soon := time.Now().Add(10 * time.Second).UnixMicro() // time enough to open the stream
	s.change(`UPDATE sessions SET expires_at = $1`, soon)
	s.follow(b, "view=stores", -1).untilEnd()
	if got := s.get(b, "/events?view=stores"); got.status != http.StatusUnauthorized {
		t.Errorf("the stream comes back after the session: %d", got.status)
	}
}

// narrow makes connections hold little that was not read.
type narrow struct{ net.Listener }

func (n narrow) Accept() (net.Conn, error) {
	conn, err := n.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(4096)
	}
	return conn, err
}

// openNarrow serves the site to readers who must read, and tells the addresses of those
// whose connection it gave up.
func openNarrow(s site) (_ site, closed chan string) {
	s.t.Helper()
	s.app.SetWriteTimeout(300 * time.Millisecond)
	server := httptest.NewUnstartedServer(s.app.Handler())
	server.Listener = narrow{server.Listener}
	closed = make(chan string, 100)
	server.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- conn.RemoteAddr().String()
		}
	}
	server.Start()
	s.t.Cleanup(func() { s.app.Drain(); server.Close() })
	s.url = server.URL
	return s, closed
}

func TestWhoStopsReadingIsDroppedAndComesBackWhole(t *testing.T) {
	t.Parallel()
	s, closed := openNarrow(prepare(t))
	b := s.developer()
	s.create(b, "Shop")
	seen := s.lastEvent()

	stalled := s.stall(b, "/events?view=stores")
	reading := s.follow(b, "view=stores", seen)
	claim := s.work()
	bound := time.After(patience)
	for n := 0; ; n++ {
		text := "at " + strconv.Itoa(n)
		s.advance(&claim, store.Progress{Step: store.StepNamespace, Note: store.Quote(text)})
		if m := reading.until("at "); m.id == 0 { // others are not held up
			t.Fatal("a message without an id")
		}
		select {
		case address := <-closed:
			if address == stalled {
				s.follow(b, "view=stores", seen).until(text)
				return
			}
		case <-bound:
			t.Fatal("a reader who stopped reading is kept")
		default:
		}
	}
}

// stall opens a stream, never reads from it, and returns from which address.
func (s site) stall(b *http.Client, path string) (address string) {
	s.t.Helper()
	home, err := url.Parse(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	conn, err := net.Dial("tcp", home.Host)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.(*net.TCPConn).SetReadBuffer(4096)
	r := s.request(http.MethodGet, path, nil)
	for _, c := range b.Jar.Cookies(home) {
		r.AddCookie(c)
	}
	if err := r.Write(conn); err != nil {
		s.t.Fatal(err)
	}
	return conn.LocalAddr().String()
}

func TestShutdownDoesNotWaitForReaders(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: s.app.Handler(), ReadHeaderTimeout: patience}
	server.RegisterOnShutdown(s.app.Drain)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	s.url = "http://" + listener.Addr().String()
	b := s.developer()
	streams := make([]reader, 100)
	for i := range streams {
		streams[i] = s.follow(b, "view=stores&page="+strconv.Itoa(i%5), -1)
		streams[i].until("store-rows")
	}
	// Readers would stay for as long as it may take.
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Errorf("the shutdown waits for readers: %v", err)
	}
	for _, r := range streams {
		r.untilEnd()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}
