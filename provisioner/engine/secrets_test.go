package engine_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// A release's values and objects are kept by Helm in the cluster: a secret has no place in
// them. What the chart refers to must be what the engine makes.
func TestSecretsAreReferredToOnly(t *testing.T) {
	everyChart(t, func(t *testing.T, e engine.Engine, objects []runtime.Object) {
		enginetest.Each(objects, func(s *corev1.Secret) { t.Errorf("the chart makes the secret %s", s.Name) })
		made, err := e.Credentials("shop.localhost", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range enginetest.Workloads(objects) {
			for _, key := range secretKeys(t, w) {
				if len(made[key]) == 0 {
					t.Errorf("%s needs %s, which the engine does not make", w.Name, key)
				}
			}
		}
	})
}

// secretKeys are the keys of the credentials that the pod is given.
func secretKeys(t *testing.T, w enginetest.Workload) []string {
	t.Helper()
	secret := regexp.MustCompile(`(PASSWORD|SECRET|SALT|_KEY)$`)
	var keys []string
	for _, c := range w.Containers() {
		for _, env := range c.Env {
			if secret.MatchString(env.Name) && env.Value != "" {
				t.Errorf("%s/%s is given %s in plain", w.Name, c.Name, env.Name)
			}
			if env.ValueFrom != nil {
				keys = append(keys, keyOf(t, w.Name, env.ValueFrom.SecretKeyRef.Name, env.ValueFrom.SecretKeyRef.Key))
			}
		}
	}
	for _, v := range w.Template.Spec.Volumes {
		if v.Secret == nil {
			continue
		}
		if len(v.Secret.Items) == 0 {
			t.Errorf("%s mounts all credentials", w.Name)
		}
		for _, item := range v.Secret.Items {
			keys = append(keys, keyOf(t, w.Name, v.Secret.SecretName, item.Key))
		}
	}
	return keys
}

func keyOf(t *testing.T, workload, secret, key string) string {
	t.Helper()
	if want := enginetest.Spec("").SecretName; secret != want {
		t.Errorf("%s reads the secret %s, want %s", workload, secret, want)
	}
	return key
}

// Kubernetes replaces $(NAME) in an environment: a shop of that name would show the password.
func TestAShopsNameIsNoReference(t *testing.T) {
	t.Parallel()
	for _, e := range engine.Offered().All() {
		spec := enginetest.Spec("local")
		spec.Name = "$(DATABASE_PASSWORD)"
		named := 0
		for _, w := range enginetest.Workloads(enginetest.Objects(t, enginetest.Request(t, e, spec))) {
			for _, c := range w.Containers() {
				for _, env := range c.Env {
					if env.Name != "SHOP_NAME" {
						continue
					}
					named++
					if env.Value != "$$(DATABASE_PASSWORD)" {
						t.Errorf("%s: %s is given %s", e.Name(), w.Name, env.Value)
					}
				}
			}
		}
		if named == 0 {
			t.Errorf("%s: nothing knows the shop's name", e.Name())
		}
	}
}

func TestCredentialsAreDrawnAnew(t *testing.T) {
	t.Parallel()
	plain := regexp.MustCompile(`^[0-9A-Za-z]{24,}$`)
	for _, e := range engine.Offered().All() {
		seen := map[string]bool{}
		for range 50 {
			data, err := e.Credentials("shop.localhost", "")
			if err != nil {
				t.Fatal(err)
			}
			if username, password := e.Login(data); username == "" || !plain.MatchString(password) {
				t.Fatalf("%s: login %q with password %q", e.Name(), username, password)
			}
			if secrets := engine.Secrets(data); slices.Contains(secrets, "admin@shop.localhost") || slices.Contains(secrets, string(data["admin-username"])) {
				t.Fatalf("%s: what customers may see is secret: %q", e.Name(), secrets)
			}
			for key, value := range data {
				if strings.HasSuffix(key, "-username") || strings.HasSuffix(key, "-email") {
					continue
				}
				if !slices.Contains(engine.Secrets(data), string(value)) {
					t.Errorf("%s: %s is no secret", e.Name(), key)
				}
				drawn := strings.TrimPrefix(string(value), "pk_") // as Medusa marks keys for browsers
				if !plain.MatchString(drawn) || seen[drawn] {
					t.Errorf("%s: %s is %q, drawn before: %t", e.Name(), key, value, seen[drawn])
				}
				seen[drawn] = true
			}
		}
	}
}
