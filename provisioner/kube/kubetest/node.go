package kubetest

import (
	"context"
	"testing"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// taintOfNodes keeps the pods of other tests off the nodes of one.
const taintOfNodes = "kubetest"

// NewNode makes a simulated node with so much CPU and memory, and returns its name. No pod is placed on it but those that
// [OnNode] is for.
func NewNode(t testing.TB, cpu, memory string) string {
	t.Helper()
	name, admin := "node-"+uuid.NewString()[24:], Admin(t)
	_, err := admin.CoreV1().Nodes().Create(t.Context(), &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name}},
		Spec:       corev1.NodeSpec{Taints: []corev1.Taint{{Key: taintOfNodes, Value: name, Effect: corev1.TaintEffectNoSchedule}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.CoreV1().Nodes().Delete(context.Background(), name, metav1.DeleteOptions{}) })
	Within(t, "the node is ready, and no taint but ours is left", func() bool {
		node, err := admin.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
		return err == nil && node.Status.Allocatable.Cpu().Value() > 0 && len(node.Spec.Taints) == 1
	})
	gives := `{"cpu": "` + cpu + `", "memory": "` + memory + `", "pods": "110"}`
	patch := []byte(`{"status": {"allocatable": ` + gives + `, "capacity": ` + gives + `}}`)
	if _, err := admin.CoreV1().Nodes().Patch(t.Context(), name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
	return name
}

// OnNode are values of an engine's chart which place its stores on that node only.
func OnNode(name string) map[string]any {
	return map[string]any{
		"nodeSelector": map[string]any{corev1.LabelHostname: name},
		"tolerations":  []any{map[string]any{"key": taintOfNodes, "value": name}},
	}
}

// Occupy makes a pod on the node that requests so much CPU and memory.
func Occupy(t testing.TB, node, cpu, memory string) {
	t.Helper()
	admin, namespace := Admin(t), "occupy-"+node
	if _, err := admin.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = admin.CoreV1().Namespaces().Delete(context.Background(), namespace, metav1.DeleteOptions{})
	})
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "occupies"}, Spec: corev1.PodSpec{
		NodeName: node,
		Containers: []corev1.Container{{Name: "any", Image: "any", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory),
		}}}},
	}}
	Within(t, "a pod can be made", func() bool { // once the namespace has its account
		_, err := admin.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{})
		return err == nil
	})
}
