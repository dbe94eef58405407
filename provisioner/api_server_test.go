package provisioner_test

import (
	"net/http"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// busyEnough bounds the requests that go out in any one second while the API server is in
// trouble: one opening of a store has about forty, its watches a dozen. More would be a loop
// that does not wait.
const busyEnough = 100

// restless bounds the requests a second on average: what is opened at once may make many, but
// not again and again.
const restless = 20

// startOn starts a provisioner whose requests go over a link of its own.
func startOn(t *testing.T, changes ...func(*provisioner.Config)) (*platform, *kubetest.Link) {
	t.Helper()
	link := kubetest.NewLink(t)
	return start(t, append(changes, connecting(to(link.Config())))...), link
}

// untilLink waits for the connection to be in that state.
func (p *platform) untilLink(t *testing.T, link provisioner.Link) {
	t.Helper()
	changed, cancel := p.SubscribeCluster()
	defer cancel()
	timeout := time.After(patience)
	for p.Cluster().Link != link {
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("the cluster is not %s within %s: %+v", link, patience, p.Cluster())
		}
	}
}

// during lets something happen with a fault, and checks that nobody loops without a pause
// meanwhile, nor with one that is too short.
func during(t *testing.T, link *kubetest.Link, fault kubetest.Fault, happens func()) {
	t.Helper()
	before := len(link.Requests())
	link.Inject(fault)
	link.Cut() // the watches that are open see the fault too
	began := time.Now()
	happens()
	took, requests := time.Since(began), link.Requests()[before:]
	link.Inject(kubetest.NoFault)
	most, average := kubetest.Busiest(requests), float64(len(requests))/took.Seconds()
	t.Logf("%d requests in %s, %.1f a second, %d in the busiest one", len(requests), took.Round(time.Second), average, most)
	if most > busyEnough || average > restless {
		t.Errorf("%d requests were made in one second, %.1f on average", most, average)
	}
}

// TestAPIServerGoneForThirtySeconds takes the API server away from a store on its way, and
// from one that is asked for meanwhile.
func TestAPIServerGoneForThirtySeconds(t *testing.T) {
	t.Parallel()
	p, link := startOn(t)
	kubetest.Simulate(t, store.Namespace(store.ProposeSlug("Midway "+p.mark)), "start-delay=10m")
	midway := p.request(t, "Midway")
	p.until(t, midway.ID, "at work", func(st store.Store) bool { return st.Job.Step == store.StepWorkloads })

	var waiting store.Store
	during(t, link, kubetest.Gone, func() {
		outage := time.After(30 * time.Second)
		p.untilLink(t, provisioner.Unreachable)
		waiting = p.request(t, "Meanwhile")
		<-outage
		for _, st := range []store.Store{midway, waiting} {
			if now, err := p.db.UnguardedStore(t.Context(), st.ID); err != nil || now.Status != store.Provisioning {
				t.Errorf("%s is %s while there is no cluster: %+v, %v", st.Name, now.Status, now.Job.Failure, err)
			}
		}
	})
	kubetest.Simulate(t, midway.Namespace, "start-delay=none")
	back := time.Now()
	for _, st := range []store.Store{midway, waiting} {
		p.wantReady(t, st)
		t.Logf("%s ready %s after", st.Name, time.Since(back).Round(time.Millisecond))
	}
	for _, st := range []store.Store{midway, waiting} {
		p.askDelete(t, st)
		p.untilGone(t, st)
	}
}

// TestAPIServerInTrouble opens a store while requests go wrong for a while, and removes it
// while they go wrong again.
func TestAPIServerInTrouble(t *testing.T) {
	t.Parallel()
	watches := func(r kubetest.Request) bool { return r.Watch }
	for name, fault := range map[string]kubetest.Fault{
		"Throttling": kubetest.Refusing(http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests, kubetest.All),
		"Failing":    kubetest.Refusing(http.StatusInternalServerError, metav1.StatusReasonInternalError, kubetest.All),
		"Not saving": kubetest.Refusing(http.StatusInternalServerError, metav1.StatusReasonInternalError, kubetest.Request.IsWrite),
		"Forgetful":  kubetest.Refusing(http.StatusGone, metav1.StatusReasonExpired, watches),
		"Outdated":   kubetest.Outdated,
		"Silent":     kubetest.Silent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, link := startOn(t)
			p.untilLink(t, provisioner.Connected)
			var st store.Store
			during(t, link, fault, func() {
				st = p.request(t, name)
				<-time.After(10 * time.Second)
			})
			p.wantReady(t, st)
			during(t, link, fault, func() {
				p.askDelete(t, st)
				<-time.After(5 * time.Second)
			})
			p.untilGone(t, st)
		})
	}
}

// TestSlowAPIServer opens a store while every answer takes two seconds longer.
func TestSlowAPIServer(t *testing.T) {
	t.Parallel()
	p, link := startOn(t, func(c *provisioner.Config) { c.Timeout = 10 * time.Minute })
	during(t, link, kubetest.Slow(2*time.Second), func() {
		st := p.request(t, "Slow")
		for _, step := range []store.Step{store.StepRelease, store.StepWorkloads} {
			p.until(t, st.ID, "at "+string(step), func(now store.Store) bool { return now.Job.Step == step || now.Status != store.Provisioning })
		}
		p.wantReady(t, st)
	})
}
