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

// Loss is what of a store has been seen to go.
type Loss struct {
	Namespace bool
	Workloads []string // by name
}

// SubscribeLosses returns a channel that is signalled when a workload, a volume claim or a
// namespace of a store goes, a claim also when it is asked to go, and a function that ends it.
func (w *Watcher) SubscribeLosses() (seen <-chan struct{}, cancel func()) {
	return w.losses.seen.Subscribe("")
}

// Losses returns what has gone since it was last asked, by store id. It may have come back
// since.
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

// isLeavingClaim reports whether the object is a volume claim that was asked to go. A pod that
// uses it keeps it, and its data, until the pod ends.
func isLeavingClaim(object any) bool {
	claim, is := object.(*corev1.PersistentVolumeClaim)
	return is && claim.DeletionTimestamp != nil
}

// isRelabelled reports whether the object is no longer the store's that it was.
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
	case *corev1.PersistentVolumeClaim: // the store's record names those that it must have
	default:
		loss.Workloads = append(loss.Workloads, m.GetName())
	}
	l.gone[id] = loss
	l.mu.Unlock()
	l.seen.Send("")
}

// lastSeen is the object itself, also when its end was missed.
func lastSeen(object any) any {
	if missed, ok := object.(cache.DeletedFinalStateUnknown); ok {
		return missed.Obj
	}
	return object
}
