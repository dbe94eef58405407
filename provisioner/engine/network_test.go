package engine_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

func TestNothingGoesInOrOutByDefault(t *testing.T) {
	everyChart(t, func(t *testing.T, _ engine.Engine, objects []runtime.Object) {
		var denied []networkingv1.PolicyType
		enginetest.Each(objects, func(p *networkingv1.NetworkPolicy) {
			if len(p.Spec.PodSelector.MatchLabels) == 0 && len(p.Spec.Ingress) == 0 && len(p.Spec.Egress) == 0 {
				denied = append(denied, p.Spec.PolicyTypes...)
			}
		})
		if len(denied) != 2 {
			t.Errorf("denied by default: %v", denied)
		}
	})
}

// A policy that selects no pod protects none.
func TestPoliciesSelectPods(t *testing.T) {
	everyChart(t, func(t *testing.T, _ engine.Engine, objects []runtime.Object) {
		enginetest.Each(objects, func(p *networkingv1.NetworkPolicy) {
			wantSelected(t, objects, p.Name, p.Spec.PodSelector)
			for _, rule := range p.Spec.Ingress {
				wantPeersSelected(t, objects, p.Name, rule.From)
			}
			for _, rule := range p.Spec.Egress {
				wantPeersSelected(t, objects, p.Name, rule.To)
			}
		})
	})
}

func wantPeersSelected(t *testing.T, objects []runtime.Object, policy string, peers []networkingv1.NetworkPolicyPeer) {
	t.Helper()
	for _, peer := range peers {
		if peer.PodSelector != nil && peer.NamespaceSelector == nil {
			wantSelected(t, objects, policy, *peer.PodSelector)
		}
	}
}

func wantSelected(t *testing.T, objects []runtime.Object, policy string, by metav1.LabelSelector) {
	t.Helper()
	for _, w := range enginetest.Workloads(objects) {
		if selects(t, &by, w) {
			return
		}
	}
	t.Errorf("%s selects no pod with %v", policy, by.MatchLabels)
}

func selects(t *testing.T, by *metav1.LabelSelector, w enginetest.Workload) bool {
	t.Helper()
	selector, err := metav1.LabelSelectorAsSelector(by)
	if err != nil {
		t.Fatal(err)
	}
	return selector.Matches(labels.Set(w.Template.Labels))
}

func TestServicesLeadToPods(t *testing.T) {
	everyChart(t, func(t *testing.T, _ engine.Engine, objects []runtime.Object) {
		services := map[string]*corev1.Service{}
		enginetest.Each(objects, func(s *corev1.Service) {
			services[s.Name] = s
			for _, port := range s.Spec.Ports {
				if !isServed(t, objects, s, port.TargetPort.StrVal) {
					t.Errorf("no pod serves port %s of %s", port.TargetPort.String(), s.Name)
				}
			}
		})
		enginetest.Each(objects, func(i *networkingv1.Ingress) {
			for _, path := range i.Spec.Rules[0].HTTP.Paths {
				if services[path.Backend.Service.Name] == nil {
					t.Errorf("%s leads to %s, which is not there", i.Name, path.Backend.Service.Name)
				}
			}
		})
	})
}

// isServed reports whether exactly the pods of one workload are behind the service.
func isServed(t *testing.T, objects []runtime.Object, s *corev1.Service, port string) bool {
	t.Helper()
	served := 0
	for _, w := range enginetest.Workloads(objects) {
		if !selects(t, &metav1.LabelSelector{MatchLabels: s.Spec.Selector}, w) {
			continue
		}
		for _, c := range w.Containers() {
			for _, p := range c.Ports {
				if p.Name == port {
					served++
				}
			}
		}
	}
	return served == 1
}
