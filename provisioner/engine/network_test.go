package engine_test

import (
	"net/url"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// wantDeniedByDefault checks that every pod is under a policy that lets nothing in or out.
func wantDeniedByDefault(t *testing.T, objects []runtime.Object) {
	t.Helper()
	for _, w := range enginetest.Workloads(objects) {
		var denied []networkingv1.PolicyType
		enginetest.Each(objects, func(p *networkingv1.NetworkPolicy) {
			if selects(t, &p.Spec.PodSelector, w) && len(p.Spec.Ingress) == 0 && len(p.Spec.Egress) == 0 {
				denied = append(denied, p.Spec.PolicyTypes...)
			}
		})
		if len(denied) != 2 {
			t.Errorf("denied to %s by default: %v", w.Name, denied)
		}
	}
}

// A policy that selects no pod protects none.
func wantPoliciesSelectPods(t *testing.T, objects []runtime.Object) {
	t.Helper()
	enginetest.Each(objects, func(p *networkingv1.NetworkPolicy) {
		wantSelected(t, objects, p.Name, p.Spec.PodSelector)
		for _, rule := range p.Spec.Ingress {
			wantPeersSelected(t, objects, p.Name, rule.From)
		}
		for _, rule := range p.Spec.Egress {
			wantPeersSelected(t, objects, p.Name, rule.To)
		}
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
	for _, w := range append(enginetest.Workloads(objects), solver()) {
		if selects(t, &by, w) {
			return
		}
	}
	t.Errorf("%s selects no pod with %v", policy, by.MatchLabels)
}

// solver is the pod by which cert-manager answers a challenge.
// https://cert-manager.io/docs/configuration/acme/http01/
func solver() enginetest.Workload {
	return enginetest.Workload{Name: "cm-acme-http-solver", Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{
		Labels: map[string]string{"acme.cert-manager.io/http01-solver": "true"},
	}}}
}

func selects(t *testing.T, by *metav1.LabelSelector, w enginetest.Workload) bool {
	t.Helper()
	selector, err := metav1.LabelSelectorAsSelector(by)
	if err != nil {
		t.Fatal(err)
	}
	return selector.Matches(labels.Set(w.Template.Labels))
}

// A database that comes back has another address. Its clients ask for one that stays, and are
// refused at once while nothing is behind it.
func TestClientsAskForAnAddressThatStays(t *testing.T) {
	everyChart(t, func(t *testing.T, _ engine.Engine, objects []runtime.Object) {
		headless := map[string]bool{}
		enginetest.Each(objects, func(s *corev1.Service) { headless[s.Name] = s.Spec.ClusterIP == corev1.ClusterIPNone })
		asked := 0
		for _, w := range enginetest.Workloads(objects) {
			for _, c := range w.Containers() {
				for _, env := range c.Env {
					host := env.Value
					if address, err := url.Parse(env.Value); err == nil && address.Host != "" {
						host = address.Hostname()
					}
					if _, inside := headless[host]; !inside {
						continue
					}
					asked++
					if headless[host] {
						t.Errorf("%s/%s has %s lead to the pods of %s", w.Name, c.Name, env.Name, host)
					}
				}
			}
		}
		if asked == 0 {
			t.Error("nothing asks for a Service")
		}
	})
}

func wantServicesLeadToPods(t *testing.T, objects []runtime.Object) {
	t.Helper()
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
}

// isServed reports whether exactly the pods of one workload are behind the service, but for the one
// that shows the maintenance page in their place.
func isServed(t *testing.T, objects []runtime.Object, s *corev1.Service, port string) bool {
	t.Helper()
	served := 0
	for _, w := range enginetest.Workloads(objects) {
		if !selects(t, &metav1.LabelSelector{MatchLabels: s.Spec.Selector}, w) || w.Name == "maintenance" {
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
