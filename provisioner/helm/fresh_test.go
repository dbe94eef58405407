package helm_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

func TestNothingIsAskedOfAFreshNamespace(t *testing.T) {
	t.Parallel()
	asked := &questions{}
	config := kubetest.Platform(t)
	config.Wrap(asked.listen)
	p := newPlace(t, config)
	p.wantStatus(t, helm.None, 0) // asks what the cluster can do, which is asked once in all
	asked.reset()
	request := p.request(t, "local")
	request.Fresh = true
	p.apply(t, request)
	if n := asked.count("GET", ""); n != 0 {
		t.Errorf("asked %d questions: %q", n, asked.asked)
	}
	p.wantStatus(t, helm.Deployed, 1)
	p.until(t, "running", isRunning)
}

// Whoever makes an object in a namespace that we took for empty keeps it.
func TestFreshReleaseTakesNothingThatIsThere(t *testing.T) {
	t.Parallel()
	p := newPlace(t, kubetest.Platform(t))
	services := kubetest.Admin(t).CoreV1().Services(p.owner.Namespace)
	theirs, err := services.Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "mariadb"},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "database.example.com"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	request := p.request(t, "local")
	request.Fresh = true
	if _, err := p.Apply(t.Context(), request); err == nil {
		t.Error("released over somebody else's service")
	}
	p.wantStatus(t, helm.Incomplete, 1)
	now, err := services.Get(t.Context(), theirs.Name, metav1.GetOptions{})
	if err != nil || now.ResourceVersion != theirs.ResourceVersion {
		t.Errorf("their service is now %+v, %v", now, err)
	}

	if err := services.Delete(t.Context(), theirs.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	request.Fresh = false
	p.apply(t, request)
	p.wantStatus(t, helm.Deployed, 2)
	p.until(t, "running", isRunning)
}
