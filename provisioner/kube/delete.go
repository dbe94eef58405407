package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DeleteJob removes the job and its pods.
func (c *Client) DeleteJob(ctx context.Context, namespace, name string) error {
	background := metav1.DeletePropagationBackground
	err := c.set.BatchV1().Jobs(namespace).Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &background})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete job %s/%s: %w", namespace, name, err)
	}
	return nil
}

// DeletePods removes the pods, so that what made them makes others instead of waiting out
// a back-off.
func (c *Client) DeletePods(ctx context.Context, namespace string, names []string) error {
	for _, name := range names {
		err := c.set.CoreV1().Pods(namespace).Delete(ctx, name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete pod %s/%s: %w", namespace, name, err)
		}
	}
	return nil
}
