package provisioner

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// demand is what a store takes of its quota when all its pods run at once.
type demand map[corev1.ResourceName]resource.Quantity

// kubeVersion is that for which demands are reckoned. What a chart asks for does not depend
// on it.
const kubeVersion = "v1.37.0"

// demands reckons, once for each engine, what its stores take: that does not depend on
// what distinguishes one from another.
type demands struct {
	mu    sync.Mutex
	known map[string]storeTakes
}

// storeTakes is what a store takes of its quota and of the nodes.
type storeTakes struct {
	quota demand
	nodes storeNeed
}

func (d *demands) of(e engine.Engine, site engine.Spec) (takes storeTakes, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if known, ok := d.known[e.Name()]; ok {
		return known, nil
	}
	manifest, err := anyStore(e, site)
	if err != nil {
		return takes, err
	}
	if takes.quota, err = demandOf(manifest, ofContainers()); err != nil {
		return takes, err
	}
	if takes.nodes, err = needOf(manifest, ofContainers()); err != nil {
		return takes, err
	}
	if d.known == nil {
		d.known = map[string]storeTakes{}
	}
	d.known[e.Name()] = takes
	return takes, nil
}

// anyStore is the manifest of a store of the engine, whichever it is.
func anyStore(e engine.Engine, site engine.Spec) (manifest string, err error) {
	spec := site
	spec.StoreID, spec.Name, spec.Host, spec.URL, spec.SecretName = "any", "Any", "any.localhost", "http://any.localhost", credentialsSecret
	values, err := e.Values(spec)
	if err != nil {
		return "", fmt.Errorf("make values: %w", err)
	}
	return helm.Render(helm.Request{Namespace: "any", Name: releaseName, Chart: e.Chart(), Values: values}, kubeVersion)
}

// CheckValues returns an error when the charts refuse what the operator wants of their
// stores, or when it is wanted of an engine that is not offered.
func CheckValues(engines engine.Registry, site engine.Spec) error {
	var wrong []error
	for name := range site.Values {
		e, known := engines.Find(name)
		if !known {
			wrong = append(wrong, fmt.Errorf("there is no engine %q", name))
			continue
		}
		if _, err := anyStore(e, site); err != nil {
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

// Fits returns a refusal, for the person who chooses the engine, when a new store would not
// fit its plan.
func (p *Provisioner) Fits(e engine.Engine, plan store.Plan) error {
	short, err := p.shortage(e, plan)
	if err == nil && len(short.Shortages) > 0 {
		return &store.Error{Code: store.Invalid, Field: "engine", Message: whyTooSmall(short) + " Ask the administrator for a larger plan."}
	}
	return err
}

// Misfits tells which engines' stores do not fit the plan, and why: one text for each.
func (p *Provisioner) Misfits(plan store.Plan) (all []string, err error) {
	for _, e := range p.engines.All() {
		short, err := p.shortage(e, plan)
		if err != nil {
			return nil, err
		}
		if len(short.Shortages) > 0 {
			all = append(all, whyTooSmall(short))
		}
	}
	return all, nil
}

func whyTooSmall(short store.Facts) string {
	return phrase.Failure(store.Failure{Code: store.PlanTooSmall, Facts: short}).Cause
}

// shortage is what the plan lacks for a store of the engine: no shortages when it fits.
func (p *Provisioner) shortage(e engine.Engine, plan store.Plan) (store.Facts, error) {
	takes, err := p.demands.of(e, p.site)
	if err != nil {
		return store.Facts{}, err
	}
	return store.Facts{Engine: e.Label(), Plan: plan.Label, Shortages: takes.quota.beyond(limitsOf(plan))}, nil
}

// demandOf adds up the pods and volumes of a manifest. A container that names no requests
// or limits gets those of the limits.
func demandOf(manifest string, limits kube.Limits) (demand, error) {
	d := demand{}
	err := eachObject(manifest, func(object runtime.Object) error {
		d.take(object, limits)
		return nil
	})
	return d, err
}

// eachObject calls do for the objects of a manifest whose kinds Kubernetes has itself.
func eachObject(manifest string, do func(runtime.Object) error) error {
	documents := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifest)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a manifest: %w", err)
		}
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(document, nil, nil)
		if runtime.IsNotRegisteredError(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read a manifest: %w", err)
		}
		if err := do(object); err != nil {
			return err
		}
	}
}

