package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

const (
	credentialsName = "store-credentials"
	kubeVersion     = "1.37.0"
)

// floor is what cannot be undercut without leaving something out: it keeps no records, the
// objects are rendered once, and each is one request in the most compact encoding. Shared
// watches that are open before tell when a store is ready.
type floor struct {
	set     kubernetes.Interface
	deploys cache.Indexer
	jobs    cache.Indexer
	pods    cache.Indexer
	claims  cache.Indexer
	changed kube.Signals // by namespace
	stop    context.CancelFunc
	watches informers.SharedInformerFactory
	release []byte
	objects []runtime.Object
}

func newFloor(ctx context.Context, at target) (*floor, error) {
	config := rest.CopyConfig(at.config)
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	f := &floor{set: set}
	if err := f.render(); err != nil {
		return nil, err
	}
	return f, f.watch(ctx)
}

func (f *floor) close() {
	f.stop()
	f.watches.Shutdown()
}

// render makes the objects of a store, and the record that Helm would keep of it.
func (f *floor) render() error {
	values, err := neutralValues("floor")
	if err != nil {
		return err
	}
	manifest, err := helm.Render(helm.Request{Namespace: "floor", Name: releaseName, Chart: neutral{}.Chart(), Values: values}, kubeVersion)
	if err != nil {
		return err
	}
	for document := range strings.SplitSeq(manifest, "\n---\n") {
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode([]byte(document), nil, nil)
		if err != nil {
			return fmt.Errorf("decode object: %w\n%s", err, document)
		}
		f.objects = append(f.objects, object)
	}
	f.release, err = releaseRecord(manifest, values)
	return err
}

// releaseRecord is as large as what Helm keeps: it packs the manifest and the values, twice
// in base64 on the way to the API server.
func releaseRecord(manifest string, values map[string]any) ([]byte, error) {
	data, err := json.Marshal(map[string]any{"name": releaseName, "manifest": manifest, "config": values, "version": 1})
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return []byte(base64.StdEncoding.EncodeToString(packed.Bytes())), nil
}

func (f *floor) watch(ctx context.Context) error {
	f.watches = informers.NewSharedInformerFactoryWithOptions(f.set, 0,
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = kube.LabelStoreID }))
	apps, batch, core := f.watches.Apps().V1(), f.watches.Batch().V1(), f.watches.Core().V1()
	for _, informer := range []cache.SharedIndexInformer{
		apps.Deployments().Informer(), batch.Jobs().Informer(), core.Pods().Informer(), core.PersistentVolumeClaims().Informer(),
	} {
		if _, err := informer.AddEventHandler(f.handler()); err != nil {
			return err
		}
	}
	f.deploys, f.jobs, f.pods = apps.Deployments().Informer().GetIndexer(), batch.Jobs().Informer().GetIndexer(), core.Pods().Informer().GetIndexer()
	f.claims = core.PersistentVolumeClaims().Informer().GetIndexer()
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	f.stop = stop
	f.watches.StartWithContext(watching)
	f.watches.WaitForCacheSync(ctx.Done())
	return ctx.Err()
}

func (f *floor) handler() cache.ResourceEventHandler {
	tell := func(object any) {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		if m, err := meta.Accessor(object); err == nil {
			f.changed.Send(m.GetNamespace())
		}
	}
	return cache.ResourceEventHandlerFuncs{AddFunc: tell, UpdateFunc: func(_, object any) { tell(object) }, DeleteFunc: tell}
}

func (f *floor) create(ctx context.Context, name string) error {
	namespace := store.Namespace(name)
	changed, cancel := f.changed.Subscribe(namespace)
	defer cancel()
	for _, object := range append(frame(namespace), f.store(name)...) {
		if err := f.put(ctx, namespace, object); err != nil {
			return err
		}
	}
	return await(ctx, changed, func() bool { return f.ready(namespace) })
}

func await(ctx context.Context, changed <-chan struct{}, holds func() bool) error {
	for !holds() {
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// frame is what the platform puts around each store.
func frame(namespace string) []runtime.Object {
	labels := map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}
	return []runtime.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: labels}},
		&corev1.ResourceQuota{
			ObjectMeta: metav1.ObjectMeta{Name: "store"},
			Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{
				corev1.ResourcePods: resource.MustParse("20"), corev1.ResourceLimitsMemory: resource.MustParse("8Gi"),
			}},
		},
		&corev1.LimitRange{
			ObjectMeta: metav1.ObjectMeta{Name: "store"},
			Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
				Type: corev1.LimitTypeContainer, Max: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("4Gi")},
			}}},
		},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: credentialsName}, Data: map[string][]byte{"admin-password": []byte("measured-not-used")}},
	}
}

