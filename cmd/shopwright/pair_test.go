package main_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// replica is one of several programs on the same records, with a way of its own to the
// cluster.
type replica struct {
	*process
	link     *kubetest.Link
	database string
}

// replicas prepares two programs on one Postgres.
func replicas(t *testing.T) []replica {
	t.Helper()
	_, database := server(t)
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32)) // a session is good at all of them
	var all []replica
	for range 2 {
		link := kubetest.NewLink(t)
		r := replica{process: launch(t, link.Kubeconfig()), link: link, database: database}
		r.env = append(r.env, "SHOPWRIGHT_DATABASE_URL="+database, "SHOPWRIGHT_SECRET_KEY="+key)
		all = append(all, r)
	}
	return all
}

func (r replica) signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// TestSleepingHolderIsReplaced lets a program fall asleep in the midst of its work on a
// store. Another one takes over when the lease is over; the first must not touch the store
// again when it wakes up, not even with what it was about to send.
func TestSleepingHolderIsReplaced(t *testing.T) {
	t.Parallel()
	for name, fallsAsleep := range map[string]func(sleeper replica, slug string){
		"in the midst of a release": func(sleeper replica, slug string) {
			held := sleeper.link.Hold(makes("store-"+slug, "statefulsets")) // one alone, when others are made already
			sleeper.create("Sleepy", slug)
			held.Wait()
			sleeper.signal(syscall.SIGSTOP)
		},
		"while it waits": func(sleeper replica, slug string) {
			kubetest.Simulate(sleeper.t, "store-"+slug, "job-duration=5m")
			sleeper.until(sleeper.create("Sleepy", slug), "at work", at("Setup"))
			sleeper.signal(syscall.SIGSTOP)
			kubetest.Simulate(sleeper.t, "store-"+slug, "job-duration=none")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pair := replicas(t)
			first, second := pair[0], pair[1]
			slug := "sleepy-" + strings.ToLower(uuid.NewString()[24:])
			first.start()
			fallsAsleep(first, slug)

			second.start()
			second.untilReady(second.page(slug))
			wantOneRelease(t, slug)
			stopped := first.said.expect(t, "msg=stopped")
			awake := time.Now() // what comes before was on its way when it fell asleep
			first.signal(syscall.SIGCONT)
			stopped()
			first.opensAnother(slug)
			for _, write := range first.link.Writes("store-" + slug) {
				if write.At.After(awake) {
					t.Errorf("awake again it sent %s %s", write.Method, write.Path)
				}
			}
			wantOneRelease(t, slug)
			second.removeStore(slug, "Sleepy")
		})
	}
}

// opensAnother shows that the program is of use, and gives it time to do what it must not.
func (r replica) opensAnother(slug string) {
	r.t.Helper()
	r.link.Inject(kubetest.NoFault)
	r.untilReady(r.create("Another", slug+"-2"))
	r.removeStore(slug+"-2", "Another")
}

func (p *process) removeStore(slug, name string) {
	p.t.Helper()
	p.post(p.page(slug)+"/delete", url.Values{"confirm": {name}})
	p.untilGone(p.page(slug))
	wantNoNamespace(p.t, slug)
}

// makes selects the requests that make an object of that kind in the namespace.
func makes(namespace, resource string) func(kubetest.Request) bool {
	return func(r kubetest.Request) bool {
		return r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/namespaces/"+namespace+"/"+resource)
	}
}

// TestTwoProgramsShareTheWork asks two programs on one Postgres for ten stores at once. Each
// store is opened by one of them only, and once.
func TestTwoProgramsShareTheWork(t *testing.T) {
	t.Parallel()
	pair, mark := replicas(t), strings.ToLower(uuid.NewString()[24:])
	for _, r := range pair {
		r.startConnected()
	}
	var slugs []string
	var asking sync.WaitGroup
	for n := range 10 {
		slug := fmt.Sprintf("pair-%d-%s", n, mark)
		slugs = append(slugs, slug)
		asking.Go(func() { pair[n%2].try("/stores", storeForm(slug)) })
	}
	asking.Wait()
	opened := [2]int{}
	for n, slug := range slugs {
		asked := pair[n%2]
		asked.untilReady(asked.page(slug))
		wantOneRelease(t, slug)
		opened[wantOneWorker(t, pair, slug)]++
	}
	t.Logf("one opened %d stores, the other %d", opened[0], opened[1])
	for n, slug := range slugs {
		pair[n%2].post(pair[n%2].page(slug)+"/delete", url.Values{"confirm": {slug}})
	}
	for n, slug := range slugs {
		pair[n%2].untilGone(pair[n%2].page(slug))
		wantNoNamespace(t, slug)
	}
}

// startConnected starts the program and waits until it is ready to work.
func (r replica) startConnected() {
	r.t.Helper()
	connected := r.said.expect(r.t, "cluster is connected")
	r.start()
	connected()
}

// wantOneWorker checks that one program only wrote to the store's namespace, and that it
// wrote nothing twice. It returns which one.
func wantOneWorker(t *testing.T, pair []replica, slug string) (worker int) {
	t.Helper()
	first, second := pair[0].link.Writes("store-"+slug), pair[1].link.Writes("store-"+slug)
	if len(first) > 0 && len(second) > 0 {
		t.Errorf("both worked on %s, with %d and %d writes", slug, len(first), len(second))
	}
	made := map[string]int{}
	for _, r := range append(first, second...) {
		if r.Method == http.MethodPost {
			made[r.Path]++
		}
	}
	if n := made["/apis/apps/v1/namespaces/store-"+slug+"/statefulsets"]; n != 1 {
		t.Errorf("the stateful set of %s was made %d times", slug, n)
	}
	if len(first) == 0 {
		return 1
	}
	return 0
}

// TestSignOutEndsStreamsOfOtherPrograms signs out at one program while a stream is open at
// another one.
func TestSignOutEndsStreamsOfOtherPrograms(t *testing.T) {
	t.Parallel()
	pair := replicas(t)
	first, second := pair[0], pair[1]
	first.start()
	second.startSignedOut()
	second.client = first.client // the same browser
	stream := second.follow("/events?view=stores")
	first.post("/sign-out", nil)
	select {
	case <-stream:
	case <-time.After(patience):
		t.Fatalf("the stream is open %s after its session has ended", patience)
	}
	if status, _ := second.get("/stores"); status != http.StatusSeeOther {
		t.Errorf("the session lives on: %d", status)
	}
}

// follow opens a stream and returns when its first message is there; the channel is closed
// when the stream ends.
func (p *process) follow(path string) (ended <-chan struct{}) {
	p.t.Helper()
	client := &http.Client{Jar: p.client.Jar} // whose requests may last
	response, err := client.Get(p.url + path)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = response.Body.Close() })
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "id:") {
	}
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(lines.Text(), "id:") {
		p.t.Fatalf("GET %s: %s, %q, %v", path, response.Status, lines.Text(), lines.Err())
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		for lines.Scan() {
		}
	}()
	return over
}
