package kube_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// A Secret without entries counts as none, and is filled like one. What a Secret holds stays.
func TestEmptySecretIsFilled(t *testing.T) {
	t.Parallel()
	client, err := kube.NewClient(kubetest.Impersonating(t, rest.ImpersonationConfig{}))
	if err != nil {
		t.Fatal(err)
	}
	owner := kube.Owner{Namespace: "store-secret-" + uuid.NewString()[24:], StoreID: uuid.NewString()}
	namespaces := kubetest.Admin(t).CoreV1().Namespaces()
	if _, err := namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: owner.Namespace}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = namespaces.Delete(context.Background(), owner.Namespace, metav1.DeleteOptions{}) })
	for _, data := range []map[string][]byte{nil, {"password": []byte("first")}, {"password": []byte("second")}} {
		if err := client.CreateSecret(t.Context(), owner, "credentials", data); err != nil {
			t.Fatal(err)
		}
		if there, err := client.HasSecret(t.Context(), owner.Namespace, "credentials"); err != nil || there != (data != nil) {
			t.Errorf("with %d entries it counts as there: %t, %v", len(data), there, err)
		}
	}
	if data, err := client.Secret(t.Context(), owner.Namespace, "credentials"); err != nil || string(data["password"]) != "first" {
		t.Errorf("it holds %q, %v", data, err)
	}
}
