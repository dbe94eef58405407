package kube

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Marks are the generations of the workloads and jobs of one store, by UID. They tell whether a watch
// has caught up with what was written.
type Marks map[types.UID]int64

// Marks reads the marks of a namespace from the API server, with three requests.
func (c *Client) Marks(ctx context.Context, namespace string) (Marks, error) {
	marks := Marks{}
	var options metav1.ListOptions
	ofStores(&options)
	deployments, err := c.set.AppsV1().Deployments(namespace).List(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("list deployments in %s: %w", namespace, err)
	}
	for i := range deployments.Items {
		marks.add(&deployments.Items[i])
	}
	sets, err := c.set.AppsV1().StatefulSets(namespace).List(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("list stateful sets in %s: %w", namespace, err)
	}
	for i := range sets.Items {
		marks.add(&sets.Items[i])
	}
	jobs, err := c.set.BatchV1().Jobs(namespace).List(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("list jobs in %s: %w", namespace, err)
	}
	for i := range jobs.Items {
		marks.add(&jobs.Items[i])
	}
	return marks, nil
}

// add leaves out objects that a controller makes and removes on its own schedule, such as a cron
// job's jobs, and objects that are being deleted.
func (m Marks) add(object metav1.Object) {
	if metav1.GetControllerOf(object) == nil && object.GetDeletionTimestamp() == nil {
		m[object.GetUID()] = object.GetGeneration()
	}
}

// Shows reports whether the watches have caught up with the marks: they show each marked object at
// its generation or a newer one, and no object that was already gone.
func (w *Watcher) Shows(namespace string, m Marks) bool {
	if m == nil {
		return true
	}
	seen := Marks{}
	each(w.deploys, namespace, func(d *appsv1.Deployment) { seen.add(d) })
	each(w.sets, namespace, func(s *appsv1.StatefulSet) { seen.add(s) })
	each(w.jobs, namespace, func(j *batchv1.Job) { seen.add(j) })
	for uid, generation := range m {
		if now, there := seen[uid]; !there || now < generation {
			return false
		}
	}
	return len(seen) == len(m)
}
