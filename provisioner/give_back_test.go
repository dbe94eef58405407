package provisioner_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// TestReplicaWithoutClusterGivesItsStoresBack cuts the one replica that works on a store off from
// the API server. Another one that reaches it finishes the work.
func TestReplicaWithoutClusterGivesItsStoresBack(t *testing.T) {
	t.Parallel()
	p, link := startOn(t)
	p.GiveBackAfter(time.Second)
	connect := make(chan struct{})
	other := &platform{db: p.db, file: p.file, admin: p.admin, actor: p.actor, team: p.team, mark: p.mark}
	other.run(t, connecting(after(connect, kubetest.Platform(t)))) // releases the claims of before as it starts

	kubetest.Simulate(t, store.Namespace(store.ProposeSlug("Orphaned "+p.mark)), "start-delay=10m")
	st := p.request(t, "Orphaned")
	p.until(t, st.ID, "at work", func(st store.Store) bool { return st.Job.Step == store.StepWorkloads })
	link.Inject(kubetest.Gone)
	link.Cut()
	p.untilLink(t, provisioner.Unreachable)
	kubetest.Simulate(t, st.Namespace, "start-delay=none")
	close(connect)
	other.wantReady(t, st)
	if p.Cluster().Link != provisioner.Unreachable {
		t.Errorf("the first replica is %s", p.Cluster().Link)
	}
}

// A check whose end nobody can see says nothing of the shop, and is left to who can.
func TestCheckWithoutClusterIsGivenBack(t *testing.T) {
	t.Parallel()
	p, link := startOn(t, checkingEvery(time.Second))
	st := p.wantReady(t, p.request(t, "Unseen check"))
	kubetest.Simulate(t, st.Namespace, "job-duration=10m", "component=check")
	kubetest.Within(t, "somebody shops", func() bool {
		pods := p.checks(t, st)
		return len(pods) == 1 && places(pods[0]) == "false" && pods[0].Status.Phase == corev1.PodRunning
	})
	before, err := p.db.UnguardedStore(t.Context(), st.ID)
	if err != nil {
		t.Fatal(err)
	}
	link.Inject(kubetest.Gone)
	link.Cut()
	p.untilLink(t, provisioner.Unreachable)
	kubetest.Within(t, "the claim is given back", func() bool {
		c, ok, err := p.db.Claim(t.Context(), "another", time.Minute, store.Concurrency{Checks: 9})
		return err == nil && ok && c.Store.ID == st.ID
	})
	if now, err := p.db.UnguardedStore(t.Context(), st.ID); err != nil || now.Health.Failures != 0 || !now.Health.Last.At.Equal(before.Health.Last.At) {
		t.Errorf("the check came to %+v, %v", now.Health, err)
	}
}
