//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// workload selects the pods of a store that always run.
const workload = "app.kubernetes.io/component notin (setup, check, cron)"

// losePods deletes the store's pods one by one; each comes back before the next goes, and is
// well then. Pods end when they are asked to, and are not killed.
func (s *store) losePods(t *testing.T, well func(corev1.Pod) bool) {
	t.Helper()
	for _, pod := range s.pods(t, s.namespace(), workload) {
		component := pod.Labels["app.kubernetes.io/component"]
		began := time.Now()
		if err := s.CoreV1().Pods(s.namespace()).Delete(t.Context(), pod.Name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		within(t, 5*time.Minute, component+" ends", func(ctx context.Context) bool { return s.isGone(ctx, pod) })
		ended := time.Since(began)
		if grace := time.Duration(*pod.Spec.TerminationGracePeriodSeconds) * time.Second; ended >= grace {
			t.Errorf("%s had to be killed after %s", component, grace)
		}
		within(t, 5*time.Minute, "another "+component, func(ctx context.Context) bool { return s.isBack(ctx, pod, well) })
		s.note(t, "%s: %s is lost, ends in %s and is back after %s", s.slug, component, ended.Round(100*time.Millisecond), took(began))
	}
}

// isGone reports whether nothing is left of a pod, of which there may be another by the same name.
func (s *store) isGone(ctx context.Context, lost corev1.Pod) bool {
	pod, err := s.CoreV1().Pods(lost.Namespace).Get(ctx, lost.Name, metav1.GetOptions{})
	return apierrors.IsNotFound(err) || err == nil && pod.UID != lost.UID
}

// isBack reports whether the store has another pod in the place of one that was lost, and all are well.
func (s *store) isBack(ctx context.Context, lost corev1.Pod, well func(corev1.Pod) bool) bool {
	list, err := s.CoreV1().Pods(s.namespace()).List(ctx, metav1.ListOptions{LabelSelector: workload})
	if err != nil {
		return false
	}
	another := false
	for _, pod := range list.Items {
		if pod.UID == lost.UID || !well(pod) {
			return false
		}
		same := pod.Labels["app.kubernetes.io/component"] == lost.Labels["app.kubernetes.io/component"]
		another = another || same
	}
	return another
}

func isReady(pod corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return false
}

// isUp reports whether all containers of the pod have started. One of a shop that was never
// set up does not get ready.
func isUp(pod corev1.Pod) bool {
	for _, c := range pod.Status.ContainerStatuses {
		if c.Started == nil || !*c.Started || c.State.Running == nil {
			return false
		}
	}
	return len(pod.Status.ContainerStatuses) > 0 && pod.DeletionTimestamp == nil
}

// weigh tells what the store's pods take, as the kubelet counts it.
func (s *store) weigh(t *testing.T) {
	raw, err := s.CoreV1().RESTClient().Get().AbsPath("/api/v1/nodes/node-1/proxy/stats/summary").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var summary struct {
		Pods []struct {
			PodRef struct{ Name, Namespace string }
			Memory struct{ WorkingSetBytes int64 }
		}
	}
	if err := json.Unmarshal(raw, &summary); err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, pod := range summary.Pods {
		if pod.PodRef.Namespace == s.namespace() {
			total += pod.Memory.WorkingSetBytes
			t.Logf("%4d MiB %s", pod.Memory.WorkingSetBytes>>20, pod.PodRef.Name)
		}
	}
	if total == 0 {
		t.Error("the kubelet counts nothing")
	}
	s.note(t, "%s takes %d MiB of memory at rest", s.slug, total>>20)
}

// get asks the store's address as a customer does.
func (s *store) get(ctx context.Context, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address()+path, nil)
	if err != nil {
		return err
	}
	request.Host = s.host()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d", path, answer.StatusCode)
	}
	return nil
}
