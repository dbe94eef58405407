package provisioner

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

func TestShortageIsSaidInPlainWords(t *testing.T) {
	t.Parallel()
	for name, c := range map[corev1.ResourceName]struct{ needs, gives, said string }{
		corev1.ResourceLimitsCPU:              {"1500m", "1", "It needs 1.5 CPU; the plan allows 1."},
		corev1.ResourceRequestsCPU:            {"300m", "250m", "It needs 0.3 reserved CPU; the plan allows 0.25."},
		corev1.ResourceLimitsMemory:           {"2560Mi", "2Gi", "It needs 2.5 GiB of memory; the plan allows 2 GiB."},
		corev1.ResourceRequestsMemory:         {"1025Mi", "1Gi", "It needs 1025 MiB of reserved memory; the plan allows 1 GiB."},
		corev1.ResourceRequestsStorage:        {"10Gi", "512Mi", "It needs 10 GiB of disk; the plan allows 512 MiB."},
		corev1.ResourcePersistentVolumeClaims: {"2", "1", "It needs 2 disks; the plan allows 1."},
		corev1.ResourcePods:                   {"3", "2", "It needs 3 pods; the plan allows 2."},
	} {
		limits := kube.Limits{Quota: map[corev1.ResourceName]string{name: c.gives}}
		short := demand{name: resource.MustParse(c.needs)}.beyond(limits)
		if len(short) != 1 || whyTooSmall(store.Facts{Engine: "A shop", Plan: "small", Shortages: short}) != "A shop doesn’t fit the small plan. "+c.said {
			t.Errorf("too little of %s is told as %+v", name, short)
		}
		if short := (demand{name: resource.MustParse(c.gives)}).beyond(limits); len(short) > 0 {
			t.Errorf("what just fits is told as %+v", short)
		}
	}
}

func TestPlanThatIsTooSmallIsRefused(t *testing.T) {
	t.Parallel()
	tiny := store.Plan{Name: "small", Label: "tiny", CPU: 1000, Memory: 8192, Disk: 20480, Pods: 20}
	p := &Provisioner{site: engine.Spec{TLS: engine.TLS{Mode: engine.TLSNone}}, demands: &demands{}, engines: engine.Offered()}
	if all, err := p.Misfits(tiny); err != nil || len(all) != len(engine.Offered().All()) {
		t.Errorf("of the engines do not fit: %q, %v", all, err)
	}
	tiny.CPU = 5000
	if all, err := p.Misfits(tiny); err != nil || len(all) != 0 {
		t.Errorf("with five CPU do not fit: %q, %v", all, err)
	}
	tiny.CPU = 1000
	for _, e := range engine.Offered().All() {
		err := p.Fits(e, tiny)
		if err == nil || !strings.Contains(err.Error(), e.Label()+" doesn’t fit the tiny plan. It needs ") || !strings.Contains(err.Error(), "CPU; the plan allows 1. Ask") {
			t.Errorf("%s in a plan with one CPU: %v", e.Name(), err)
		}
	}
}
