package provisioner_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// Customers read a page for as long as a change has taken the shop away: it is there before the shop
// goes, and has gone before the check shops, which would read it too.
func TestMaintenancePageComesBeforeTheShopGoes(t *testing.T) {
	t.Parallel()
	p, st := openedBefore(t)
	seen := p.followPods(t, st)
	p.upgrade(t, st, store.UpgradeRequest{Images: map[string]string{"wordpress": "another"}})
	if after := p.changed(t, st); after.Status != store.Ready || after.ChartVersion != newerChart {
		t.Fatalf("it is %s, of chart %s", after.Status, after.ChartVersion)
	}
	want := []string{"maintenance ready", "wordpress leaves", "wordpress ready", "maintenance leaves", "check comes"}
	got := seen()
	got = slices.DeleteFunc(got, func(what string) bool { return !slices.Contains(want, what) })
	if !slices.Equal(got, want) {
		t.Errorf("the pods did %q, not %q", got, want)
	}
}

// A change that came to nothing leaves no page beside a shop that is there again.
func TestFailedChangeTakesItsMaintenancePageDown(t *testing.T) {
	t.Parallel()
	p, st := openedBefore(t)
	seen := p.followPods(t, st)
	kubetest.Simulate(t, st.Namespace, "fail=job-failed", "component=setup")
	p.upgrade(t, st, store.UpgradeRequest{Stay: true, Images: map[string]string{"wordpress": "another"}})
	if failed := p.changed(t, st); failed.Status != store.Failed || failed.Job.Failure.Step != store.StepSetup {
		t.Fatalf("it is %s: %+v", failed.Status, failed.Job.Failure)
	}
	kubetest.Within(t, "the page is down", func() bool {
		pods, err := p.admin.CoreV1().Pods(st.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: kube.LabelComponent + "=maintenance"})
		return err == nil && len(pods.Items) == 0
	})
	if got := seen(); !slices.Contains(got, "maintenance ready") {
		t.Errorf("there was no page: the pods did %q", got)
	}
}

// A change that leaves the shop's own pods as they are shows customers nothing.
func TestChangeThatTakesNothingAwayNeedsNoMaintenancePage(t *testing.T) {
	t.Parallel()
	p, st := openedBefore(t)
	seen := p.followPods(t, st)
	p.upgrade(t, st, store.UpgradeRequest{})
	if after := p.changed(t, st); after.Status != store.Ready || after.ChartVersion != newerChart {
		t.Fatalf("it is %s, of chart %s", after.Status, after.ChartVersion)
	}
	if got := seen(); slices.Contains(got, "maintenance comes") || !slices.Contains(got, "mariadb leaves") {
		t.Errorf("the pods did %q", got)
	}
}

// A shop that must be changed is changed, also where there is no room for the page.
func TestChangeGoesOnWithoutItsMaintenancePage(t *testing.T) {
	t.Parallel()
	for name, patch := range map[string]string{
		"refused":     `{"containers":[{"name":"maintenance","resources":{"limits":{"memory":"1Ti"}}}]}`,
		"not started": `{"nodeSelector":{"there":"is-none"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, st := openedBefore(t)
			whole := `{"spec":{"jobTemplate":{"spec":{"template":{"spec":` + patch + `}}}}}`
			if _, err := p.admin.BatchV1().CronJobs(st.Namespace).Patch(t.Context(), "maintenance", types.StrategicMergePatchType, []byte(whole), metav1.PatchOptions{}); err != nil {
				t.Fatal(err)
			}
			p.upgrade(t, st, store.UpgradeRequest{Images: map[string]string{"wordpress": "another"}})
			if after := p.changed(t, st); after.Status != store.Ready || after.ChartVersion != newerChart {
				t.Fatalf("it is %s, of chart %s: %+v", after.Status, after.ChartVersion, after.Job.Failure)
			}
			left, err := p.admin.CoreV1().Pods(st.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: kube.LabelComponent + "=maintenance"})
			if err != nil {
				t.Fatal(err)
			}
			for _, pod := range left.Items {
				if pod.DeletionTimestamp == nil {
					t.Errorf("pod %s is left", pod.Name)
				}
			}
		})
	}
}

// followPods notes what the store's pods do from now on, in the order of the cluster. The function
// that it returns ends that and tells.
func (p *platform) followPods(t *testing.T, st store.Store) func() []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	list, err := p.admin.CoreV1().Pods(st.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	was := map[types.UID]corev1.Pod{}
	for _, pod := range list.Items {
		was[pod.UID] = pod
	}
	watch, err := p.admin.CoreV1().Pods(st.Namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan []string, 1)
	go func() {
		var seen []string
		for event := range watch.ResultChan() {
			if pod, ok := event.Object.(*corev1.Pod); ok {
				seen = append(seen, changesOf(was[pod.UID], *pod)...)
				was[pod.UID] = *pod
			}
		}
		told <- seen
	}()
	return func() []string { cancel(); return <-told }
}

// changesOf returns what a pod has done since it was last seen.
func changesOf(was, is corev1.Pod) (all []string) {
	ready := func(pod corev1.Pod) bool {
		return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
	}
	component := is.Labels[kube.LabelComponent]
	for what, holds := range map[string]func(corev1.Pod) bool{
		"comes":  func(pod corev1.Pod) bool { return pod.UID != "" },
		"ready":  ready,
		"leaves": func(pod corev1.Pod) bool { return pod.DeletionTimestamp != nil },
	} {
		if holds(is) && !holds(was) {
			all = append(all, strings.Join([]string{component, what}, " "))
		}
	}
	return all
}
