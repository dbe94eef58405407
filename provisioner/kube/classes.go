package kube

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/client-go/tools/cache"
)

// Classes are what a cluster offers of storage and of ingress, by name.
type Classes struct {
	Storage        []string
	Retaining      []string // those whose disks stay when their claims go
	DefaultStorage bool     // one of them is taken by a volume claim that names none
	Ingress        []string
}

// isDefaultStorage marks the storage class of claims that name none.
// https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass
const isDefaultStorage = "storageclass.kubernetes.io/is-default-class"

// Classes returns the classes in the informer's cache.
func (w *Watcher) Classes() Classes {
	var c Classes
	all(w.storageClasses, func(s *storagev1.StorageClass) {
		c.Storage = append(c.Storage, s.Name)
		if s.ReclaimPolicy != nil && *s.ReclaimPolicy == corev1.PersistentVolumeReclaimRetain {
			c.Retaining = append(c.Retaining, s.Name)
		}
		c.DefaultStorage = c.DefaultStorage || s.Annotations[isDefaultStorage] == "true"
	})
	all(w.ingressClasses, func(i *networkingv1.IngressClass) { c.Ingress = append(c.Ingress, i.Name) })
	slices.Sort(c.Storage)
	slices.Sort(c.Ingress)
	return c
}

// Retained are the names of the persistent volumes that stay, with all that is on them, when the namespace goes:
// the storage class of their claims says so.
func (w *Watcher) Retained(namespace string) []string {
	retaining := w.Classes().Retaining
	var disks []string
	for _, v := range w.Snapshot(namespace).Volumes {
		if v.Disk != "" && slices.Contains(retaining, v.Class) {
			disks = append(disks, v.Disk)
		}
	}
	return disks
}

func all[T any](indexer cache.Indexer, do func(T)) {
	for _, object := range indexer.List() {
		do(object.(T))
	}
}
