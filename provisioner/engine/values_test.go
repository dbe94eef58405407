package engine_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// everySite renders a shop of every engine in a site that is changed from the usual one.
func everySite(t *testing.T, change func(*engine.Spec), check func(*testing.T, []runtime.Object)) {
	t.Parallel()
	for _, e := range engine.Offered().All() {
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			spec := enginetest.Spec("production")
			change(&spec)
			check(t, enginetest.Objects(t, enginetest.Request(t, e, spec)))
		})
	}
}

func TestImagesComeFromTheRegistryThatIsNamed(t *testing.T) {
	everySite(t, func(s *engine.Spec) { s.ImageRegistry, s.PullSecret = "registry.example.com:5000", "image-pull" }, func(t *testing.T, objects []runtime.Object) {
		for _, w := range enginetest.Workloads(objects) {
			if secrets := w.Template.Spec.ImagePullSecrets; len(secrets) != 1 || secrets[0].Name != "image-pull" {
				t.Errorf("%s pulls with %v", w.Name, secrets)
			}
			for _, c := range w.Containers() {
				if !strings.HasPrefix(c.Image, "registry.example.com:5000/") {
					t.Errorf("%s/%s comes from %s", w.Name, c.Name, c.Image)
				}
			}
		}
	})
}

func TestShopsAreServedWithTheSharedCertificate(t *testing.T) {
	everySite(t, func(s *engine.Spec) {
		s.TLS = engine.TLS{Mode: engine.TLSSecret, SecretName: "wildcard-tls"}
		s.IngressClass = "traefik"
	}, func(t *testing.T, objects []runtime.Object) {
		enginetest.Each(objects, func(i *networkingv1.Ingress) {
			if len(i.Spec.TLS) != 1 || i.Spec.TLS[0].SecretName != "wildcard-tls" || *i.Spec.IngressClassName != "traefik" {
				t.Errorf("%s is served by %+v", i.Name, i.Spec)
			}
		})
	})
}

// The operator's values win over those of the environment and of the registry, and lose
// against what makes the store this one.
func TestOperatorsValues(t *testing.T) {
	t.Parallel()
	spec := enginetest.Spec("production")
	spec.ImageRegistry = "registry.example.com"
	spec.Values = engine.Values{"woocommerce": {
		"host":      "elsewhere.example.com",
		"ingress":   map[string]any{"className": "special"},
		"images":    map[string]any{"mariadb": map[string]any{"registry": "other.example.com"}},
		"resources": map[string]any{"wordpress": map[string]any{"limits": map[string]any{"memory": "3Gi"}}},
	}}
	objects := enginetest.Objects(t, enginetest.Request(t, engine.WooCommerce{}, spec))
	images := map[string]string{}
	for _, w := range enginetest.Workloads(objects) {
		for _, c := range w.Containers() {
			images[w.Name], _, _ = strings.Cut(c.Image, "/")
			if memory := c.Resources.Limits[corev1.ResourceMemory]; w.Name == "wordpress" && c.Name == "wordpress" && memory.String() != "3Gi" {
				t.Errorf("%s may take %s", w.Name, &memory)
			}
		}
	}
	if images["mariadb"] != "other.example.com" || images["wordpress"] != "registry.example.com" {
		t.Errorf("images come from %v", images)
	}
	enginetest.Each(objects, func(i *networkingv1.Ingress) {
		if host := i.Spec.Rules[0].Host; host != spec.Host || *i.Spec.IngressClassName != "special" {
			t.Errorf("served at %s by %s", host, *i.Spec.IngressClassName)
		}
	})
}
