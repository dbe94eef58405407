package kube

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A pod says something about a change once its controller has looked at the present template, and the pod is of it.
func TestPodsOfAnotherTemplateAreSuperseded(t *testing.T) {
	t.Parallel()
	yes, now := true, metav1.Now()
	for what, c := range map[string]struct {
		observed   int64
		revision   string
		leaves     *metav1.Time
		superseded bool
		outdated   bool
	}{
		"of the present one": {observed: 2, revision: "b"},
		"of the one before":  {observed: 2, revision: "a", superseded: true, outdated: true},
		"asked to go":        {observed: 2, revision: "a", leaves: &now, superseded: true},
		"not looked at yet":  {observed: 1, revision: "a", superseded: true},
	} {
		set := &appsv1.StatefulSet{
			ObjectMeta: metav1.ObjectMeta{Name: "mariadb", Generation: 2},
			Spec:       appsv1.StatefulSetSpec{UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType}},
			Status:     appsv1.StatefulSetStatus{ObservedGeneration: c.observed, UpdateRevision: "b"},
		}
		pod := podAmong(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Name: "mariadb-0", DeletionTimestamp: c.leaves, Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: c.revision},
			OwnerReferences: []metav1.OwnerReference{{Kind: "StatefulSet", Name: "mariadb", Controller: &yes}},
		}}, []Workload{statefulSet(set)})
		if pod.Superseded() != c.superseded || pod.Outdated != c.outdated {
			t.Errorf("%s: superseded %t, outdated %t", what, pod.Superseded(), pod.Outdated)
		}
	}
}
