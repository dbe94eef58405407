package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Use is how much of something a namespace uses, and may.
type Use struct {
	Name string // such as limits.memory
	Used string // empty where the cluster has not counted
	Hard string
}

// QuotaUse reads what the namespace uses of its quota, by name.
func (c *Client) QuotaUse(ctx context.Context, namespace string) ([]Use, error) {
	quota, err := c.set.CoreV1().ResourceQuotas(namespace).Get(ctx, limitsName, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read the resource quota of %s: %w", namespace, err)
	}
	var uses []Use
	for name, hard := range quota.Spec.Hard {
		use := Use{Name: string(name), Hard: hard.String()}
		if used, counted := quota.Status.Used[name]; counted {
			use.Used = used.String()
		}
		uses = append(uses, use)
	}
	slices.SortFunc(uses, func(a, b Use) int { return cmp.Compare(a.Name, b.Name) })
	return uses, nil
}
