package charts_test

import (
	"os"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
	"shopwright.dev/shopwright/provisioner/helm"
)

// platform renders the platform's chart.
func platform(t *testing.T, values map[string]any) []runtime.Object {
	t.Helper()
	return enginetest.Objects(t, helm.Request{
		Namespace: "shopwright-system", Name: "shopwright", Chart: os.DirFS("platform"), Values: values,
	})
}

// The platform's account is bound to its role, and the roles name what they allow.
func TestPlatformAccountHasItsRole(t *testing.T) {
	t.Parallel()
	objects := platform(t, nil)
	var account *corev1.ServiceAccount
	var binding *rbacv1.ClusterRoleBinding
	roles := map[string]*rbacv1.ClusterRole{}
	enginetest.Each(objects, func(s *corev1.ServiceAccount) { account = s })
	enginetest.Each(objects, func(b *rbacv1.ClusterRoleBinding) { binding = b })
	enginetest.Each(objects, func(r *rbacv1.ClusterRole) { roles[r.Name] = r })
	if account == nil || binding == nil || len(roles) != 2 {
		t.Fatalf("an account, two roles and a binding: %v", objects)
	}
	want := rbacv1.Subject{Kind: "ServiceAccount", Name: account.Name, Namespace: "shopwright-system"}
	if binding.RoleRef.Name != "shopwright" || !slices.Contains(binding.Subjects, want) {
		t.Errorf("%s is bound to %v", binding.RoleRef.Name, binding.Subjects)
	}
	for name, role := range roles {
		for _, rule := range role.Rules {
			if slices.Contains(rule.APIGroups, "*") || slices.Contains(rule.Resources, "*") || slices.Contains(rule.Verbs, "*") {
				t.Errorf("%s allows anything: %v", name, rule)
			}
			if name == "shopwright" && slices.Contains(rule.Resources, "secrets") {
				t.Errorf("secrets of the whole cluster: %v", rule)
			}
		}
	}
}
