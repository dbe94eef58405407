package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"
)

// Watcher keeps a copy of what the cluster says about all stores, from shared watches that
// are filtered by our label, and which classes it offers. Reading it makes no call to the
// API server.
type Watcher struct {
	informers  []cache.SharedIndexInformer
	changed    *Signals
	losses     *losses
	synced     atomic.Bool
	pods       cache.Indexer
	sets       cache.Indexer
	deploys    cache.Indexer
	jobs       cache.Indexer
	claims     cache.Indexer
	namespaces cache.Indexer

	storageClasses cache.Indexer
	ingressClasses cache.Indexer
}

// NewWatcher prepares the watches; Run starts them.
func NewWatcher(c *Client) (*Watcher, error) {
	set, err := c.throttled()
	if err != nil {
		return nil, err
	}
	w := &Watcher{changed: &Signals{}, losses: &losses{gone: map[string]Loss{}}}
	core, apps, batch := set.CoreV1().RESTClient(), set.AppsV1().RESTClient(), set.BatchV1().RESTClient()
	for _, watch := range []struct {
		kind
		selected func(*metav1.ListOptions)
		handlers []cache.ResourceEventHandler
		copy     *cache.Indexer
	}{
		{kind{core, "pods", &corev1.Pod{}}, ofStores, w.telling(), &w.pods},
		{kind{apps, "statefulsets", &appsv1.StatefulSet{}}, ofStores, w.tellingLosses(), &w.sets},
		{kind{apps, "deployments", &appsv1.Deployment{}}, ofStores, w.tellingLosses(), &w.deploys},
		{kind{batch, "jobs", &batchv1.Job{}}, ofStores, w.telling(), &w.jobs},
		{kind{core, "persistentvolumeclaims", &corev1.PersistentVolumeClaim{}}, ofStores, w.tellingLosses(), &w.claims},
		{kind{core, "namespaces", &corev1.Namespace{}}, ofStores, w.tellingLosses(), &w.namespaces},
		{kind{set.StorageV1().RESTClient(), "storageclasses", &storagev1.StorageClass{}}, anything, nil, &w.storageClasses},
		{kind{set.NetworkingV1().RESTClient(), "ingressclasses", &networkingv1.IngressClass{}}, anything, nil, &w.ingressClasses},
	} {
		informer := watch.informer(metav1.NamespaceAll, watch.selected)
		for _, handler := range watch.handlers {
			if _, err := informer.AddEventHandler(handler); err != nil {
				return nil, fmt.Errorf("prepare watches: %w", err)
			}
		}
		w.informers = append(w.informers, informer)
		*watch.copy = informer.GetIndexer()
	}
	return w, nil
}

func (w *Watcher) telling() []cache.ResourceEventHandler {
	return []cache.ResourceEventHandler{w.handler()}
}

func (w *Watcher) tellingLosses() []cache.ResourceEventHandler {
	return append(w.telling(), w.losses.handler())
}

// Run watches until the context is done and returns when all watches have ended. It calls
// synced once everything that exists has been read.
func (w *Watcher) Run(ctx context.Context, synced func()) {
	runInformers(ctx, func() { w.synced.Store(true); synced() }, w.informers...)
}

// Synced reports whether everything that existed when the watches began has been read.
func (w *Watcher) Synced() bool { return w.synced.Load() }

// Subscribe returns a channel that is signalled when anything in the namespace changes,
// and a function that ends it.
func (w *Watcher) Subscribe(namespace string) (changed <-chan struct{}, cancel func()) {
	return w.changed.Subscribe(namespace)
}

