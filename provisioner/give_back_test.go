package provisioner_test

import (
	"testing"
	"time"

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
	p.until(t, st.ID, "at work", func(st store.Store) bool { return st.Step == store.StepWorkloads })
	link.Turn(kubetest.Gone)
	link.Cut()
	p.untilLink(t, provisioner.Unreachable)
	kubetest.Simulate(t, st.Namespace, "start-delay=none")
	close(connect)
	other.wantReady(t, st)
	if p.Cluster().Link != provisioner.Unreachable {
		t.Errorf("the first replica is %s", p.Cluster().Link)
	}
}
