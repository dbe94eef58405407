package main_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

var seed = flag.Uint64("seed", 1, "of the storm: the same seed kills after the same times and asks for the same things")

// storm is many stores whose program is killed again and again, at any time.
type storm struct {
	*process
	chance *rand.Rand
	mark   string
	asked  []string // slugs of the stores that somebody asked for
	unmade []string // and of those that somebody had deleted
}

const (
	stormKills  = 200
	stormStores = 50
)

// TestStormOfKills kills the program 200 times while 50 stores are opened and a part of them
// removed. In the end each is what was asked for, once, and nobody had to press anything.
func TestStormOfKills(t *testing.T) {
	t.Parallel()
	s := &storm{
		process: launch(t, kubetest.PlatformKubeconfig(t)), chance: rand.New(rand.NewPCG(*seed, 0)),
		mark: strings.ToLower(uuid.NewString()[24:]),
	}
	for kill := range stormKills {
		s.start()
		s.press(kill)
		time.Sleep(time.Duration(s.chance.IntN(350)) * time.Millisecond) // the time of death
		s.kill()
	}
	s.start()
	for _, slug := range s.asked {
		s.wantAsAsked(slug)
	}
	s.wantNothingElse()
	s.removeAll()
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
	s.t.Logf("seed %d: %d kills over %d stores, %d of them removed meanwhile", *seed, stormKills, len(s.asked), len(s.unmade))
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
