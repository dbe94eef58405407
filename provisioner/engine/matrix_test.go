package engine_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// Whatever an installation chooses, its stores keep what the charts promise.
func TestEveryCombinationKeepsThePromises(t *testing.T) {
	t.Parallel()
	promises := map[string]func(*testing.T, []runtime.Object){
		"containers say what they need":        wantNeedsSaid,
		"pods are restricted":                  wantRestricted,
		"nothing goes in or out by default":    wantDeniedByDefault,
		"policies and their peers select pods": wantPoliciesSelectPods,
		"services lead to pods":                wantServicesLeadToPods,
	}
	for _, c := range enginetest.Combinations() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			request := enginetest.Request(t, c.Engine, c.Spec)
			objects := enginetest.Objects(t, request)
			for promise, check := range promises {
				t.Run(promise, func(t *testing.T) { check(t, objects) })
			}
			wantAsChosen(t, c.Spec, objects)
			enginetest.Lint(t, request)
		})
	}
}

// wantAsChosen checks that what was chosen stands in the objects: a combination that no
// chart heeds would prove nothing.
func wantAsChosen(t *testing.T, spec engine.Spec, objects []runtime.Object) {
	t.Helper()
	enginetest.Each(objects, func(i *networkingv1.Ingress) {
		wantPointer(t, "ingress class", i.Spec.IngressClassName, spec.IngressClass)
		certified := spec.TLS.Mode == engine.TLSSecret || spec.TLS.Mode == engine.TLSCertManager
		if served := len(i.Spec.TLS) > 0; served != certified {
			t.Errorf("served with a certificate: %t, in the mode %s", served, spec.TLS.Mode)
		}
	})
	enginetest.Each(objects, func(c *corev1.PersistentVolumeClaim) {
		wantPointer(t, "storage class", c.Spec.StorageClassName, spec.StorageClass)
	})
	enginetest.Each(objects, func(s *appsv1.StatefulSet) {
		for _, c := range s.Spec.VolumeClaimTemplates {
			wantPointer(t, "storage class", c.Spec.StorageClassName, spec.StorageClass)
		}
	})
}

// wantPointer checks for nothing where nothing is wanted.
func wantPointer(t *testing.T, what string, got *string, want string) {
	t.Helper()
	if (got == nil) != (want == "") || got != nil && *got != want {
		t.Errorf("the %s is not %q", what, want)
	}
}
