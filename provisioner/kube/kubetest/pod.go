package kubetest

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PodImage is the image of the first container of a pod that a workload keeps. For a moment such a
// pod may not be there: whoever deletes it by its name, as the simulated kubelet does, may meet the
// one that has just come in its place.
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
