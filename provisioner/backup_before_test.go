package provisioner_test

import (
	"testing"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// offerNewer runs the platform with a newer offer.
func (p *platform) offerNewer(t *testing.T) {
	t.Helper()
	p.stop()
	p.run(t, offering(newer{}), func(c *provisioner.Config) { c.Concurrency.Backups = 4 })
}

func TestUpgradeIsBackedUpFirst(t *testing.T) {
	t.Parallel()
	p, st := startBackingUp(t, "Cautious")
	p.offerNewer(t)
	p.upgrade(t, st, store.UpgradeRequest{Backup: true})
	if now := p.changed(t, st); now.Status != store.Ready || now.Revision != st.Revision+1 {
		t.Errorf("the store is %s at revision %d", now.Status, now.Revision)
	}
	if b := p.backups(t, st); len(b.Points) != 1 || b.Points[0].Reason != store.BeforeUpgrade || b.Points[0].Manifest.Revision != st.Revision {
		t.Errorf("there are %+v", b)
	}
	p.wantCleared(t, st)
}

func TestDeletionIsBackedUpFirst(t *testing.T) {
	t.Parallel()
	p, st := startBackingUp(t, "Kept")
	if _, err := p.db.RequestDelete(t.Context(), p.actor, st.ID, store.DeleteRequest{Backup: true}); err != nil {
		t.Fatal(err)
	}
	p.untilGone(t, st)
	if _, points, err := p.db.DeletedStore(t.Context(), p.actor, st.ID); err != nil || len(points) != 1 || points[0].Reason != store.BeforeDeletion {
		t.Errorf("there are %+v, %v", points, err)
	}
}

// The store stays what it was, and the backup's Job is gone with its Secret.
func TestNothingIsDoneIfTheBackupFails(t *testing.T) {
	t.Parallel()
	p, st := startBackingUp(t, "Spared")
	p.offerNewer(t)
	kubetest.Simulate(t, st.Namespace, "fail=job-failed", "component=backup")
	p.upgrade(t, st, store.UpgradeRequest{Backup: true})
	if now := p.changed(t, st); now.Status != store.Ready || !now.Aborted() || now.Revision != st.Revision {
		t.Errorf("the store is %s at revision %d with %+v", now.Status, now.Revision, now.Job)
	}
	p.wantCleared(t, st)
	kubetest.Simulate(t, st.Namespace, "fail=none", "component=backup")
	before := p.untilStatus(t, st.ID, store.Ready)
	p.upgrade(t, st, store.UpgradeRequest{Backup: true})
	if now := p.changed(t, before); now.Status != store.Ready || now.Revision != st.Revision+1 {
		t.Errorf("afterwards the store is %s at revision %d", now.Status, now.Revision)
	}
}
