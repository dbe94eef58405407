package provisioner_test

import (
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// runCron does now what the store's CronJob would do at its time, as that would.
func (p *platform) runCron(t *testing.T, namespace, name string) {
	t.Helper()
	jobs := p.admin.BatchV1()
	cron, err := jobs.CronJobs(namespace).Get(t.Context(), "cron", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	run := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: cron.Spec.JobTemplate.Labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(cron, batchv1.SchemeGroupVersion.WithKind("CronJob"))},
		},
		Spec: cron.Spec.JobTemplate.Spec,
	}
	if _, err := jobs.Jobs(namespace).Create(t.Context(), run, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (p *platform) untilRun(t *testing.T, namespace, name string, condition batchv1.JobConditionType) {
	t.Helper()
	kubetest.Within(t, name+" is "+string(condition), func() bool {
		job, err := p.admin.BatchV1().Jobs(namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range job.Status.Conditions {
			if c.Type == condition && c.Status == corev1.ConditionTrue {
				return true
			}
		}
		return false
	})
}

// What a shop does from time to time says nothing of the shop, whether it goes well or not.
func TestScheduledRunsLeaveAStoreReady(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Scheduled"))
	p.runCron(t, st.Namespace, "cron-well")
	p.untilRun(t, st.Namespace, "cron-well", batchv1.JobComplete)
	kubetest.Simulate(t, st.Namespace, "component=cron", "fail=job-failed")
	p.runCron(t, st.Namespace, "cron-badly")
	p.untilRun(t, st.Namespace, "cron-badly", batchv1.JobFailed)
	p.retried(t, st)
}

// retried has the store worked on again, which must end well.
func (p *platform) retried(t *testing.T, st store.Store) {
	t.Helper()
	if _, err := p.db.Repair(t.Context(), p.actor, st.ID); err != nil {
		t.Fatal(err)
	}
	p.repaired(t, st)
}

// judged is how long what looks hopeless is watched before it is a failure.
const judged = 10 * time.Second

// A store is judged while it is made: longer than a hopeless pod is watched here.
func TestScheduledRunThatIsHopelessDoesNotFailAStore(t *testing.T) {
	t.Parallel()
	p := start(t)
	namespace := store.Namespace(store.ProposeSlug("Hopeless " + p.mark))
	kubetest.Simulate(t, namespace, "component=cron", "fail=image-pull")
	kubetest.Simulate(t, namespace, "component=wordpress", "start-delay=10m")
	st := p.request(t, "Hopeless")
	p.until(t, st.ID, "at its workloads", func(st store.Store) bool { return st.Job.Step == store.StepWorkloads })
	p.runCron(t, st.Namespace, "cron-hopeless")
	kubetest.Within(t, "the run has no image", func() bool {
		snapshot, _ := p.Snapshot(st)
		for _, pod := range snapshot.Pods {
			if strings.HasPrefix(pod.Name, "cron-hopeless") && pod.Containers[0].State.Reason == "ImagePullBackOff" {
				return true
			}
		}
		return false
	})
	seen := time.Now()
	kubetest.Within(t, "it was looked at for longer than what is hopeless may last", func() bool { return time.Since(seen) > 2*judged })
	kubetest.Simulate(t, namespace, "component=wordpress", "start-delay=none")
	p.wantReady(t, st)
}
