package kube

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// kind is what an informer follows. client-go has a factory that makes informers of all
// kinds there are; each program that holds it holds code for all of them.
type kind struct {
	group    rest.Interface
	resource string // in addresses, such as pods
	object   runtime.Object
}

// informer keeps a copy of the objects of the kind that are selected: in the namespace, or in
// all of them when it has no name.
func (k kind) informer(namespace string, selected func(*metav1.ListOptions)) cache.SharedIndexInformer {
	listing := cache.NewFilteredListWatchFromClient(k.group, k.resource, namespace, selected)
	informer := cache.NewSharedIndexInformer(listing, k.object, 0, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	_ = informer.SetTransform(withoutManagedFields) // fails only once it runs
	return informer
}

// anything selects every object.
func anything(*metav1.ListOptions) {}

// ofStores selects what bears a store's label.
func ofStores(o *metav1.ListOptions) { o.LabelSelector = LabelStoreID }

func withoutManagedFields(object any) (any, error) {
	if m, err := meta.Accessor(object); err == nil {
		m.SetManagedFields(nil)
	}
	return object, nil
}

// runInformers runs them until the context is done and returns when all have ended. It calls
// synced once all that exists has been read.
func runInformers(ctx context.Context, synced func(), informers ...cache.SharedIndexInformer) {
	var running sync.WaitGroup
	var read []cache.InformerSynced
	for _, informer := range informers {
		running.Go(func() { informer.RunWithContext(ctx) })
		read = append(read, informer.HasSynced)
	}
	if cache.WaitForCacheSync(ctx.Done(), read...) {
		synced()
	}
	running.Wait()
}
