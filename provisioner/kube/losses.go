package kube

import (
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/cache"
)

// losses collect observed deletions by store id.
type losses struct {
	seen Signals
	mu   sync.Mutex
	gone map[string]Loss
}

// Loss is what one store has lost, as seen by the watches.
type Loss struct {
	Namespace bool
	Workloads []string // by name
}

// SubscribeLosses returns a channel and a function that ends the subscription. The channel is
// signalled when a workload, a volume claim or the namespace of a store is deleted or gets another
// store label, and as soon as the deletion of a claim is requested.
func (w *Watcher) SubscribeLosses() (seen <-chan struct{}, cancel func()) {
	return w.losses.seen.Subscribe("")
}

// Losses returns what was lost since the last call, by store id. It may be back by now.
func (w *Watcher) Losses() map[string]Loss {
	w.losses.mu.Lock()
	defer w.losses.mu.Unlock()
	gone := maps.Clone(w.losses.gone)
	clear(w.losses.gone)
	return gone
}

func (l *losses) handler() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		UpdateFunc: func(before, object any) {
			if isLeavingClaim(object) && !isLeavingClaim(before) || isRelabelled(before, object) {
				l.add(before)
			}
		},
		DeleteFunc: func(object any) { l.add(lastSeen(object)) },
	}
}

// isLeavingClaim reports whether the object is a volume claim that is being deleted. Kubernetes keeps
// the claim and its data until no pod uses it.
func isLeavingClaim(object any) bool {
	claim, is := object.(*corev1.PersistentVolumeClaim)
	return is && claim.DeletionTimestamp != nil
}

// isRelabelled reports whether the object has got another store label.
func isRelabelled(before, now any) bool {
	b, err := meta.Accessor(before)
	if err != nil {
		return false
	}
	n, err := meta.Accessor(now)
	return err == nil && b.GetLabels()[LabelStoreID] != n.GetLabels()[LabelStoreID]
}

func (l *losses) add(object any) {
	m, err := meta.Accessor(object)
	if err != nil {
		return
	}
	id := m.GetLabels()[LabelStoreID]
	l.mu.Lock()
	loss := l.gone[id]
	switch object.(type) {
	case *corev1.Namespace:
		loss.Namespace = true
	case *corev1.PersistentVolumeClaim: // the database knows which claims a store must have
	default:
		loss.Workloads = append(loss.Workloads, m.GetName())
	}
	l.gone[id] = loss
	l.mu.Unlock()
	l.seen.Send("")
}

// lastSeen returns the object itself, also if the watch missed its deletion.
func lastSeen(object any) any {
	if missed, ok := object.(cache.DeletedFinalStateUnknown); ok {
		return missed.Obj
	}
	return object
}
