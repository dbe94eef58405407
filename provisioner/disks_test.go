package provisioner_test

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// databaseClaim is the claim that a StatefulSet makes for its pod.
const databaseClaim = "data-mariadb-0"

// expandable is a storage class whose claims may grow.
func (p *platform) expandable(t *testing.T) (name string) {
	t.Helper()
	name, grows := "expandable-"+p.mark, true
	classes := p.admin.StorageV1().StorageClasses()
	_, err := classes.Create(t.Context(), &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: "shopwright.dev/simulated", AllowVolumeExpansion: &grows,
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = classes.Delete(context.Background(), name, metav1.DeleteOptions{}) })
	return name
}

// reconfigure runs the platform with other settings, and upgrades the store to them.
func (p *platform) reconfigure(t *testing.T, st store.Store, change func(*provisioner.Config)) store.Store {
	t.Helper()
	p.stop()
	p.run(t, change)
	p.untilLink(t, provisioner.Connected)
	p.upgrade(t, st, store.UpgradeRequest{})
	return p.changed(t, st)
}

func withClass(name string) func(*provisioner.Config) {
	return func(c *provisioner.Config) { c.Site.StorageClass = name }
}

// withSize gives the database's disks of WooCommerce a size.
func withSize(size string, changes ...func(*provisioner.Config)) func(*provisioner.Config) {
	return func(c *provisioner.Config) {
		c.Site.Values = engine.Values{"woocommerce": {"storage": map[string]any{"database": map[string]any{"size": size}}}}
		for _, change := range changes {
			change(c)
		}
	}
}

// claim is the class of a claim, and the size that was asked for.
func (p *platform) claim(t *testing.T, st store.Store, name string) (class, size string) {
	t.Helper()
	claim, err := p.admin.CoreV1().PersistentVolumeClaims(st.Namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	requested := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	return *claim.Spec.StorageClassName, requested.String()
}

func TestStoresKeepTheClassOfTheirDisks(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Slow"))
	before, other := p.keepsakes(t, st.Namespace), p.expandable(t)
	for range 2 {
		if st = p.reconfigure(t, st, withClass(other)); st.Status != store.Ready || st.Job.Change.Undone.Code != "" {
			t.Fatalf("upgraded, it is %s: %+v %+v", st.Status, st.Job.Failure, st.Job.Change.Undone)
		}
	}
	p.wantKept(t, st.Namespace, before)
	for _, name := range []string{databaseClaim, "files"} {
		if class, _ := p.claim(t, st, name); class != "standard" {
			t.Errorf("the disk %s is of the class %s", name, class)
		}
	}
	young := p.wantReady(t, p.request(t, "Fast"))
	if class, _ := p.claim(t, young, databaseClaim); class != other {
		t.Errorf("the disk of a new store is of the class %s", class)
	}
}

func TestDisksGrowWithAnUpgrade(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.setPlan(t, func(standard *store.Plan) { standard.Disk = 51200 })
	class := p.expandable(t)
	p.stop()
	p.run(t, withClass(class))
	p.untilLink(t, provisioner.Connected)
	st := p.wantReady(t, p.request(t, "Growing"))
	before := p.keepsakes(t, st.Namespace)
	for _, tt := range []struct{ asked, want string }{{"11Gi", "11Gi"}, {"12Gi", "12Gi"}, {"9Gi", "12Gi"}} {
		st = p.reconfigure(t, st, withSize(tt.asked, withClass(class)))
		if st.Status != store.Ready || st.Job.Change.Undone.Code != "" {
			t.Fatalf("upgraded to %s, it is %s: %+v %+v", tt.asked, st.Status, st.Job.Failure, st.Job.Change.Undone)
		}
		if _, size := p.claim(t, st, databaseClaim); size != tt.want {
			t.Errorf("asked for %s, the disk has %s, want %s", tt.asked, size, tt.want)
		}
	}
	p.wantKept(t, st.Namespace, before)
}

// Where disks cannot grow the upgrade ends before it has changed anything, in the cluster's words.
func TestDisksThatCannotGrow(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.setPlan(t, func(standard *store.Plan) { standard.Disk = 51200 })
	st := p.wantReady(t, p.request(t, "Stiff"))
	back := p.reconfigure(t, st, withSize("11Gi"))
	if back.Status != store.Ready || !strings.Contains(phrase.Failure(back.Job.Change.Undone).Cause, "the storageclass that provisions the pvc must support resize") {
		t.Fatalf("it is %s: %+v %+v", back.Status, back.Job.Failure, back.Job.Change.Undone)
	}
	if got, want := p.history(t, st), "Back to revision 1 deployed, Opened superseded"; got != want {
		t.Errorf("the history is %q, want %q", got, want)
	}
	if st = p.reconfigure(t, back, func(*provisioner.Config) {}); st.Status != store.Ready || st.Job.Change.Undone.Code != "" {
		t.Errorf("without the new size it is %s: %+v", st.Status, st.Job.Change.Undone)
	}
}

// roomier is WooCommerce with a chart of which a disk is dropped later, or was not there before.
type roomier struct{ engine.WooCommerce }

// Chart implements engine.Engine.
func (roomier) Chart() fs.FS {
	chart, ok := newer{}.Chart().(fstest.MapFS)
	if ok {
		chart["templates/room.yaml"] = &fstest.MapFile{Data: []byte("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: room, labels: {shopwright.dev/store-id: {{ .Values.store.id | quote }}}}\n" +
			"spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n")}
	}
	return chart
}

// A disk that the release does without is no lost one, and neither is one that it never had.
func TestDisksOfAReleaseAreThoseItNeeds(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.setPlan(t, func(standard *store.Plan) { standard.Disk = 51200 })
	st := p.wantReady(t, p.request(t, "Roomy"))
	theirs := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "backup", Labels: map[string]string{kube.LabelStoreID: st.ID}},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	}
	if _, err := p.admin.CoreV1().PersistentVolumeClaims(st.Namespace).Create(t.Context(), theirs, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	st = p.reconfigure(t, st, offering(roomier{}))
	if want := []string{databaseClaim, "files", "room"}; st.Status != store.Ready || !slices.Equal(st.Volumes, want) {
		t.Fatalf("it is %s with the disks %q, want %q: %+v", st.Status, st.Volumes, want, st.Job.Failure)
	}
	if _, err := p.db.Rollback(t.Context(), p.actor, st.ID, 1); err != nil {
		t.Fatal(err)
	}
	back := p.changed(t, st)
	if want := []string{databaseClaim, "files"}; back.Status != store.Ready || !slices.Equal(back.Volumes, want) {
		t.Errorf("without the room it is %s with the disks %q, want %q: %+v", back.Status, back.Volumes, want, back.Job.Failure)
	}
}
