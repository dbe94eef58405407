//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// keepEvidence writes down the state, the events and the logs of every namespace of ours.
func (c *cluster) keepEvidence(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	namespaces, err := c.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Errorf("keep evidence: %v", err)
		return
	}
	for _, n := range namespaces.Items {
		if n.Name != "shopwright" && !strings.HasPrefix(n.Name, "store-") {
			continue
		}
		if err := c.keepNamespace(ctx, n.Name); err != nil {
			t.Errorf("keep evidence of %s: %v", n.Name, err)
		}
	}
}

func (c *cluster) keepNamespace(ctx context.Context, namespace string) error {
	folder := filepath.Join(c.evidence, namespace)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	events, err := c.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, e := range events.Items {
		fmt.Fprintf(&lines, "%s %s %s/%s: %s: %s\n", e.LastTimestamp.Format(time.TimeOnly), e.Type, e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Reason, e.Message)
	}
	if err := os.WriteFile(filepath.Join(folder, "events.txt"), []byte(lines.String()), 0o600); err != nil {
		return err
	}
	pods, err := c.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, pod := range pods.Items {
		if err := c.keepPod(ctx, folder, pod); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) keepPod(ctx context.Context, folder string, pod corev1.Pod) error {
	pod.ManagedFields = nil
	text, err := yaml.Marshal(pod)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, pod.Name+".yaml"), text, 0o600); err != nil {
		return err
	}
	for _, container := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
		said, err := c.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: container.Name}).DoRaw(ctx)
		if err != nil {
			said = []byte(err.Error()) // it never started, which its state tells
		}
		if err := os.WriteFile(filepath.Join(folder, pod.Name+"."+container.Name+".log"), said, 0o600); err != nil {
			return err
		}
	}
	return nil
}
