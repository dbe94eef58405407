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

// kind is what an informer watches. client-go's informer factory would link the code for every kind
// of Kubernetes into the program.
type kind struct {
	group    rest.Interface
	resource string // in addresses, such as pods
	object   runtime.Object
}

// informer returns an informer for the selected objects of the kind, in the namespace or, if that is
// empty, in all of them.
func (k kind) informer(namespace string, selected func(*metav1.ListOptions)) cache.SharedIndexInformer {
	listing := cache.NewFilteredListWatchFromClient(k.group, k.resource, namespace, selected)
	informer := cache.NewSharedIndexInformer(listing, k.object, 0, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	_ = informer.SetTransform(withoutManagedFields) // fails only once it runs
	return informer
}

// anything selects every object.
func anything(*metav1.ListOptions) {}

// ofStores selects objects with a store label.
func ofStores(o *metav1.ListOptions) { o.LabelSelector = LabelStoreID }

func withoutManagedFields(object any) (any, error) {
	if m, err := meta.Accessor(object); err == nil {
		m.SetManagedFields(nil)
	}
	return object, nil
}

// runInformers runs the informers until the context is done, and returns when all have ended. It
// calls synced once all existing objects have been read.
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
