package provisioner_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
)

// Nobody may believe that customers' data is gone while a storage class keeps the disks.
func TestDisksThatTheStorageClassKeepsAreTold(t *testing.T) {
	t.Parallel()
	name := "test-retain-" + uuid.NewString()[24:]
	p := start(t, func(c *provisioner.Config) { c.Site.StorageClass = name })
	class, err := p.admin.StorageV1().StorageClasses().Get(t.Context(), "standard", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	class.ObjectMeta = metav1.ObjectMeta{Name: name}
	class.ReclaimPolicy = new(corev1.PersistentVolumeReclaimRetain)
	if _, err := p.admin.StorageV1().StorageClasses().Create(t.Context(), class, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.sweepClass(name) })
	st := p.wantReady(t, p.request(t, "Kept"))
	if !p.RetainsDisks(st) {
		t.Error("before the store is deleted it is not told that its disks stay")
	}
	disks := p.disks(t, st.Namespace)
	for _, disk := range disks { // a real provisioner makes them so
		retain := []byte(`{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}`)
		if _, err := p.admin.CoreV1().PersistentVolumes().Patch(t.Context(), disk, types.MergePatchType, retain, metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	p.askDelete(t, st)
	p.untilStatus(t, st.ID, store.Deleted)
	events, err := p.db.StoreEvents(t.Context(), p.actor, st.ID)
	if err != nil {
		t.Fatal(err)
	}
	told := describe(events)
	if !strings.Contains(told, "The storage class retains the disks") || strings.Contains(told, "disks are deleted") || len(disks) == 0 {
		t.Errorf("disks %v:\n%s", disks, told)
	}
	for _, disk := range disks {
		if !strings.Contains(told, disk) {
			t.Errorf("the disk %s is not named:\n%s", disk, told)
		}
		if err := p.admin.CoreV1().PersistentVolumes().Delete(context.Background(), disk, metav1.DeleteOptions{}); err != nil {
			t.Errorf("the disk did not stay: %v", err)
		}
	}
}

// disks are the persistent volumes that claims in the namespace are bound to.
func (p *platform) disks(t *testing.T, namespace string) (names []string) {
	t.Helper()
	claims, err := p.admin.CoreV1().PersistentVolumeClaims(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims.Items {
		names = append(names, c.Spec.VolumeName)
	}
	return names
}
