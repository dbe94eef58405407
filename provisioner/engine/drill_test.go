package engine_test

import (
	"encoding/json"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// drillAnywhere is a drill of an installation that gives its stores all that leads in and out.
func drillAnywhere(name string) engine.Spec {
	spec := enginetest.Spec("production")
	spec.Drill = true
	spec.IngressClass, spec.TLS = "traefik", engine.TLS{Mode: engine.TLSCertManager, Issuer: "letsencrypt"}
	spec.SMTP = engine.SMTP{SecretName: "smtp-login", Port: 587}
	spec.Values = engine.Values{name: {"egress": map[string]any{"internet": true}, "ingress": map[string]any{"controllerCIDRs": []any{"10.1.0.0/16"}}}}
	return spec
}

// ways are what leads in and out of the store's namespace: ingresses, and peers of policies that are no pods of it. The
// cluster's DNS is none.
func ways(objects []runtime.Object) (all []string) {
	enginetest.Each(objects, func(i *networkingv1.Ingress) { all = append(all, "ingress "+i.Name) })
	enginetest.Each(objects, func(p *networkingv1.NetworkPolicy) {
		var peers []networkingv1.NetworkPolicyPeer
		for _, rule := range p.Spec.Ingress {
			if len(rule.From) == 0 {
				all = append(all, p.Name+" from anywhere")
			}
			peers = append(peers, rule.From...)
		}
		for _, rule := range p.Spec.Egress {
			if len(rule.To) == 0 {
				all = append(all, p.Name+" to anywhere")
			}
			peers = append(peers, rule.To...)
		}
		for _, peer := range peers {
			if p.Name != "dns" && (peer.IPBlock != nil || peer.NamespaceSelector != nil) {
				all = append(all, p.Name)
			}
		}
	})
	return all
}

func TestNothingLeadsInAndOutOfADrill(t *testing.T) {
	t.Parallel()
	for _, e := range engine.Offered().All() {
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			spec := drillAnywhere(e.Name())
			request := enginetest.Request(t, e, spec)
			objects := enginetest.Objects(t, request)
			if found := ways(objects); len(found) > 0 {
				t.Errorf("there are ways in or out: %v", found)
			}
			text, err := json.Marshal(objects)
			if err != nil || strings.Contains(string(text), spec.SMTP.SecretName) || strings.Contains(string(text), spec.TLS.Issuer) {
				t.Errorf("it gets the mail server’s login or a certificate: %v", err)
			}
			wantDeniedByDefault(t, objects)
			wantPoliciesSelectPods(t, objects)
			wantServicesLeadToPods(t, objects)
			enginetest.Lint(t, request)

			spec.Drill = false
			if found := ways(enginetest.Objects(t, enginetest.Request(t, e, spec))); len(found) < 4 {
				t.Errorf("a store for customers has only the ways %v", found)
			}
		})
	}
}
