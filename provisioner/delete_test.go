package provisioner_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// TestDeleteAtEveryWriteOfACreate asks for the deletion of a store while its first write is
// on the way, of another while its second one is, and so on. Nothing may be left of any.
func TestDeleteAtEveryWriteOfACreate(t *testing.T) {
	t.Parallel()
	p, link := startOn(t)
	whole := p.request(t, "Whole")
	p.wantReady(t, whole)
	writes := 1 + len(link.Writes(whole.Namespace)) // the making of the namespace has not its name in the path
	unwanted := []store.Store{whole}
	for n := 1; n <= writes; n++ {
		namespace := store.Namespace(store.ProposeSlug(fmt.Sprintf("Write %d %s", n, p.mark)))
		held := link.Hold(nthWrite(namespace, n))
		st := p.request(t, fmt.Sprintf("Write %d", n))
		held.Wait()
		p.askDelete(t, st)
		held.Release()
		unwanted = append(unwanted, st)
	}
	p.askDelete(t, whole)
	for _, st := range unwanted {
		p.untilGone(t, st)
	}
	for _, st := range unwanted { // nothing came back meanwhile either
		p.wantGone(t, st)
	}
	t.Logf("deleted at each of %d writes", writes)
}

// nthWrite selects one request: the nth that changes something about the namespace, the
// making of a namespace being the first.
func nthWrite(namespace string, n int) func(kubetest.Request) bool {
	var writes atomic.Int64
	return func(r kubetest.Request) bool {
		about := r.About(namespace) || r.Path == "/api/v1/namespaces"
		return r.IsWrite() && about && writes.Add(1) == int64(n)
	}
}

// TestDeleteWhileWaiting asks for the deletion of stores that are waited for, by which
// nothing is written.
func TestDeleteWhileWaiting(t *testing.T) {
	t.Parallel()
	p := start(t)
	for step, hindrance := range map[store.Step][]string{
		store.StepWorkloads: {"start-delay=10m"},
		store.StepSetup:     {"job-duration=10m"},
	} {
		t.Run(string(step), func(t *testing.T) {
			t.Parallel()
			name := "Waits at " + string(step)
			kubetest.Simulate(t, store.Namespace(store.ProposeSlug(name+" "+p.mark)), hindrance...)
			st := p.request(t, name)
			p.until(t, st.ID, "at "+string(step), func(now store.Store) bool { return now.Step == step })
			p.askDelete(t, st)
			p.untilGone(t, st)
		})
	}
}

func (p *platform) askDelete(t *testing.T, st store.Store) {
	t.Helper()
	if _, err := p.db.RequestDelete(t.Context(), p.actor, st.ID); err != nil {
		t.Fatal(err)
	}
}

// untilGone waits until the store is deleted, and checks that it went without a trace.
func (p *platform) untilGone(t *testing.T, st store.Store) {
	t.Helper()
	p.until(t, st.ID, "gone", func(st store.Store) bool { return st.Status == store.Deleted })
	p.wantGone(t, st)
}

// TestWhatChangesWhileLookingIsSeen empties a store's namespace between two looks of the
// same turn: the first one still finds pods, and nothing changes any more after the second.
func TestWhatChangesWhileLookingIsSeen(t *testing.T) {
	t.Parallel()
	p, link := startOn(t)
	st := p.wantReady(t, p.request(t, "Unseen"))
	held := link.Hold(func(r kubetest.Request) bool {
		emptied := slices.ContainsFunc(link.Writes(st.Namespace), func(r kubetest.Request) bool {
			return r.Method == http.MethodDelete && strings.HasSuffix(r.Path, "/persistentvolumeclaims")
		})
		return emptied && r.Method == http.MethodGet && strings.HasSuffix(r.Path, "/namespaces/"+st.Namespace)
	})
	p.askDelete(t, st)
	held.Wait()
	within(t, "the watches see an empty namespace", func() bool {
		s, _ := p.Snapshot(st)
		return len(s.Pods)+len(s.Volumes) == 0
	})
	released := time.Now()
	held.Release()
	p.untilGone(t, st)
	writes := link.Writes(st.Namespace)
	if took := writes[len(writes)-1].At.Sub(released); took > 3*time.Second {
		t.Errorf("an empty namespace was deleted after %s", took)
	}
}
