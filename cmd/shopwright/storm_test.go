package main_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

var seed = flag.Uint64("seed", 1, "of the storm: the same seed kills at the same requests and asks for the same things")

// storm is many stores whose program is killed again and again, in the midst of its work.
type storm struct {
	*process
	link   *kubetest.Link
	chance *rand.Rand
	mark   string
	asked  []string // slugs of the stores that somebody asked for
	unmade []string // and of those that somebody had deleted
	writes int      // about stores, in all lives
	worked int      // lives in which there was one at least
	struck int      // lives that ended at a request
}

const (
	stormKills  = 200
	stormStores = 50
	// stormWorked is in how many lives something must have been written: a program that is
	// always killed before it begins would hold through any storm.
	stormWorked = 100
)

// TestStormOfKills kills the program 200 times while 50 stores are opened and a part of them
// removed. In the end each is what was asked for, once, and nobody had to press anything.
func TestStormOfKills(t *testing.T) {
	t.Parallel()
	link := kubetest.NewLink(t)
	s := &storm{
		process: launch(t, link.Kubeconfig()), link: link, chance: rand.New(rand.NewPCG(*seed, 0)),
		mark: strings.ToLower(uuid.NewString()[24:]),
	}
	t.Logf("to repeat it: -run TestStormOfKills ./cmd/shopwright -seed %d", *seed)
	for kill := range stormKills {
		s.live(kill)
	}
	s.link.Inject(kubetest.NoFault)
	s.start()
	for _, slug := range s.asked {
		s.wantAsAsked(slug)
	}
	s.wantNothingElse()
	s.removeAll()
	wantNoDisks(t, s.mark)
}

// live is one life of the program, to its end.
func (s *storm) live(kill int) {
	s.t.Helper()
	before := len(s.link.Requests())
	f := s.draw()
	s.link.Inject(f.fault)
	connected := make(chan struct{})
	s.said.when("cluster is connected", func() { close(connected) })
	s.start()
	s.press(kill)
	if f.wait(s.t, connected) {
		s.struck++
	}
	s.kill()
	if n := s.written(s.link.Requests()[before:]); n > 0 {
		s.worked++
		s.writes += n
	}
}

func (s *storm) written(requests []kubetest.Request) (n int) {
	for _, r := range requests {
		if isStorms(r) {
			n++
		}
	}
	return n
}

func isStorms(r kubetest.Request) bool {
	return r.IsWrite() && (strings.Contains(r.Path, "/namespaces/store-storm-") || r.Path == "/api/v1/namespaces")
}

// fate is how a life ends: at a request, or some time after the program was connected, if
// there are fewer.
type fate struct {
	counts   func(kubetest.Request) bool
	nth      int
	arrives  bool // the request, but not its answer
	atLatest time.Duration

	mu     sync.Mutex
	seen   int
	struck chan struct{}
}

// draw lets most lives end in the midst of the work.
func (s *storm) draw() *fate {
	f := &fate{struck: make(chan struct{}), counts: isStorms, nth: 1 + s.chance.IntN(8)}
	if s.chance.IntN(5) == 0 { // while it looks around, or at any other time
		f.counts, f.nth = kubetest.All, 1+s.chance.IntN(80)
	}
	f.arrives, f.atLatest = s.chance.IntN(2) == 0, time.Duration(800+s.chance.IntN(800))*time.Millisecond
	return f
}

// fault lets nothing out from the fatal request on.
func (f *fate) fault(w http.ResponseWriter, r *http.Request, pass http.Handler) {
	over, now := f.count(kubetest.Request{Method: r.Method, Path: r.URL.Path})
	if endless := r.URL.Query().Has("watch"); now && f.arrives && !endless {
		pass.ServeHTTP(httptest.NewRecorder(), r)
	}
	if now {
		close(f.struck)
	}
	if over {
		<-r.Context().Done()
		return
	}
	pass.ServeHTTP(w, r)
}

// count reports whether life is over, and whether it ends with this request.
func (f *fate) count(r kubetest.Request) (over, now bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == f.nth {
		return true, false
	}
	if f.counts(r) {
		f.seen++
		return f.seen == f.nth, f.seen == f.nth
	}
	return false, false
}

// wait returns when it is time to die, and reports whether a request was the reason.
func (f *fate) wait(t *testing.T, connected <-chan struct{}) (struck bool) {
	t.Helper()
	select {
	case <-f.struck:
		return true
	case <-connected:
	case <-time.After(patience):
		t.Fatalf("the program is not connected within %s", patience)
	}
	select {
	case <-f.struck:
		return true
	case <-time.After(f.atLatest): // the time of death
		return false
	}
}

// press asks for something: stores first, then also for some of them to go.
func (s *storm) press(kill int) {
	s.t.Helper()
	if len(s.asked) < stormStores && (kill%3 == 0 || kill > stormKills/2) {
		slug := fmt.Sprintf("storm-%d-%s", len(s.asked), s.mark)
		s.post("/stores", storeForm(slug))
		s.asked = append(s.asked, slug)
	}
	if kill%10 == 9 {
		slug := s.asked[s.chance.IntN(len(s.asked))]
		if !slices.Contains(s.unmade, slug) {
			s.post(s.page(slug)+"/delete", url.Values{"confirm": {slug}})
			s.unmade = append(s.unmade, slug)
		}
	}
}

// wantAsAsked waits until the store has come to its end.
func (s *storm) wantAsAsked(slug string) {
	s.t.Helper()
	if slices.Contains(s.unmade, slug) {
		s.untilGone(s.page(slug))
		wantNoNamespace(s.t, slug)
		return
	}
	s.untilReady(s.page(slug))
	wantOneRelease(s.t, slug)
}

// wantNothingElse checks that there is a namespace for each store, and none beside.
func (s *storm) wantNothingElse() {
	s.t.Helper()
	var want []string
	for _, slug := range s.asked {
		if !slices.Contains(s.unmade, slug) {
			want = append(want, "store-"+slug)
		}
	}
	slices.Sort(want)
	if got := namespacesOf(s.t, s.mark); !slices.Equal(got, want) {
		s.t.Errorf("there are the namespaces %v, want %v", got, want)
	}
	s.t.Logf("seed %d: %d kills over %d stores, %d of them removed meanwhile; %d lives ended at a request, %d wrote about stores, %d times in all",
		*seed, stormKills, len(s.asked), len(s.unmade), s.struck, s.worked, s.writes)
	if len(s.asked) != stormStores || s.worked < stormWorked {
		s.t.Errorf("it was no storm: %d stores, and %d lives in which anything was written", len(s.asked), s.worked)
	}
}

func (s *storm) removeAll() {
	s.t.Helper()
	for _, slug := range s.asked {
		if status, _ := s.get(s.page(slug)); status == http.StatusOK {
			s.post(s.page(slug)+"/delete", url.Values{"confirm": {slug}})
		}
	}
	for _, slug := range s.asked {
		s.untilGone(s.page(slug))
	}
}
