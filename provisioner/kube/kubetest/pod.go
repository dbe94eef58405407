package kubetest

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PodImage returns the image of the first container of a workload's pod. It waits while there is no
// such pod: the simulated kubelet deletes pods by name, without their UID, and sometimes deletes the
// replacement too.
func PodImage(t testing.TB, namespace, name string) (image string) {
	t.Helper()
	Within(t, "there is a pod "+namespace+"/"+name, func() bool {
		pod, err := Admin(t).CoreV1().Pods(namespace).Get(t.Context(), name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		image = pod.Spec.Containers[0].Image
		return true
	})
	return image
}
