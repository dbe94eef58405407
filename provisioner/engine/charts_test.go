package engine_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// everyChart runs the check on the chart of every engine, in every environment.
func everyChart(t *testing.T, check func(*testing.T, engine.Engine, []runtime.Object)) {
	t.Parallel()
	for _, e := range engine.Offered().All() {
		for _, environment := range enginetest.Environments() {
			t.Run(e.Name()+"/"+environment, func(t *testing.T) {
				t.Parallel()
				check(t, e, enginetest.Objects(t, enginetest.Request(t, e, enginetest.Spec(environment))))
			})
		}
	}
}

func TestObjectsCarryTheLabelsTheyAreFoundBy(t *testing.T) {
	everyChart(t, func(t *testing.T, e engine.Engine, objects []runtime.Object) {
		for _, object := range objects {
			m, err := meta.Accessor(object)
			if err != nil {
				t.Fatal(err)
			}
			wantLabels(t, e, m.GetName(), m.GetLabels())
		}
		for _, w := range enginetest.Workloads(objects) {
			wantLabels(t, e, "the pod of "+w.Name, w.Template.Labels)
		}
	})
}

func wantLabels(t *testing.T, e engine.Engine, object string, labels map[string]string) {
	t.Helper()
	for key, want := range map[string]string{
		"app.kubernetes.io/name":       e.Name(),
		"app.kubernetes.io/instance":   "store",
		"app.kubernetes.io/part-of":    "shopwright",
		"app.kubernetes.io/managed-by": "Helm",
		"shopwright.dev/store-id":      enginetest.Spec("").StoreID,
	} {
		if labels[key] != want {
			t.Errorf("%s: label %s is %q, want %q", object, key, labels[key], want)
		}
	}
	for _, key := range []string{"app.kubernetes.io/component", "app.kubernetes.io/version"} {
		if labels[key] == "" {
			t.Errorf("%s has no label %s", object, key)
		}
	}
}

// What Kubernetes refuses to change must not hold what an upgrade changes.
func TestSelectorsOutliveAnUpgrade(t *testing.T) {
	everyChart(t, func(t *testing.T, _ engine.Engine, objects []runtime.Object) {
		for _, w := range enginetest.Workloads(objects) {
			for key, value := range w.Selector.MatchLabels {
				if strings.HasSuffix(key, "/version") {
					t.Errorf("%s selects by %s", w.Name, key)
				}
				if w.Template.Labels[key] != value {
					t.Errorf("%s selects %s=%s, its pods have %q", w.Name, key, value, w.Template.Labels[key])
				}
			}
			for _, claim := range w.Claims {
				if keys := slices.Collect(maps.Keys(claim.Labels)); !slices.Equal(keys, []string{"shopwright.dev/store-id"}) {
					t.Errorf("the volume claim %s of %s has labels %v", claim.Name, w.Name, keys)
				}
			}
		}
	})
}

func wantNeedsSaid(t *testing.T, objects []runtime.Object) {
	t.Helper()
	for _, w := range enginetest.Workloads(objects) {
		for _, c := range w.Containers() {
			for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
				request, limit := c.Resources.Requests[name], c.Resources.Limits[name]
				if request.IsZero() || limit.IsZero() || request.Cmp(limit) > 0 {
					t.Errorf("%s/%s requests %s of %s and is limited to %s", w.Name, c.Name, &request, name, &limit)
				}
			}
			if strings.HasSuffix(c.Image, ":latest") || !strings.ContainsAny(c.Image, ":@") {
				t.Errorf("%s/%s runs whatever %s is today", w.Name, c.Name, c.Image)
			}
		}
	}
}

func TestServersAreProbed(t *testing.T) {
	everyChart(t, func(t *testing.T, _ engine.Engine, objects []runtime.Object) {
		for _, w := range enginetest.Workloads(objects) {
			for _, c := range w.Template.Spec.Containers {
				if w.Serves && (c.StartupProbe == nil || c.ReadinessProbe == nil || c.LivenessProbe == nil) {
					t.Errorf("%s/%s lacks a probe", w.Name, c.Name)
				}
			}
		}
	})
}

// The standard: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
func wantRestricted(t *testing.T, objects []runtime.Object) {
	t.Helper()
	for _, w := range enginetest.Workloads(objects) {
		wantRestrictedPod(t, w)
		for _, c := range w.Containers() {
			wantRestrictedContainer(t, w.Name+"/"+c.Name, c.SecurityContext)
		}
	}
}

func wantRestrictedPod(t *testing.T, w enginetest.Workload) {
	t.Helper()
	spec := w.Template.Spec
	if token := spec.AutomountServiceAccountToken; token == nil || *token {
		t.Errorf("%s mounts a token for the Kubernetes API", w.Name)
	}
	if spec.HostNetwork || spec.HostPID || spec.HostIPC {
		t.Errorf("%s shares its node's namespaces", w.Name)
	}
	security := spec.SecurityContext
	if security == nil || security.RunAsNonRoot == nil || !*security.RunAsNonRoot || security.RunAsUser == nil || *security.RunAsUser == 0 {
		t.Errorf("%s may run as root", w.Name)
		return
	}
	if profile := security.SeccompProfile; profile == nil || profile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("%s has seccomp profile %v", w.Name, profile)
	}
	for _, v := range spec.Volumes {
		if v.HostPath != nil {
			t.Errorf("%s mounts %s of its node", w.Name, v.HostPath.Path)
		}
	}
}

func wantRestrictedContainer(t *testing.T, name string, security *corev1.SecurityContext) {
	t.Helper()
	if security == nil || security.Capabilities == nil {
		t.Errorf("%s has no security context", name)
		return
	}
	if drop := security.Capabilities.Drop; !slices.Equal(drop, []corev1.Capability{"ALL"}) || len(security.Capabilities.Add) > 0 {
		t.Errorf("%s drops the capabilities %v and adds %v", name, drop, security.Capabilities.Add)
	}
	if escalation := security.AllowPrivilegeEscalation; escalation == nil || *escalation {
		t.Errorf("%s may gain privileges", name)
	}
	if readOnly := security.ReadOnlyRootFilesystem; readOnly == nil || !*readOnly {
		t.Errorf("%s may write into its image", name)
	}
}

// The page tells that somebody has scaled a workload by comparing it with what its chart
// asked for.
func TestWorkloadsSayHowManyPodsTheyAskFor(t *testing.T) {
	everyChart(t, func(t *testing.T, _ engine.Engine, objects []runtime.Object) {
		check := func(m metav1.ObjectMeta, replicas *int32) {
			if asked := m.Annotations["shopwright.dev/replicas"]; replicas == nil || asked != strconv.Itoa(int(*replicas)) {
				t.Errorf("%s says that it asks for %q", m.Name, asked)
			}
		}
		enginetest.Each(objects, func(d *appsv1.Deployment) { check(d.ObjectMeta, d.Spec.Replicas) })
		enginetest.Each(objects, func(s *appsv1.StatefulSet) { check(s.ObjectMeta, s.Spec.Replicas) })
	})
}
