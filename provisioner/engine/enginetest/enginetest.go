// Package enginetest renders the charts of engines for tests that look into them. It asks
// no cluster.
package enginetest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/helm"
)

// KubeVersion is that of the cluster which the charts are rendered for.
const KubeVersion = "1.37.0"

// Environments are those that charts have values for.
func Environments() []string { return []string{"local", "production"} }

// Spec is that of a shop whose name has all that a template could stumble over.
func Spec(environment string) engine.Spec {
	return engine.Spec{
		StoreID: "01939f1c-7a60-7c4e-9d5b-6f1d2c3b4a59", Name: `Käse: "A" & 'B' {{ .Values }} #1`,
		Host: "shop.localhost", URL: "http://shop.localhost:8081", SecretName: "store-credentials",
		Environment: environment, TLS: engine.TLS{Mode: engine.TLSNone},
	}
}

// Request is the release of a shop of that engine.
func Request(t testing.TB, e engine.Engine, spec engine.Spec) helm.Request {
	t.Helper()
	values, err := e.Values(spec)
	if err != nil {
		t.Fatalf("make values: %v", err)
	}
	return helm.Request{Namespace: "store-shop", Name: "store", Chart: e.Chart(), Values: values}
}

// Objects renders the request, and the tests in its chart with it. A field that Kubernetes
// does not know fails the test.
func Objects(t testing.TB, request helm.Request) []runtime.Object {
	t.Helper()
	manifest, err := helm.Render(request, KubeVersion)
	if err != nil {
		t.Fatal(err)
	}
	tests, err := helm.RenderTests(request, KubeVersion)
	if err != nil {
		t.Fatal(err)
	}
	return append(Decode(t, manifest), Decode(t, tests)...)
}

// Decode reads a manifest as strictly as the API server is asked to.
func Decode(t testing.TB, manifest string) []runtime.Object {
	t.Helper()
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, json.SerializerOptions{Yaml: true, Strict: true})
	documents := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifest)))
	var objects []runtime.Object
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatalf("read manifest: %v", err)
		}
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		object, _, err := strict.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("decode object: %v\n%s", err, document)
		}
		objects = append(objects, object)
	}
}

// Each calls do for every object of that type.
func Each[T runtime.Object](objects []runtime.Object, do func(T)) {
	for _, object := range objects {
		if typed, ok := object.(T); ok {
			do(typed)
		}
	}
}

// Workload is what makes pods, or a pod by itself.
type Workload struct {
	Name     string
	Serves   bool // its pods stay, other than a job's
	Selector *metav1.LabelSelector
	Template corev1.PodTemplateSpec
	Claims   []corev1.PersistentVolumeClaim
}

// Containers are all of its pod's, init containers too.
func (w Workload) Containers() []corev1.Container {
	return append(append([]corev1.Container{}, w.Template.Spec.InitContainers...), w.Template.Spec.Containers...)
}

// Workloads picks those among the objects.
func Workloads(objects []runtime.Object) []Workload {
	var found []Workload
	Each(objects, func(d *appsv1.Deployment) {
		found = append(found, Workload{Name: d.Name, Serves: true, Selector: d.Spec.Selector, Template: d.Spec.Template})
	})
	Each(objects, func(s *appsv1.StatefulSet) {
		found = append(found, Workload{Name: s.Name, Serves: true, Selector: s.Spec.Selector, Template: s.Spec.Template, Claims: s.Spec.VolumeClaimTemplates})
	})
	Each(objects, func(j *batchv1.Job) {
		found = append(found, Workload{Name: j.Name, Selector: &metav1.LabelSelector{}, Template: j.Spec.Template})
	})
	Each(objects, func(c *batchv1.CronJob) {
		found = append(found, Workload{Name: c.Name, Selector: &metav1.LabelSelector{}, Template: c.Spec.JobTemplate.Spec.Template})
	})
	Each(objects, func(p *corev1.Pod) {
		template := corev1.PodTemplateSpec{ObjectMeta: p.ObjectMeta, Spec: p.Spec}
		found = append(found, Workload{Name: p.Name, Selector: &metav1.LabelSelector{}, Template: template})
	})
	return found
}
