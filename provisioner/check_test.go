package provisioner_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// checks are the pods that shopped in the store.
func (p *platform) checks(t *testing.T, st store.Store) []corev1.Pod {
	t.Helper()
	pods, err := p.admin.CoreV1().Pods(st.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: kube.LabelComponent + "=check"})
	if err != nil {
		t.Fatal(err)
	}
	return pods.Items
}

func places(pod corev1.Pod) string {
	for _, env := range pod.Spec.Containers[0].Env {
		if env.Name == "CHECK_PLACE_ORDER" {
			return env.Value
		}
	}
	return ""
}

func checkingEvery(d time.Duration) func(*provisioner.Config) {
	return func(c *provisioner.Config) { c.CheckEvery, c.Concurrency.Checks = d, 2 }
}

// Nodes that run no containers sell nothing, and the store says so.
func TestStoreIsReadyWhenACustomerWasThere(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Sold"))
	last := st.Health.Last
	if !last.OK || !last.Simulated || last.Order != "" || last.At.IsZero() || last.Address.Outcome != store.NotFromHere {
		t.Errorf("%+v", last)
	}
	if pods := p.checks(t, st); len(pods) != 1 || places(pods[0]) != "true" || pods[0].Labels[kube.LabelStoreID] != st.ID {
		t.Errorf("shopped by %v", pods)
	}
	events, err := p.db.StoreEvents(t.Context(), p.actor, st.ID)
	if told := describe(events); err != nil || !strings.Contains(told, "Simulated: no order was placed") || !strings.Contains(told, "Simulated: nothing answers there") {
		t.Errorf("the timeline, %v:\n%s", err, told)
	}
}

func TestStoreThatCannotSellFailsAndIsRetried(t *testing.T) {
	t.Parallel()
	p := start(t)
	namespace := store.Namespace(store.ProposeSlug("Unsold " + p.mark))
	kubetest.Simulate(t, namespace, "fail=job-failed", "component=check")
	st := p.untilStatus(t, p.request(t, "Unsold").ID, store.Failed)
	if st.Job.Step != store.StepCheck || phrase.Failure(st.Job.Failure).Title != "The test order failed" || !strings.Contains(phrase.Failure(st.Job.Failure).Cause, "simulated failure") {
		t.Fatalf("failed at %s: %+v", st.Job.Step, st.Job.Failure)
	}
	kubetest.Within(t, "only the second customer is left", func() bool {
		pods := p.checks(t, st)
		return len(pods) == 1 && strings.HasSuffix(pods[0].Name, "-2")
	})
	kubetest.Simulate(t, namespace, "fail=none", "component=check")
	if _, err := p.db.Retry(t.Context(), p.actor, st.ID); err != nil {
		t.Fatal(err)
	}
	p.wantReady(t, st)
}

// A program that ends while somebody shops leaves the customer to the next.
func TestCheckGoesOnWithTheNextProgram(t *testing.T) {
	t.Parallel()
	p := start(t)
	namespace := store.Namespace(store.ProposeSlug("Handed " + p.mark))
	kubetest.Simulate(t, namespace, "job-duration=10m", "component=check")
	st := p.until(t, p.request(t, "Handed").ID, "at its check", func(st store.Store) bool { return st.Job.Step == store.StepCheck })
	kubetest.Within(t, "somebody shops", func() bool { return len(p.checks(t, st)) == 1 })
	first := p.checks(t, st)[0].UID
	p.stop()
	p.run(t)
	kubetest.Simulate(t, namespace, "job-duration=none", "component=check")
	st = p.wantReady(t, st)
	if pods := p.checks(t, st); len(pods) != 1 || pods[0].UID != first {
		t.Errorf("another customer came: %v", pods)
	}
}

// A check whose pod somebody removes starts again.
func TestCheckWhosePodIsRemovedStartsAgain(t *testing.T) {
	t.Parallel()
	p := start(t, checkingEvery(time.Hour))
	st := p.wantReady(t, p.request(t, "Removed"))
	opened := st.Health.Last.At
	kubetest.Simulate(t, st.Namespace, "job-duration=10m", "component=check")
	before := p.checks(t, st)[0].UID
	if _, err := p.db.CheckNow(t.Context(), p.actor, st.ID); err != nil {
		t.Fatal(err)
	}
	podAfter := func(previous types.UID) (pod corev1.Pod) {
		kubetest.Within(t, "a check begins", func() bool {
			pods := p.checks(t, st)
			if len(pods) != 1 || pods[0].UID == previous {
				return false
			}
			pod = pods[0]
			return true
		})
		return pod
	}
	first := podAfter(before)
	now := int64(0)
	if err := p.admin.CoreV1().Pods(st.Namespace).Delete(t.Context(), first.Name, metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
		t.Fatal(err)
	}
	podAfter(first.UID)
	kubetest.Simulate(t, st.Namespace, "job-duration=none", "component=check")
	st = p.until(t, st.ID, "checked", func(st store.Store) bool { return st.Health.Last.At.After(opened) })
	if !st.Health.Last.OK || st.Status != store.Ready {
		t.Errorf("%s: %+v", st.Status, st.Health.Last)
	}
}

