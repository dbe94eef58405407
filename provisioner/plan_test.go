package provisioner

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/store/storetest"
)

// plans are those that every installation begins with.
func plans(t *testing.T) []store.Plan {
	t.Helper()
	all, err := storetest.SQLite(t).UnguardedPlans(t.Context())
	if err != nil || len(all) != 3 {
		t.Fatalf("there are %d plans, %v", len(all), err)
	}
	return all
}

// A store whose pods do not fit its quota would wait for ever for the last of them.
func TestEveryEngineFitsEveryPlan(t *testing.T) {
	t.Parallel()
	for _, plan := range plans(t) {
		limits := limitsOf(plan)
		for _, e := range engine.Offered().All() {
			for _, environment := range enginetest.Environments() {
				site := enginetest.Spec(environment)
				takes, err := new(demands).of(e, site)
				if err != nil {
					t.Fatal(err)
				}
				for name, quota := range limits.Quota {
					need := takes.quota[name]
					if need.IsZero() {
						t.Errorf("%s needs nothing of %s, of which there are %s", e.Name(), name, quota)
					}
				}
				if short := takes.quota.beyond(limits); len(short) > 0 {
					t.Errorf("%s in %s does not fit %s: it needs %+v", e.Name(), environment, plan.Name, short)
				}
				wantContainersWithin(t, enginetest.Objects(t, enginetest.Request(t, e, site)), limits.Max)
			}
		}
	}
}

// The standard plan gives what every store had before there were plans.
func TestStandardPlan(t *testing.T) {
	t.Parallel()
	standard := plans(t)[1]
	if summary := phrase.Allowance(standard.Figures()); standard.Name != store.StandardPlan || summary != "5 CPU, 8 GiB, 20 GiB of disk" {
		t.Errorf("%s gives %s", standard.Name, summary)
	}
	quota := limitsOf(standard).Quota
	for name, want := range map[corev1.ResourceName]string{
		corev1.ResourcePods: "20", corev1.ResourceRequestsCPU: "2", corev1.ResourceRequestsMemory: "4Gi", corev1.ResourceLimitsCPU: "5",
		corev1.ResourceLimitsMemory: "8Gi", corev1.ResourcePersistentVolumeClaims: "5", corev1.ResourceRequestsStorage: "20Gi",
	} {
		if got := resource.MustParse(quota[name]); got.Cmp(resource.MustParse(want)) != 0 {
			t.Errorf("of %s there are %s", name, quota[name])
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
