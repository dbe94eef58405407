package provisioner_test

import (
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// startRestoring is startBackingUp with a restore point of the store.
func startRestoring(t *testing.T, name string) (*platform, store.Store, store.RestorePoint) {
	t.Helper()
	p, st := startBackingUp(t, name)
	p.backUp(t, st)
	b := p.untilBackedUp(t, st)
	if len(b.Points) != 1 {
		t.Fatalf("there are %+v", b)
	}
	p.wantCleared(t, st)
	return p, st, b.Points[0]
}

// restore asks for a store that is opened with the point, whose data its nodes take so long to load. It
// returns once its namespace is there.
func (p *platform) restore(t *testing.T, point store.RestorePoint, switches ...string) store.Store {
	t.Helper()
	const name = "Restored"
	st, err := p.db.CreateStore(t.Context(), p.actor, store.NewStore{
		TeamID: p.team, Cluster: p.Placement(), Name: name, Slug: store.ProposeSlug(name + " " + p.mark), From: point.ID,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.sweep(st) })
	kubetest.Within(t, "the namespace is there", func() bool {
		_, err := p.admin.CoreV1().Namespaces().Get(t.Context(), st.Namespace, metav1.GetOptions{})
		return err == nil
	})
	for _, s := range switches {
		kubetest.Simulate(t, st.Namespace, s, "component=restore")
	}
	return st
}

func (p *platform) jobsOf(t *testing.T, st store.Store, component string) []batchv1.Job {
	t.Helper()
	jobs, err := p.admin.BatchV1().Jobs(st.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: kube.LabelComponent + "=" + component})
	if err != nil {
		t.Fatal(err)
	}
	return jobs.Items
}

// untilLoading waits for the Job that restores, and for its pod.
func (p *platform) untilLoading(t *testing.T, st store.Store) (job batchv1.Job) {
	t.Helper()
	kubetest.Within(t, "the data are being loaded", func() bool {
		for _, job = range p.jobsOf(t, st, "restore") {
			now, err := p.db.UnguardedStore(t.Context(), st.ID)
			return err == nil && now.Job.Step == store.StepData && now.Job.Note.Code == store.DataLoading && job.Status.Active == 1
		}
		return false
	})
	return job
}

// wantNothingLeftOf checks that the Job of a restore is gone, and its Secret with it.
func (p *platform) wantNothingLeftOf(t *testing.T, st store.Store, job string) {
	t.Helper()
	kubetest.Within(t, "nothing of the restore is left", func() bool {
		secrets, err := p.admin.CoreV1().Secrets(st.Namespace).List(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + job})
		if err != nil {
			t.Fatal(err)
		}
		return len(secrets.Items) == 0 && len(p.jobsOf(t, st, "restore")) == 0
	})
}

// The data are loaded before the setup has begun, also when another program takes the work over.
func TestStoreIsOpenedWithARestorePoint(t *testing.T) {
	t.Parallel()
	p, from, point := startRestoring(t, "Original")
	st := p.restore(t, point, "job-duration=10m")
	job := p.untilLoading(t, st)
	secret, err := p.admin.CoreV1().Secrets(st.Namespace).Get(t.Context(), job.Name, metav1.GetOptions{})
	if err != nil || !metav1.IsControlledBy(secret, &job) || string(secret.Data["repository"]) != "s3:https://10.9.8.7:9000/shops/"+from.ID ||
		string(secret.Data["old-url"]) != from.URL || len(secret.Data["password"]) < 40 {
		t.Errorf("the Secret is %+v, %v", secret, err)
	}
	if policy, err := p.admin.NetworkingV1().NetworkPolicies(st.Namespace).Get(t.Context(), job.Name, metav1.GetOptions{}); err != nil || policy.Spec.Egress[0].To[0].IPBlock.CIDR != "10.9.8.7/32" {
		t.Errorf("the way out is %+v, %v", policy, err)
	}
	if setups := p.jobsOf(t, st, "setup"); len(setups) != 1 || !*setups[0].Spec.Suspend || setups[0].Status.Active != 0 {
		t.Errorf("the setups are %+v", setups)
	}
	p.stop()
	p.run(t)
	kubetest.Simulate(t, st.Namespace, "job-duration=none", "component=restore")
	st = p.wantReady(t, st)
	if st.Origin.Pending() || st.Origin.Point != point.ID || st.Revision != 1 {
		t.Errorf("the store is %+v", st)
	}
	p.wantNothingLeftOf(t, st, job.Name)
	events, err := p.db.StoreEvents(t.Context(), p.actor, st.ID)
	if told := describe(events); err != nil || !strings.Contains(told, "step.finished/data Simulated: nothing was restored") {
		t.Errorf("the timeline, %v:\n%s", err, told)
	}

	// The revision was made for loading. Going back to it is not loading again.
	p.stop()
	p.run(t, offering(newer{}))
	p.upgrade(t, st, store.UpgradeRequest{})
	upgraded := p.changed(t, st)
	if _, err := p.db.Rollback(t.Context(), p.actor, st.ID, 1); err != nil {
		t.Fatal(err)
	}
	if back := p.changed(t, upgraded); back.Status != store.Ready || len(p.jobsOf(t, st, "restore")) != 0 {
		t.Errorf("back it is %s: %+v", back.Status, back.Job.Failure)
	}
}

