package provisioner_test

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// repaired waits until the store has been put back without anybody asking for it.
func (p *platform) repaired(t *testing.T, before store.Store) store.Store {
	t.Helper()
	st := p.until(t, before.ID, "put back", func(st store.Store) bool {
		return st.Generation > before.Generation && (st.Status == store.Ready || st.Status == store.Failed)
	})
	if st.Status != store.Ready {
		t.Fatalf("%s: %+v", st.Status, st.Job.Failure)
	}
	p.wantOneRelease(t, st)
	return st
}

func (p *platform) uninstall(t *testing.T, st store.Store) {
	t.Helper()
	client, err := helm.NewClient(kubetest.Platform(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Uninstall(t.Context(), st.Namespace, "store"); err != nil {
		t.Fatal(err)
	}
}

func TestReleaseRemovedByHandIsPutBackOnItsDisks(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Uninstalled"))
	before := p.keepsakes(t, st.Namespace)
	p.uninstall(t, st)
	p.repaired(t, st)
	p.wantKept(t, st.Namespace, before)
}

func TestWorkloadRemovedByHandIsPutBack(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Beheaded"))
	if err := p.admin.AppsV1().Deployments(st.Namespace).Delete(t.Context(), "wordpress", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	st = p.repaired(t, st)
	if _, err := p.admin.AppsV1().Deployments(st.Namespace).Get(t.Context(), "wordpress", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}

// What cannot be written down when it is noticed is not forgotten.
func TestWorkloadRemovedWhileTheRecordsAreLockedIsPutBack(t *testing.T) {
	t.Parallel()
	log := &transcript{}
	p := start(t, func(c *provisioner.Config) { c.Log = slog.New(slog.NewTextHandler(log, nil)) })
	st := p.wantReady(t, p.request(t, "Forgotten"))
	unlock := p.lockRecords(t)
	if err := p.admin.AppsV1().Deployments(st.Namespace).Delete(t.Context(), "wordpress", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	kubetest.Within(t, "it could not be put back", func() bool { return log.has("are not restored yet") })
	unlock()
	p.repaired(t, st)
}

// transcript keeps what was logged.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *transcript) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *transcript) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

// TestReleaseRemovedWhileNobodyWatched lets the next start find out.
func TestReleaseRemovedWhileNobodyWatched(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Unwatched"))
	p.stop()
	p.uninstall(t, st)
	p.untilNoWorkloads(t, st)
	p.run(t)
	p.repaired(t, st)
}

func (p *platform) untilNoWorkloads(t *testing.T, st store.Store) {
	t.Helper()
	kubetest.Within(t, "the workloads are gone", func() bool {
		pods, err := p.admin.CoreV1().Pods(st.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: kube.LabelComponent + "!=check"})
		return err == nil && len(pods.Items) == 0
	})
}

func TestLostDataWaitForAPerson(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Bereft"))
	if err := p.admin.CoreV1().Namespaces().Delete(t.Context(), st.Namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	st = p.until(t, st.ID, "failed", func(st store.Store) bool { return st.Status == store.Failed })
	if f := st.Job.Failure; f.Code != store.DataLost || !strings.Contains(phrase.Failure(f).Cause, "data-mariadb-0") || !strings.Contains(phrase.Failure(f).Cause, "files") {
		t.Fatalf("%+v", f)
	}
	p.retry(t, st)
	st = p.until(t, st.ID, "failed again", func(now store.Store) bool { return now.Generation > st.Generation && now.Status == store.Failed })
	if st.Job.Failure.Code != store.DataLost {
		t.Fatalf("Retry came to %+v", st.Job.Failure)
	}
	if _, err := p.db.Rebuild(t.Context(), p.actor, st.ID, ""); err != nil {
		t.Fatal(err)
	}
	if st = p.wantReady(t, st); len(st.Volumes) != 2 {
		t.Errorf("rebuilt with the disks %q", st.Volumes)
	}
}

// drift says which workload somebody has scaled.
func (p *platform) drift(st store.Store) string {
	snapshot, _ := p.Snapshot(st)
	for _, w := range snapshot.Workloads {
		if w.Drifted() {
			return fmt.Sprintf("%s %d of %d", w.Name, w.Want, w.Asked)
		}
	}
	return ""
}

func TestScaledWorkloadIsShownAndPutBack(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Scaled"))
	scale, err := p.admin.AppsV1().Deployments(st.Namespace).GetScale(t.Context(), "wordpress", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	scale.Spec.Replicas = 0
	if _, err := p.admin.AppsV1().Deployments(st.Namespace).UpdateScale(t.Context(), "wordpress", scale, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	kubetest.Within(t, "the drift is seen", func() bool { return p.drift(st) == "wordpress 0 of 1" })
	if _, err := p.db.Repair(t.Context(), p.actor, st.ID); err != nil {
		t.Fatal(err)
	}
	p.repaired(t, st)
	kubetest.Within(t, "the drift is gone", func() bool { return p.drift(st) == "" })
}

// A claim that somebody deletes stays until its pod ends, and its data with it: that must be told
// while they can be saved. A rebuild begins on other disks.
func TestDiskThatIsBeingDeletedIsToldAndNotReused(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Leaving"))
	claims := p.admin.CoreV1().PersistentVolumeClaims(st.Namespace)
	before := p.claims(t, st)
	if err := claims.Delete(t.Context(), "data-mariadb-0", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	st = p.until(t, st.ID, "failed", func(st store.Store) bool { return st.Status == store.Failed })
	if f := st.Job.Failure; f.Code != store.DataLost || !strings.Contains(phrase.Failure(f).Cause, "data-mariadb-0") || strings.Contains(phrase.Failure(f).Cause, "files") || !strings.Contains(phrase.Failure(f).Next, "now") {
		t.Fatalf("%+v", f)
	}
	if _, err := p.db.Rebuild(t.Context(), p.actor, st.ID, ""); err != nil {
		t.Fatal(err)
	}
	st = p.wantReady(t, st)
	if len(st.Volumes) != 2 || st.Sold != st.Revision {
		t.Errorf("rebuilt with the disks %q, revision %d, sold with %d", st.Volumes, st.Revision, st.Sold)
	}
	for name, now := range p.claims(t, st) {
		if now.DeletionTimestamp != nil || now.UID == before[name].UID {
			t.Errorf("the disk %s is the one of before, deleted at %v", name, now.DeletionTimestamp)
		}
	}
}

// claims are the store's volume claims by name.
func (p *platform) claims(t *testing.T, st store.Store) map[string]corev1.PersistentVolumeClaim {
	t.Helper()
	list, err := p.admin.CoreV1().PersistentVolumeClaims(st.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]corev1.PersistentVolumeClaim{}
	for _, claim := range list.Items {
		byName[claim.Name] = claim
	}
	return byName
}