func (d demand) take(object runtime.Object, limits kube.Limits) {
	switch o := object.(type) {
	case *appsv1.Deployment:
		d.pods(o.Spec.Replicas, o.Spec.Template.Spec, limits)
	case *appsv1.StatefulSet:
		d.pods(o.Spec.Replicas, o.Spec.Template.Spec, limits)
		for _, claim := range o.Spec.VolumeClaimTemplates {
			d.claim(claim, count32(o.Spec.Replicas))
		}
	case *batchv1.Job:
		d.pods(o.Spec.Parallelism, o.Spec.Template.Spec, limits)
	case *batchv1.CronJob: // one at a time
		// These take the room of the setup, which needs more: they are never at work beside it.
		if component := o.Labels[kube.LabelComponent]; component == backupComponent || component == restoreComponent {
			return
		}
		d.pods(o.Spec.JobTemplate.Spec.Parallelism, o.Spec.JobTemplate.Spec.Template.Spec, limits)
	case *corev1.PersistentVolumeClaim:
		d.claim(*o, 1)
	}
}

func (d demand) pods(replicas *int32, pod corev1.PodSpec, limits kube.Limits) {
	for range count32(replicas) {
		d.add(corev1.ResourcePods, resource.MustParse("1"))
		for resourceName, quota := range map[corev1.ResourceName]corev1.ResourceName{
			corev1.ResourceCPU: corev1.ResourceRequestsCPU, corev1.ResourceMemory: corev1.ResourceRequestsMemory,
		} {
			d.add(quota, ofPod(pod, func(c corev1.Container) resource.Quantity {
				return orDefault(c.Resources.Requests, resourceName, limits.DefaultRequest)
			}))
		}
		for resourceName, quota := range map[corev1.ResourceName]corev1.ResourceName{
			corev1.ResourceCPU: corev1.ResourceLimitsCPU, corev1.ResourceMemory: corev1.ResourceLimitsMemory,
		} {
			d.add(quota, ofPod(pod, func(c corev1.Container) resource.Quantity {
				return orDefault(c.Resources.Limits, resourceName, limits.Default)
			}))
		}
	}
}

func (d demand) claim(c corev1.PersistentVolumeClaim, times int32) {
	for range times {
		d.add(corev1.ResourcePersistentVolumeClaims, resource.MustParse("1"))
		d.add(corev1.ResourceRequestsStorage, c.Spec.Resources.Requests[corev1.ResourceStorage])
	}
}

func (d demand) add(name corev1.ResourceName, q resource.Quantity) {
	sum := d[name]
	sum.Add(q)
	d[name] = sum
}

// ofPod is what a pod takes: as much as all its containers together, or as the greediest of
// those that run before them, one at a time.
// https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
func ofPod(pod corev1.PodSpec, of func(corev1.Container) resource.Quantity) resource.Quantity {
	var together resource.Quantity
	for _, c := range pod.Containers {
		together.Add(of(c))
	}
	for _, c := range pod.InitContainers {
		if alone := of(c); alone.Cmp(together) > 0 {
			together = alone
		}
	}
	return together
}

func orDefault(named corev1.ResourceList, name corev1.ResourceName, defaults map[corev1.ResourceName]string) resource.Quantity {
	if q, ok := named[name]; ok {
		return q
	}
	if text, ok := defaults[name]; ok {
		return resource.MustParse(text)
	}
	return resource.Quantity{}
}

func count32(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}
