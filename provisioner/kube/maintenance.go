package kube

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maintenance is the name of the suspended CronJob whose template is the pod that answers customers
// while the shop restarts.
const maintenance = "maintenance"

// ShowMaintenance creates that pod, with the key as part of its name, unless it exists. It reports false
// if the chart in place has no such CronJob. The pod is deleted together with the CronJob.
func (c *Client) ShowMaintenance(ctx context.Context, owner Owner, key string) (bool, error) {
	cron, err := c.set.BatchV1().CronJobs(owner.Namespace).Get(ctx, maintenance, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read cron job %s/%s: %w", owner.Namespace, maintenance, err)
	}
	template := cron.Spec.JobTemplate.Spec.Template
	pod := &corev1.Pod{ObjectMeta: owner.meta(maintenance + "-" + key), Spec: template.Spec}
	for label, value := range template.Labels {
		if _, ours := pod.Labels[label]; !ours {
			pod.Labels[label] = value
		}
	}
	pod.Annotations = template.Annotations
	pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: cron.Name, UID: cron.UID}}
	_, err = c.set.CoreV1().Pods(owner.Namespace).Create(ctx, pod, metav1.CreateOptions{})
	return true, unlessThere(err, "create the maintenance pod in "+owner.Namespace)
}
