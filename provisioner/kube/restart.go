package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Restart removes the jobs of the component and the named pods, so that what made them
// makes them anew instead of waiting out its back-off.
func (c *Client) Restart(ctx context.Context, namespace, component string, pods []string) error {
	background := metav1.DeletePropagationBackground
	err := c.set.BatchV1().Jobs(namespace).DeleteCollection(ctx,
		metav1.DeleteOptions{PropagationPolicy: &background},
		metav1.ListOptions{LabelSelector: LabelComponent + "=" + component})
	if err != nil {
		return fmt.Errorf("delete jobs of %s in %s: %w", component, namespace, err)
	}
	for _, pod := range pods {
		err := c.set.CoreV1().Pods(namespace).Delete(ctx, pod, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete pod %s/%s: %w", namespace, pod, err)
		}
	}
	return nil
}
