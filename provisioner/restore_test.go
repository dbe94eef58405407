package provisioner_test

import (
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// exec writes to the database beside the platform.
func (p *platform) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := storetest.Beside(t, "sqlite:"+p.file).ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// TestUpgradeAfterARestore has the database count a change again that the cluster has seen already.
func TestUpgradeAfterARestore(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Restored"))
	backup := filepath.Join(t.TempDir(), "backup.db")
	p.exec(t, `VACUUM INTO $1`, backup)
	p.upgrade(t, st, store.UpgradeRequest{Images: map[string]string{"mariadb": "11.8"}})
	forgotten := p.changed(t, st)
	checked := p.checks(t, st)

	p.stop()
	p.db, p.file = storetest.Open(t, "sqlite:"+backup), backup
	p.run(t)
	p.upgrade(t, st, store.UpgradeRequest{Images: map[string]string{"mariadb": "11.6"}})
	again := p.changed(t, st)
	if again.Status != store.Ready || again.Generation != forgotten.Generation {
		t.Fatalf("it is %s in generation %d, and was in %d before: %+v", again.Status, again.Generation, forgotten.Generation, again.Job.Failure)
	}
	if image := p.databaseImage(t, st); !strings.HasSuffix(image, "mariadb:11.6") {
		t.Errorf("the database is %s", image)
	}
	if now := p.checks(t, st); len(now) != 1 || len(checked) != 1 || now[0].UID == checked[0].UID {
		t.Errorf("the check of the upgrade that was forgotten counts for this one: %d pods, and %d before", len(now), len(checked))
	}
}

// What was created after a backup is in no database once it is restored, and in the cluster still.
func TestNamespacesWithoutAStoreAreListed(t *testing.T) {
	t.Parallel()
	p := start(t)
	kept := p.wantReady(t, p.request(t, "Kept"))
	backup := filepath.Join(t.TempDir(), "backup.db")
	p.exec(t, `VACUUM INTO $1`, backup)
	lost := p.wantReady(t, p.request(t, "Lost"))

	p.stop()
	p.db, p.file = storetest.Open(t, "sqlite:"+backup), backup
	p.run(t)
	listed := func() (listed bool) {
		strays, err := p.Strays(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, ns := range strays {
			listed = listed || ns.Name == lost.Namespace && ns.StoreID == lost.ID
			if ns.StoreID == kept.ID {
				t.Errorf("the database has the store of %s", ns.Name)
			}
		}
		return listed
	}
	kubetest.Within(t, "it is listed", listed)
	p.hold(t, lost.Namespace)
	p.deleteNamespace(t, lost)
	kubetest.Within(t, "it is not listed while it goes", func() bool { return !listed() })
}

// A store of the same address takes over a namespace without a store, with its disks.
func TestNamespaceWithoutAStoreIsAdopted(t *testing.T) {
	t.Parallel()
	p := start(t)
	backup := filepath.Join(t.TempDir(), "backup.db")
	p.exec(t, `VACUUM INTO $1`, backup)
	lost := p.wantReady(t, p.request(t, "Adopted"))
	before := p.keepsakes(t, lost.Namespace)
	p.stop()
	p.db, p.file = storetest.Open(t, "sqlite:"+backup), backup
	p.run(t)
	st := p.request(t, "Adopted")
	p.untilFailed(t, st.ID, "The namespace is already taken")
	label := []byte(`{"metadata": {"labels": {"` + kube.LabelStoreID + `": "` + st.ID + `"}}}`)
	if _, err := p.admin.CoreV1().Namespaces().Patch(t.Context(), st.Namespace, types.MergePatchType, label, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	p.retry(t, st)
	st = p.until(t, st.ID, "adopted", func(now store.Store) bool {
		return now.Generation > st.Generation && (now.Status == store.Ready || now.Status == store.Failed)
	})
	if st.Status != store.Ready {
		t.Fatalf("adopted, it is %s: %+v", st.Status, st.Job.Failure)
	}
	p.wantKept(t, st.Namespace, before)
	p.askDelete(t, st)
	p.untilGone(t, st)
}
