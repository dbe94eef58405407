package provisioner_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// TestLostClusterIsReplaced loses a cluster with two stores, of which one has a restore point.
func TestLostClusterIsReplaced(t *testing.T) {
	t.Parallel()
	other := kubetest.Another(t)
	p, st, point := startRestoring(t, "Returning")
	bare := p.wantReady(t, p.request(t, "Bare"))
	p.stop()
	p.run(t, connecting(to(other.Platform())))
	p.untilLink(t, provisioner.Foreign)
	if err := p.db.ReplaceCluster(t.Context(), storetest.Admin(t, p.db), st.ClusterID, p.Cluster().Answering); err != nil {
		t.Fatal(err)
	}
	back := p.until(t, st.ID, "back", func(now store.Store) bool { return now.Status == store.Ready && now.Generation > st.Generation })
	if !back.BroughtBack() || back.Origin.Point != point.ID || back.Origin.Pending() || back.URL != st.URL || len(back.Volumes) != len(st.Volumes) {
		t.Errorf("it came back as %+v", back)
	}
	lost := p.until(t, bare.ID, "failed", func(now store.Store) bool { return now.Status == store.Failed })
	if !lost.CanRebuild() {
		t.Errorf("without a restore point it has %+v", lost.Job.Failure)
	}
	if _, err := other.Admin().CoreV1().Namespaces().Get(t.Context(), st.Namespace, metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := p.db.Rebuild(t.Context(), p.actor, bare.ID, ""); err != nil {
		t.Fatal(err)
	}
	p.until(t, bare.ID, "rebuilt", func(now store.Store) bool { return now.Status == store.Ready })
	p.stop()
	p.admin = other.Admin()
	p.run(t, connecting(to(other.Platform()))) // so that what cleans up afterwards finds both
}
