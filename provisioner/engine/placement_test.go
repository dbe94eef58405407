package engine_test

import (
	"maps"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// operated are the objects of each engine's chart with values that an operator gives.
func operated(t *testing.T, values map[string]any, check func(*testing.T, []runtime.Object)) {
	t.Parallel()
	for _, e := range engine.Offered().All() {
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			spec := enginetest.Spec("production")
			spec.Values = engine.Values{e.Name(): values}
			check(t, enginetest.Objects(t, enginetest.Request(t, e, spec)))
		})
	}
}

// Nodes may be of another kind, or reserved, and a service mesh is kept out by an annotation.
func TestEveryPodRunsWhereTheOperatorWants(t *testing.T) {
	operated(t, map[string]any{
		"nodeSelector":      map[string]any{"kubernetes.io/arch": "amd64"},
		"tolerations":       []any{map[string]any{"key": "shops", "operator": "Exists"}},
		"priorityClassName": "shops",
		"podAnnotations":    map[string]any{"sidecar.istio.io/inject": "false"},
	}, func(t *testing.T, objects []runtime.Object) {
		for _, w := range enginetest.Workloads(objects) {
			pod := w.Template.Spec
			if !maps.Equal(pod.NodeSelector, map[string]string{"kubernetes.io/arch": "amd64"}) || pod.PriorityClassName != "shops" ||
				!slices.Equal(pod.Tolerations, []corev1.Toleration{{Key: "shops", Operator: corev1.TolerationOpExists}}) {
				t.Errorf("%s runs anywhere: %+v", w.Name, pod)
			}
			if w.Template.Annotations["sidecar.istio.io/inject"] != "false" {
				t.Errorf("%s is annotated with %v", w.Name, w.Template.Annotations)
			}
		}
	})
}

// A load balancer may send requests to pods by itself, and DNS may be elsewhere, on another port, or outside of pods.
func TestNetworksOfTheOperator(t *testing.T) {
	operated(t, map[string]any{
		"ingress": map[string]any{"controllerCIDRs": []any{"10.0.0.0/16"}},
		"dns":     map[string]any{"namespace": "openshift-dns", "port": 5353, "cidrs": []any{"169.254.20.10/32"}},
	}, func(t *testing.T, objects []runtime.Object) {
		byNetwork := func(cidr string) func(networkingv1.NetworkPolicyPeer) bool {
			return func(p networkingv1.NetworkPolicyPeer) bool { return p.IPBlock != nil && p.IPBlock.CIDR == cidr }
		}
		entrances, names := 0, 0
		enginetest.Each(objects, func(p *networkingv1.NetworkPolicy) {
			for _, rule := range p.Spec.Ingress {
				fromOutside := slices.ContainsFunc(rule.From, func(p networkingv1.NetworkPolicyPeer) bool { return p.NamespaceSelector != nil })
				if fromOutside {
					entrances++
				}
				if fromOutside != slices.ContainsFunc(rule.From, byNetwork("10.0.0.0/16")) {
					t.Errorf("%s lets in %+v", p.Name, rule.From)
				}
			}
			for _, rule := range p.Spec.Egress {
				if !slices.ContainsFunc(rule.To, byNetwork("169.254.20.10/32")) {
					continue
				}
				names++
				var ports []int
				for _, port := range rule.Ports {
					ports = append(ports, port.Port.IntValue())
				}
				if !slices.Equal(ports, []int{53, 53, 5353, 5353}) || rule.To[0].NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] != "openshift-dns" {
					t.Errorf("names are looked up at %v of %+v", ports, rule.To)
				}
			}
		})
		if entrances == 0 || names != 1 {
			t.Errorf("%d ways in from outside, %d to the DNS", entrances, names)
		}
	})
}