// forgetful is an engine whose data no other version can work with.
type forgetful struct{ engine.WooCommerce }

func (forgetful) Opens(string, string) bool { return false }

// The data of a newer program are not loaded into an older one, which would break them.
func TestPointOfANewerProgramIsRefused(t *testing.T) {
	t.Parallel()
	p, _, point := startRestoring(t, "Newer")
	p.stop()
	p.run(t, offering(forgetful{}))
	st := p.restore(t, point)
	st = p.until(t, st.ID, "failed", func(st store.Store) bool { return st.Status == store.Failed })
	if f := st.Job.Failure; f.Code != store.PointNewer || f.Step != store.StepData || f.Facts.Quote != "WooCommerce "+point.Manifest.Version+", and this store has "+point.Manifest.Version || point.Manifest.Version == "" {
		t.Errorf("it failed with %+v", f)
	}
	if jobs := p.jobsOf(t, st, "restore"); len(jobs) != 0 {
		t.Errorf("there are %+v", jobs)
	}
	p.stop()
	p.run(t)
	p.retry(t, st)
	p.wantReady(t, st)
}

// A restore that fails leaves a store that can be tried again, and no secrets.
func TestRestoreThatFailedIsTriedAgain(t *testing.T) {
	t.Parallel()
	p, _, point := startRestoring(t, "Unreadable")
	st := p.restore(t, point, "fail=job-failed")
	st = p.until(t, st.ID, "failed", func(st store.Store) bool { return st.Status == store.Failed })
	if f := st.Job.Failure; f.Code != store.RestoreStepFailed || f.Step != store.StepData || !strings.Contains(f.Facts.Quote, "simulated failure") {
		t.Errorf("it failed with %+v", f)
	}
	kubetest.Within(t, "nothing of the restore is left", func() bool { return len(p.jobsOf(t, st, "restore")) == 0 })
	kubetest.Simulate(t, st.Namespace, "fail=none", "component=restore")
	p.retry(t, st)
	if st = p.wantReady(t, st); st.Origin.Pending() {
		t.Errorf("the store is %+v", st)
	}
}

// Whoever deletes a store that is being restored doesn't wait for the data.
func TestDeletionDuringARestore(t *testing.T) {
	t.Parallel()
	p, _, point := startRestoring(t, "Given up")
	st := p.restore(t, point, "job-duration=10m")
	p.untilLoading(t, st)
	p.askDelete(t, st)
	st = p.until(t, st.ID, "deleted", func(now store.Store) bool { return now.Status == store.Deleted })
	p.wantGone(t, st)
}

// A Job that somebody deletes is made again, rather than waited for without end.
func TestRestoreWhoseJobIsDeletedBeginsAnew(t *testing.T) {
	t.Parallel()
	p, _, point := startRestoring(t, "Disturbed")
	st := p.restore(t, point, "job-duration=10m")
	job := p.untilLoading(t, st)
	policy := metav1.DeletePropagationBackground
	if err := p.admin.BatchV1().Jobs(st.Namespace).Delete(t.Context(), job.Name, metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
		t.Fatal(err)
	}
	kubetest.Simulate(t, st.Namespace, "job-duration=none", "component=restore")
	if st = p.wantReady(t, st); st.Origin.Pending() {
		t.Errorf("the store is %+v", st)
	}
}
