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
			site := enginetest.Spec(environment)
			needs, err := new(demands).of(e, site, defaultPlan().Limits)
			if err != nil {
				t.Fatal(err)
			}
			for name, quota := range defaultPlan().Limits.Quota {
				need := needs[name]
				if need.IsZero() {
					t.Errorf("%s needs nothing of %s, of which there are %s", e.Name(), name, quota)
				}
			}
			if short := needs.beyond(defaultPlan().Limits); len(short) > 0 {
				t.Errorf("%s in %s does not fit: it needs %s", e.Name(), environment, short)
			}
			wantContainersWithin(t, enginetest.Objects(t, enginetest.Request(t, e, site)), defaultPlan().Limits.Max)
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
