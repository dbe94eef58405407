package provisioner

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// A store whose pods do not fit its quota would wait for ever for the last of them.
func TestEveryEngineFitsThePlan(t *testing.T) {
	t.Parallel()
	for _, e := range engine.Offered().All() {
		for _, environment := range enginetest.Environments() {
			objects := enginetest.Objects(t, enginetest.Request(t, e, enginetest.Spec(environment)))
			needs := needsOf(objects)
			for name, quota := range defaultPlan().Limits.Quota {
				need := needs[name]
				if need.IsZero() {
					t.Errorf("%s needs nothing of %s", e.Name(), name)
				}
				if allowed := resource.MustParse(quota); need.Cmp(allowed) > 0 {
					t.Errorf("%s in %s needs %s of %s, the plan allows %s", e.Name(), environment, &need, name, quota)
				}
			}
			wantContainersWithin(t, objects, defaultPlan().Limits.Max)
		}
	}
}

func wantContainersWithin(t *testing.T, objects []runtime.Object, most map[corev1.ResourceName]string) {
	t.Helper()
	for _, w := range enginetest.Workloads(objects) {
		for _, c := range w.Containers() {
			for name, value := range most {
				if limit := c.Resources.Limits[name]; limit.Cmp(resource.MustParse(value)) > 0 {
					t.Errorf("%s/%s may take %s of %s, the plan %s", w.Name, c.Name, &limit, name, value)
				}
			}
		}
	}
}

// needsOf adds up all pods, as if they ran at once.
func needsOf(objects []runtime.Object) map[corev1.ResourceName]resource.Quantity {
	needs := map[corev1.ResourceName]resource.Quantity{}
	add := func(name corev1.ResourceName, q resource.Quantity) {
		sum := needs[name]
		sum.Add(q)
		needs[name] = sum
	}
	claim := func(c corev1.PersistentVolumeClaim) {
		add(corev1.ResourcePersistentVolumeClaims, resource.MustParse("1"))
		add(corev1.ResourceRequestsStorage, c.Spec.Resources.Requests[corev1.ResourceStorage])
	}
	for _, w := range enginetest.Workloads(objects) {
		add(corev1.ResourcePods, resource.MustParse("1"))
		for _, c := range w.Containers() {
			add(corev1.ResourceRequestsCPU, c.Resources.Requests[corev1.ResourceCPU])
			add(corev1.ResourceRequestsMemory, c.Resources.Requests[corev1.ResourceMemory])
			add(corev1.ResourceLimitsCPU, c.Resources.Limits[corev1.ResourceCPU])
			add(corev1.ResourceLimitsMemory, c.Resources.Limits[corev1.ResourceMemory])
		}
		for _, c := range w.Claims {
			claim(c)
		}
	}
	enginetest.Each(objects, func(c *corev1.PersistentVolumeClaim) { claim(*c) })
	return needs
}
