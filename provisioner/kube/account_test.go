package kube_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// An installation that moves to another namespace, or gets another kubeconfig, works on the same
// stores under another account.
func TestEveryAccountGetsItsRights(t *testing.T) {
	t.Parallel()
	client, err := kube.NewClient(kubetest.Impersonating(t, rest.ImpersonationConfig{}))
	if err != nil {
		t.Fatal(err)
	}
	owner := kube.Owner{Namespace: "store-accounts-" + uuid.NewString()[24:], StoreID: uuid.NewString()}
	admin := kubetest.Admin(t)
	if _, err := admin.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: owner.Namespace}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = admin.CoreV1().Namespaces().Delete(context.Background(), owner.Namespace, metav1.DeleteOptions{})
	})
	accounts := []string{"system:serviceaccount:old:shopwright", "system:serviceaccount:new:shopwright", "jane@example.com"}
	for _, name := range accounts {
		for _, first := range []bool{true, false} {
			if lacking, err := client.BindRole(t.Context(), owner, kube.Account{Username: name}); err != nil || lacking != first {
				t.Errorf("%s lacked its rights: %t, %v", name, lacking, err)
			}
		}
	}
	bindings, err := admin.RbacV1().RoleBindings(owner.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var bound []string
	for _, b := range bindings.Items {
		bound = append(bound, b.Subjects[0].Namespace+b.Subjects[0].Name)
	}
	slices.Sort(bound)
	if want := []string{"jane@example.com", "newshopwright", "oldshopwright"}; !slices.Equal(bound, want) {
		t.Errorf("bound are %v, want %v", bound, want)
	}
}
