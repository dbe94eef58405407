package provisioner_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
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

// TestDeleteAtEveryWriteOfARetry does the same to the retry of stores that have failed.
func TestDeleteAtEveryWriteOfARetry(t *testing.T) {
	t.Parallel()
	p, link := startOn(t)
	const most = 14 // than which a retry has fewer writes
	var unwanted []store.Store
	for n := range most {
		name := fmt.Sprintf("Again %d", n)
		kubetest.Simulate(t, store.Namespace(store.ProposeSlug(name+" "+p.mark)), "fail=image-pull", "component=mariadb")
		unwanted = append(unwanted, p.request(t, name))
	}
	for i, st := range unwanted {
		unwanted[i] = p.untilFailed(t, st.ID, "An image can’t be pulled")
		kubetest.Simulate(t, st.Namespace, "fail=none", "component=mariadb")
	}
	struck := 0
	for n, st := range unwanted {
		if struck == n { // up to the first whose retry ends before its turn comes
			held := link.Hold(nthWrite(st.Namespace, n+1))
			p.retry(t, st)
			if p.arrivesBeforeReady(t, held, st) {
				struck++
			}
			p.askDelete(t, st)
			held.Release()
		} else {
			p.askDelete(t, st)
		}
	}
	for _, st := range unwanted {
		p.untilGone(t, st)
	}
	for _, st := range unwanted { // nothing came back meanwhile either
		p.wantGone(t, st)
	}
	if struck == 0 || struck == most {
		t.Errorf("deleted at %d of %d writes", struck, most)
	}
	t.Logf("deleted at each of %d writes", struck)
}

// arrivesBeforeReady reports whether a request was held back before the store was ready.
func (p *platform) arrivesBeforeReady(t *testing.T, held *kubetest.Held, st store.Store) (arrived bool) {
	t.Helper()
	kubetest.Within(t, "a write or the end of the retry", func() bool {
		select {
		case <-held.Arrived():
			arrived = true
			return true
		default:
		}
		now, err := p.db.UnguardedStore(t.Context(), st.ID)
		if err != nil || now.Status == store.Failed {
			t.Fatalf("it is %s: %+v, %v", now.Status, now.Job.Failure, err)
		}
		return now.Status == store.Ready
	})
	return arrived
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
			p.until(t, st.ID, "at "+string(step), func(now store.Store) bool { return now.Job.Step == step })
			p.askDelete(t, st)
			p.untilGone(t, st)
		})
	}
}

func (p *platform) askDelete(t *testing.T, st store.Store) {
	t.Helper()
	if _, err := p.db.RequestDelete(t.Context(), p.actor, st.ID, store.DeleteRequest{}); err != nil {
		t.Fatal(err)
	}
}

// untilGone waits until the store is deleted, and checks that it went without a trace.
func (p *platform) untilGone(t *testing.T, st store.Store) {
	t.Helper()
	p.until(t, st.ID, "gone", func(st store.Store) bool { return st.Status == store.Deleted })
	p.wantGone(t, st)
}

// A removal that the cluster does not let pass takes nobody's place for ever, and goes on by itself
// when the cluster does.
func TestRefusedRemovalLetsOthersPass(t *testing.T) {
	t.Parallel()
	p, link := startOn(t, func(c *provisioner.Config) { c.Concurrency.Removals = 1 })
	p.TryAgainAfter(100 * time.Millisecond)
	p.PutOffFor(time.Second)
	refused, other := p.wantReady(t, p.request(t, "Refused")), p.wantReady(t, p.request(t, "Other"))
	link.Inject(kubetest.Refusing(http.StatusForbidden, metav1.StatusReasonForbidden, func(r kubetest.Request) bool {
		return r.Method == http.MethodDelete && r.About(refused.Namespace)
	}))
	p.askDelete(t, refused)
	p.untilTold(t, refused, store.StepUninstall, "The cluster denied the request")
	p.askDelete(t, other)
	p.untilGone(t, other)
	link.Inject(kubetest.NoFault)
	p.untilGone(t, refused)
}

// TestWhatChangesWhileLookingIsSeen empties a store's namespace between the look that still
// finds pods and the wait that comes of it: nothing changes any more during the wait.
func TestWhatChangesWhileLookingIsSeen(t *testing.T) {
	t.Parallel()
	p, link := startOn(t)
	p.TrustWatches()
	st := p.wantReady(t, p.request(t, "Unseen"))
	held := link.Hold(func(r kubetest.Request) bool {
		return r.Method == http.MethodDelete && r.About(st.Namespace) && strings.HasSuffix(r.Path, "/persistentvolumeclaims")
	})
	p.askDelete(t, st)
	held.Wait()
	unlock := p.lockRecords(t) // the worker looks, and cannot write down what it waits for
	held.Release()
	kubetest.Within(t, "the watches see an empty namespace", func() bool {
		s, _ := p.Snapshot(st)
		return len(s.Pods)+len(s.Volumes) == 0
	})
	unlock()
	p.untilGone(t, st)
}

// lockRecords lets nobody write to the database until it is unlocked.
func (p *platform) lockRecords(t *testing.T) (unlock func()) {
	t.Helper()
	other := storetest.Beside(t, "sqlite:"+p.file)
	other.SetMaxOpenConns(1)
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	unlock = func() { _ = other.Close() }
	t.Cleanup(unlock)
	return unlock
}

func TestDeleteAsksForLittle(t *testing.T) {
	t.Parallel()
	p, link := startOn(t)
	st := p.wantReady(t, p.request(t, "Frugal"))
	before := len(link.Requests())
	p.askDelete(t, st)
	p.untilGone(t, st)
	const most = 39 // of which Helm’s own, for 27 objects and its record, are 31
	asked := slices.DeleteFunc(link.Requests()[before:], func(r kubetest.Request) bool { return !r.About(st.Namespace) })
	if len(asked) > most {
		t.Errorf("deleting a store takes %d requests, want at most %d: %v", len(asked), most, asked)
	}
}
