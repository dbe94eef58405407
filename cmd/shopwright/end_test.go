package main_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// graceOfRecipes is what charts and recipes give the program to end.
const graceOfRecipes = 45 * time.Second

// TestEndsInOrder sends SIGTERM in the middle of the work, with a stream open. The program
// says first that it is not ready any more, and still answers; then it ends the stream,
// hands over, and is out within its grace period.
func TestEndsInOrder(t *testing.T) {
	t.Parallel()
	slug := "term-" + strings.ToLower(uuid.NewString()[24:])
	kubetest.Simulate(t, "store-"+slug, "start-delay=10m")
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.env = append(p.env, "SHOPWRIGHT_END_DELAY=15s")
	p.start()
	page := p.create("Ended", slug)
	p.until(page, "at work", at("Workloads"))
	stream, err := p.client.Get(p.url + "/events?view=stores")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	streamed := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, stream.Body); close(streamed) }()

	ending := p.said.expect(t, `msg="shutting down"`)
	began := time.Now()
	p.terminate()
	ending()
	p.goesOnWhileItLeaves()
	select {
	case <-streamed:
		t.Error("the stream has ended while requests are still taken")
	default:
	}
	if code := p.ended(); code != 0 {
		t.Errorf("the program ended with %d", code)
	}
	<-streamed
	if took := time.Since(began); took > graceOfRecipes {
		t.Errorf("it took %s to end", took)
	}
	if late := p.said.with("close open requests"); len(late) > 0 { // a reader does not hold it up
		t.Errorf("it says %q", late)
	}

	kubetest.Simulate(t, "store-"+slug, "start-delay=none")
	p.start()
	p.untilReady(page)
	p.post(page+"/delete", url.Values{"confirm": {"Ended"}})
	p.untilGone(page)
}

// goesOnWhileItLeaves wants a program that has been told to end to say so where proxies ask,
// and to answer people on new connections all the same.
func (p *process) goesOnWhileItLeaves() {
	p.t.Helper()
	p.client.CloseIdleConnections()
	for path, want := range map[string]int{"/readyz": http.StatusServiceUnavailable, "/healthz": http.StatusOK, "/stores": http.StatusOK} {
		if status, body, err := p.fetch(path); err != nil || status != want {
			p.t.Errorf("%s of a program that leaves: %d %.200s, %v", path, status, body, err)
		}
	}
}

// TestHandsOverWhenItEnds ends the one of two programs that works on a store. Its claim is
// free when it is gone, while the other one sleeps and can have taken nothing; awake again
// that goes on at once.
func TestHandsOverWhenItEnds(t *testing.T) {
	t.Parallel()
	pair, slug := replicas(t), "hand-"+strings.ToLower(uuid.NewString()[24:])
	first, second := pair[0], pair[1]
	kubetest.Simulate(t, "store-"+slug, "start-delay=10m")
	first.startConnected()
	page := first.create("Handed over", slug)
	first.until(page, "at work", at("Workloads"))
	if holder := first.holder(slug); holder == "" {
		t.Fatal("nobody holds a store that is worked on")
	}
	second.startConnected()
	second.signal(syscall.SIGSTOP)
	if code := first.stop(); code != 0 {
		t.Errorf("the program ended with %d", code)
	}
	if holder := first.holder(slug); holder != "" {
		t.Errorf("%s holds the store, and is gone", holder)
	}
	second.signal(syscall.SIGCONT)
	eventually(t, "held by the other", func() bool { return second.holder(slug) != "" })
	kubetest.Simulate(t, "store-"+slug, "start-delay=none")
	second.untilReady(page)
	wantOneRelease(t, slug)
	second.removeStore(slug, "Handed over")
}

// holder is who has claimed the store, as the database says; nobody is empty.
func (r replica) holder(slug string) (holder string) {
	r.t.Helper()
	conn, err := pgx.Connect(r.t.Context(), r.database)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = conn.Close(r.t.Context()) }()
	if err := conn.QueryRow(r.t.Context(), `SELECT j.holder FROM jobs j JOIN stores s ON s.job_id = j.id WHERE s.slug = $1`, slug).Scan(&holder); err != nil {
		r.t.Fatal(err)
	}
	return holder
}
