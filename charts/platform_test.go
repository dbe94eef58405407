package engine_test

import (
	"os"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
	"shopwright.dev/shopwright/provisioner/helm"
)

// The platform's account is bound to its role, and the role names what it allows.
func TestPlatformChart(t *testing.T) {
	t.Parallel()
	objects := enginetest.Objects(t, helm.Request{
		Namespace: "shopwright-system", Name: "shopwright", Chart: os.DirFS("../../charts/platform"),
	})
	var account *corev1.ServiceAccount
	var role *rbacv1.ClusterRole
	var binding *rbacv1.ClusterRoleBinding
	enginetest.Each(objects, func(s *corev1.ServiceAccount) { account = s })
	enginetest.Each(objects, func(r *rbacv1.ClusterRole) { role = r })
	enginetest.Each(objects, func(b *rbacv1.ClusterRoleBinding) { binding = b })
	if account == nil || role == nil || binding == nil {
		t.Fatalf("an account, a role and a binding: %v", objects)
	}
	want := rbacv1.Subject{Kind: "ServiceAccount", Name: account.Name, Namespace: "shopwright-system"}
	if binding.RoleRef.Name != role.Name || !slices.Contains(binding.Subjects, want) {
		t.Errorf("%s is bound to %v", binding.RoleRef.Name, binding.Subjects)
	}
	for _, rule := range role.Rules {
		if slices.Contains(rule.APIGroups, "*") || slices.Contains(rule.Resources, "*") || slices.Contains(rule.Verbs, "*") {
			t.Errorf("the role allows anything: %v", rule)
		}
	}
}
