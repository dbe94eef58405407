package kube

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Marks tell how far a watch must have come to show what was written: the generations of
// the workloads and jobs of one store, by UID.
type Marks map[types.UID]int64

// Marks asks for them: three requests.
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

// add leaves out what others make and remove at their own time, such as a cron job's jobs,
// and what is on its way out.
func (m Marks) add(object metav1.Object) {
	if metav1.GetControllerOf(object) == nil && object.GetDeletionTimestamp() == nil {
		m[object.GetUID()] = object.GetGeneration()
	}
}

// Shows reports whether the watches have come so far: they show all that has a mark, at
// least as new, and nothing without one that was removed then.
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