// Ready shops are looked after: two failures make one degraded, a success ready again.
func TestReadyShopsAreCheckedOnASchedule(t *testing.T) {
	t.Parallel()
	p := start(t, checkingEvery(time.Second))
	st := p.wantReady(t, p.request(t, "Watched"))
	opened := st.Health.Last.At
	st = p.until(t, st.ID, "checked again", func(st store.Store) bool { return st.Health.Last.At.After(opened) })
	if st.Status != store.Ready || st.Generation != 1 {
		t.Errorf("%s in generation %d", st.Status, st.Generation)
	}
	kubetest.Within(t, "a check reaches checkout", func() bool {
		pods := p.checks(t, st)
		return len(pods) == 1 && places(pods[0]) == "false"
	})
	kubetest.Simulate(t, st.Namespace, "fail=job-failed", "component=check")
	st = p.until(t, st.ID, "degraded", func(st store.Store) bool { return st.Status == store.Degraded })
	if st.Health.Failures < 2 || st.Health.Last.OK || st.Health.Last.Note.Code == "" {
		t.Errorf("%+v", st.Health)
	}
	kubetest.Simulate(t, st.Namespace, "fail=none", "component=check")
	p.until(t, st.ID, "ready again", func(st store.Store) bool { return st.Status == store.Ready && st.Health.Failures == 0 })
}

func TestCheckNowPlacesAnOrder(t *testing.T) {
	t.Parallel()
	p := start(t, checkingEvery(time.Hour))
	st := p.wantReady(t, p.request(t, "Asked"))
	opened := st.Health.Last.At
	if _, err := p.db.CheckNow(t.Context(), p.actor, st.ID); err != nil {
		t.Fatal(err)
	}
	st = p.until(t, st.ID, "checked", func(st store.Store) bool { return st.Health.Last.At.After(opened) })
	if pods := p.checks(t, st); len(pods) != 1 || places(pods[0]) != "true" || st.CheckAsked {
		t.Errorf("%+v by %v", st.Health, pods)
	}
	if wait := time.Until(st.CheckDue); wait < 50*time.Minute || wait > 70*time.Minute {
		t.Errorf("the next check is in %s", wait)
	}
}

// Helm keeps the check with the release. Without one nobody can shop, so the release is put
// back, which ends with an order.
func TestCheckWithoutAReleasePutsItBack(t *testing.T) {
	t.Parallel()
	p := start(t, checkingEvery(time.Hour))
	st := p.wantReady(t, p.request(t, "Unreleased"))
	err := p.admin.CoreV1().Secrets(st.Namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "owner=helm"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.db.CheckNow(t.Context(), p.actor, st.ID); err != nil {
		t.Fatal(err)
	}
	now := p.until(t, st.ID, "checked or put back", func(now store.Store) bool {
		return now.Health.Last.At.After(st.Health.Last.At) || now.Generation > st.Generation
	})
	if now.Generation == st.Generation {
		t.Fatalf("nobody shopped, and the check says %+v", now.Health.Last)
	}
	p.repaired(t, st)
}

// Deletion does not wait for a customer.
func TestDeleteWhileSomebodyShops(t *testing.T) {
	t.Parallel()
	p := start(t, checkingEvery(time.Hour))
	st := p.wantReady(t, p.request(t, "Interrupted"))
	kubetest.Simulate(t, st.Namespace, "job-duration=10m", "component=check")
	if _, err := p.db.CheckNow(t.Context(), p.actor, st.ID); err != nil {
		t.Fatal(err)
	}
	kubetest.Within(t, "somebody shops", func() bool {
		pods := p.checks(t, st)
		return len(pods) == 1 && pods[0].Status.Phase != corev1.PodSucceeded
	})
	p.askDelete(t, st)
	p.untilGone(t, st)
}

// A shop whose database crashes is checked when that is seen, and not only at its next time.
func TestShopWhoseDatabaseCrashesIsDegradedSoon(t *testing.T) {
	t.Parallel()
	p := start(t, checkingEvery(24*time.Hour), func(c *provisioner.Config) {
		c.Unready = provisioner.Unready{After: time.Second, Again: time.Second}
	})
	st := p.wantReady(t, p.request(t, "Crashing"))
	kubetest.Simulate(t, st.Namespace, "fail=crash-loop", "component=mariadb")
	kubetest.Simulate(t, st.Namespace, "fail=job-failed", "component=check")
	p.restart(t, st, "mariadb-0")
	kubetest.Within(t, "the page counts ready pods", func() bool {
		s, _ := p.Snapshot(st)
		return provisioner.ReadyPods(s) == "1 of 2 pods ready"
	})
	st = p.until(t, st.ID, "degraded", func(st store.Store) bool { return st.Status == store.Degraded })
	if !strings.Contains(phrase.Failure(st.Health.Last.Cause).Cause, "mariadb-0") {
		t.Errorf("the cause is %q", phrase.Failure(st.Health.Last.Cause).Cause)
	}
	kubetest.Simulate(t, st.Namespace, "fail=none", "component=mariadb")
	kubetest.Simulate(t, st.Namespace, "fail=none", "component=check")
	p.restart(t, st, "mariadb-0")
	p.until(t, st.ID, "ready again", func(st store.Store) bool { return st.Status == store.Ready })
}

// restart has a pod replaced.
func (p *platform) restart(t *testing.T, st store.Store, pod string) {
	t.Helper()
	if err := p.admin.CoreV1().Pods(st.Namespace).Delete(t.Context(), pod, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}
