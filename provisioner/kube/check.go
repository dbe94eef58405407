package kube

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// annotationCheck tells one run of a check from another.
const annotationCheck = "shopwright.dev/check"

// CheckRun is one run of the pod that a chart is tested with.
type CheckRun struct {
	Manifest string            // of the pod, as the chart makes it
	Key      string            // part of the pod's name; the same for whoever goes on with the run
	Env      map[string]string // over what the chart gives to its containers
}

// CreateCheck makes the pod of a run. One that exists is left as it is.
func (c *Client) CreateCheck(ctx context.Context, owner Owner, run CheckRun) error {
	var pod corev1.Pod
	if err := yaml.UnmarshalStrict([]byte(run.Manifest), &pod); err != nil {
		return fmt.Errorf("read the chart's check: %w", err)
	}
	meta := owner.meta(pod.Name + "-" + run.Key)
	for key, value := range pod.Labels {
		if _, ours := meta.Labels[key]; !ours {
			meta.Labels[key] = value
		}
	}
	meta.Annotations = map[string]string{annotationCheck: run.Key}
	pod.ObjectMeta = meta
	for i := range pod.Spec.Containers {
		override(&pod.Spec.Containers[i], run.Env)
	}
	_, err := c.set.CoreV1().Pods(owner.Namespace).Create(ctx, &pod, metav1.CreateOptions{})
	return unlessThere(err, "create check in "+owner.Namespace)
}

func override(c *corev1.Container, env map[string]string) {
	for i := range c.Env {
		if value, ok := env[c.Env[i].Name]; ok {
			c.Env[i].Value = value
		}
	}
}
