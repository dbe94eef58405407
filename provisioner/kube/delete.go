package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
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

// ResumeJob lets a suspended Job have pods. One that has gone meanwhile is no error.
func (c *Client) ResumeJob(ctx context.Context, namespace, name string) error {
	_, err := c.set.BatchV1().Jobs(namespace).Patch(ctx, name, types.MergePatchType, []byte(`{"spec":{"suspend":false}}`), metav1.PatchOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("resume job %s/%s: %w", namespace, name, err)
	}
	return nil
}

// ReplacePod removes that very pod and not one that has come in its place.
func (c *Client) ReplacePod(ctx context.Context, namespace string, pod Pod) error {
	uid := types.UID(pod.UID)
	err := c.set.CoreV1().Pods(namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("replace pod %s/%s: %w", namespace, pod.Name, err)
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
