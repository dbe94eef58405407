package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Nudge makes the controller of the workload reconcile it now. After pods were refused it would retry
// only after a backoff, which grows to more than 15 minutes.
func (c *Client) Nudge(ctx context.Context, namespace string, w Workload) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"annotations": map[string]string{annotationRetried: time.Now().UTC().Format(time.RFC3339Nano)},
	}})
	if err != nil {
		return err
	}
	switch w.Kind {
	case "Deployment": // its annotations are copied to the replica set, which makes the pods
		_, err = c.set.AppsV1().Deployments(namespace).Patch(ctx, w.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	case "StatefulSet":
		_, err = c.set.AppsV1().StatefulSets(namespace).Patch(ctx, w.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("nudge %s %s/%s: %w", w.Kind, namespace, w.Name, err)
	}
	return nil
}
