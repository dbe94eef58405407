package kube

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// GrowClaim asks for the volume claim to become so large, unless it is already or is not there.
// The API server refuses where the storage class does not let claims grow.
func (c *Client) GrowClaim(ctx context.Context, namespace, name, size string) error {
	wanted, err := resource.ParseQuantity(size)
	if err != nil {
		return fmt.Errorf("grow claim %s/%s to %q: %w", namespace, name, size, err)
	}
	claims := c.set.CoreV1().PersistentVolumeClaims(namespace)
	claim, err := claims.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read claim %s/%s: %w", namespace, name, err)
	}
	if now := claim.Spec.Resources.Requests[corev1.ResourceStorage]; now.Cmp(wanted) >= 0 {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{
		"resources": map[string]any{"requests": map[string]string{"storage": size}},
	}})
	if err != nil {
		return err
	}
	if _, err := claims.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("grow claim %s/%s to %s: %w", namespace, name, size, err)
	}
	return nil
}