func (w *Watcher) handler() cache.ResourceEventHandler {
	tell := func(object any) {
		if m, err := meta.Accessor(lastSeen(object)); err == nil {
			w.changed.Send(cmp.Or(m.GetNamespace(), m.GetName()))
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    tell,
		UpdateFunc: func(_, object any) { tell(object) },
		DeleteFunc: tell,
	}
}

// Snapshot is what the watches say about one namespace.
type Snapshot struct {
	Namespace NamespaceState // as far as the watch has seen
	Pods      []Pod
	Workloads []Workload
	Jobs      []Job
	Volumes   []Volume
}

// OwnedNamespace is a namespace that bears a store's id.
type OwnedNamespace struct {
	Name      string
	StoreID   string
	CreatedAt time.Time
	Leaving   bool // on its way out
}

// Namespaces returns all that bear a store's id, by name.
func (w *Watcher) Namespaces() (owned []OwnedNamespace) {
	all(w.namespaces, func(ns *corev1.Namespace) {
		if id := ns.Labels[LabelStoreID]; id != "" {
			owned = append(owned, OwnedNamespace{Name: ns.Name, StoreID: id, CreatedAt: ns.CreationTimestamp.Time, Leaving: ns.DeletionTimestamp != nil})
		}
	})
	slices.SortFunc(owned, func(a, b OwnedNamespace) int { return strings.Compare(a.Name, b.Name) })
	return owned
}

// Workload is a Deployment or StatefulSet.
type Workload struct {
	Kind      string
	Name      string
	Component string
	Want      int32 // pods
	Asked     int32 // pods that its chart asks for
	Pods      int32 // that are there
	Ready     int32
	CreatedAt time.Time

	unobserved bool   // its controller has not looked at the present template yet
	replaces   string // the revision of its template, where pods of another one stay until somebody deletes them
}

// Drifted reports whether somebody has scaled it since its chart was applied.
func (w Workload) Drifted() bool { return w.Want != w.Asked }

// LacksPods reports whether there are fewer pods than there should be.
func (w Workload) LacksPods() bool { return w.Pods < w.Want }

// Done reports whether all replicas of the present template are ready.
func (w Workload) Done() bool { return w.Ready >= w.Want }

// Job is a batch job.
type Job struct {
	Name      string
	UID       string
	Component string
	Run       string // the job of ours for which it makes or loads a restore point; empty for other Jobs
	Suspended bool   // it gets no pods for now
	Succeeded bool
	Failed    bool
	Reason    string // why it failed
	Message   string
	Active    int32 // pods at work
	Attempts  int32 // pods that failed so far
	CreatedAt time.Time
}

// LacksPods reports whether it waits for a pod: between two tries, or because none is let in.
func (j Job) LacksPods() bool {
	return j.Name != "" && !j.Succeeded && !j.Failed && !j.Suspended && j.Active == 0
}

// Volume is a volume claim.
type Volume struct {
	Name     string
	Phase    string
	Capacity string
	Leaving  bool   // on its way out
	Class    string // its storage class
	Disk     string // the persistent volume that it is bound to
}

// Snapshot returns what is known of the namespace now.
func (w *Watcher) Snapshot(namespace string) Snapshot {
	s := Snapshot{Namespace: w.state(namespace)}
	each(w.deploys, namespace, func(d *appsv1.Deployment) { s.Workloads = append(s.Workloads, deployment(d)) })
	each(w.sets, namespace, func(x *appsv1.StatefulSet) { s.Workloads = append(s.Workloads, statefulSet(x)) })
	each(w.pods, namespace, func(p *corev1.Pod) { s.Pods = append(s.Pods, podAmong(p, s.Workloads)) })
	each(w.jobs, namespace, func(j *batchv1.Job) { s.Jobs = append(s.Jobs, JobOf(j)) })
	each(w.claims, namespace, func(c *corev1.PersistentVolumeClaim) { s.Volumes = append(s.Volumes, volumeOf(c)) })
	slices.SortFunc(s.Pods, func(a, b Pod) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Workloads, func(a, b Workload) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Volumes, func(a, b Volume) int { return strings.Compare(a.Name, b.Name) })
	return s
}

// Holds reports whether the namespace holds workloads, pods, jobs or volume claims of the store,
// whatever the namespace's own labels say.
func (w *Watcher) Holds(owner Owner) bool {
	for _, indexer := range []cache.Indexer{w.deploys, w.sets, w.pods, w.jobs, w.claims} {
		held := false
		each(indexer, owner.Namespace, func(object metav1.Object) { held = held || owner.owns(object) })
		if held {
			return true
		}
	}
	return false
}

// Unready are the ids of the stores with a workload that lacks ready pods.
func (w *Watcher) Unready() map[string]bool {
	ids := map[string]bool{}
	note := func(object metav1.Object, is Workload) {
		if !is.Done() {
			ids[object.GetLabels()[LabelStoreID]] = true
		}
	}
	each(w.deploys, metav1.NamespaceAll, func(d *appsv1.Deployment) { note(d, deployment(d)) })
	each(w.sets, metav1.NamespaceAll, func(s *appsv1.StatefulSet) { note(s, statefulSet(s)) })
	return ids
}

func (w *Watcher) state(namespace string) NamespaceState {
	object, there, err := w.namespaces.GetByKey(namespace)
	if err != nil || !there {
		return NamespaceState{Phase: Missing}
	}
	return stateOf(object.(*corev1.Namespace))
}

func each[T any](indexer cache.Indexer, namespace string, do func(T)) {
	// The error is for a missing index only, for which ListAllByNamespace has its own way.
	_ = cache.ListAllByNamespace(indexer, namespace, labels.Everything(), func(object any) { do(object.(T)) })
}

func workload(kind string, m metav1.Object, want *int32, there int32) Workload {
	w := Workload{Kind: kind, Name: m.GetName(), Component: m.GetLabels()[LabelComponent], Want: replicas(want), Pods: there, CreatedAt: m.GetCreationTimestamp().Time}
	w.Asked = w.Want
	if asked, err := strconv.ParseInt(m.GetAnnotations()[annotationReplicas], 10, 32); err == nil {
		w.Asked = int32(asked)
	}
	return w
}

func deployment(d *appsv1.Deployment) Workload {
	w := workload("Deployment", d, d.Spec.Replicas, d.Status.Replicas)
	if d.Status.ObservedGeneration >= d.Generation {
		w.Ready = upToDate(d.Status.Replicas, d.Status.ReadyReplicas, d.Status.UpdatedReplicas)
	}
	return w
}

func statefulSet(s *appsv1.StatefulSet) Workload {
	w := workload("StatefulSet", s, s.Spec.Replicas, s.Status.Replicas)
	w.unobserved = s.Status.ObservedGeneration < s.Generation
	if !w.unobserved {
		w.Ready = upToDate(s.Status.Replicas, s.Status.ReadyReplicas, s.Status.UpdatedReplicas)
		if s.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType {
			w.replaces = s.Status.UpdateRevision
		}
	}
	return w
}

// upToDate is how many pods of the present template are ready at least: those of an older one
// may all be.
func upToDate(all, ready, updated int32) int32 { return max(0, min(ready-(all-updated), updated)) }

// JobOf reads a job of the API.
func JobOf(j *batchv1.Job) Job {
	job := Job{Name: j.Name, UID: string(j.UID), Component: j.Labels[LabelComponent], Run: j.Annotations[annotationRun], Suspended: j.Spec.Suspend != nil && *j.Spec.Suspend, Active: j.Status.Active, Attempts: j.Status.Failed, CreatedAt: j.CreationTimestamp.Time}
	for _, condition := range j.Status.Conditions {
		if condition.Status != corev1.ConditionTrue {
			continue
		}
		switch condition.Type {
		case batchv1.JobComplete:
			job.Succeeded = true
		case batchv1.JobFailed:
			job.Failed, job.Reason, job.Message = true, condition.Reason, condition.Message
		}
	}
	return job
}

func volumeOf(c *corev1.PersistentVolumeClaim) Volume {
	capacity := c.Status.Capacity[corev1.ResourceStorage]
	v := Volume{
		Name: c.Name, Phase: string(c.Status.Phase), Capacity: capacity.String(), Leaving: c.DeletionTimestamp != nil, Disk: c.Spec.VolumeName,
	}
	if c.Spec.StorageClassName != nil {
		v.Class = *c.Spec.StorageClassName
	}
	return v
}

func replicas(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}