// store are the chart's objects, and Helm's record of them.
func (f *floor) store(name string) []runtime.Object {
	objects := []runtime.Object{&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "sh.helm.release.v1.store.v1", Labels: map[string]string{"owner": "helm", "status": "deployed"}},
		Type:       "helm.sh/release.v1", Data: map[string][]byte{"release": f.release},
	}}
	for _, object := range f.objects {
		object = object.DeepCopyObject()
		if m, err := meta.Accessor(object); err == nil {
			m.GetLabels()[kube.LabelStoreID] = name
		}
		objects = append(objects, object)
	}
	return objects
}

func (f *floor) put(ctx context.Context, namespace string, object runtime.Object) (err error) {
	core := f.set.CoreV1()
	var o metav1.CreateOptions
	switch object := object.(type) {
	case *corev1.Namespace:
		_, err = core.Namespaces().Create(ctx, object, o)
	case *corev1.ResourceQuota:
		_, err = core.ResourceQuotas(namespace).Create(ctx, object, o)
	case *corev1.LimitRange:
		_, err = core.LimitRanges(namespace).Create(ctx, object, o)
	case *corev1.Secret:
		_, err = core.Secrets(namespace).Create(ctx, object, o)
	case *corev1.ConfigMap:
		_, err = core.ConfigMaps(namespace).Create(ctx, object, o)
	case *corev1.PersistentVolumeClaim:
		_, err = core.PersistentVolumeClaims(namespace).Create(ctx, object, o)
	case *corev1.Service:
		_, err = core.Services(namespace).Create(ctx, object, o)
	case *appsv1.Deployment:
		_, err = f.set.AppsV1().Deployments(namespace).Create(ctx, object, o)
	case *batchv1.Job:
		_, err = f.set.BatchV1().Jobs(namespace).Create(ctx, object, o)
	default:
		err = fmt.Errorf("the floor has no way to create a %T", object)
	}
	return err
}

// ready reports whether every workload is ready and every job has come to its end.
func (f *floor) ready(namespace string) bool {
	workloads, jobs := inNamespace(f.deploys, namespace), inNamespace(f.jobs, namespace)
	for _, object := range workloads {
		if object.(*appsv1.Deployment).Status.ReadyReplicas == 0 {
			return false
		}
	}
	for _, object := range jobs {
		if object.(*batchv1.Job).Status.CompletionTime == nil {
			return false
		}
	}
	return len(workloads)+len(jobs) == 2
}

func inNamespace(indexer cache.Indexer, namespace string) []any {
	objects, err := indexer.ByIndex(cache.NamespaceIndex, namespace)
	if err != nil {
		panic(err) // only without that index, which the factory's informers have
	}
	return objects
}

// remove deletes what makes pods and volumes first: a namespace that is empty goes in the
// shortest time there is.
func (f *floor) remove(ctx context.Context, name string) error {
	namespace := store.Namespace(name)
	changed, cancel := f.changed.Subscribe(namespace)
	defer cancel()
	background := metav1.DeletePropagationBackground
	o := metav1.DeleteOptions{PropagationPolicy: &background}
	for _, object := range slices.Concat(inNamespace(f.deploys, namespace), inNamespace(f.jobs, namespace), inNamespace(f.claims, namespace)) {
		var err error
		switch object := object.(type) {
		case *appsv1.Deployment:
			err = f.set.AppsV1().Deployments(namespace).Delete(ctx, object.Name, o)
		case *batchv1.Job:
			err = f.set.BatchV1().Jobs(namespace).Delete(ctx, object.Name, o)
		case *corev1.PersistentVolumeClaim:
			err = f.set.CoreV1().PersistentVolumeClaims(namespace).Delete(ctx, object.Name, o)
		}
		if err != nil {
			return err
		}
	}
	if err := await(ctx, changed, func() bool { return len(inNamespace(f.pods, namespace))+len(inNamespace(f.claims, namespace)) == 0 }); err != nil {
		return err
	}
	return removeNamespace(ctx, f.set, namespace)
}
