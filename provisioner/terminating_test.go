package provisioner_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// finalizer is what somebody else's controller would remove when it is done.
const finalizer = "example.com/not-yet"

// hold puts something into the namespace that does not go until it is let go.
func (p *platform) hold(t *testing.T, namespace string) (letGo func()) {
	t.Helper()
	things := p.admin.CoreV1().ConfigMaps(namespace)
	_, err := things.Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "held", Finalizers: []string{finalizer}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	letGo = func() {
		_, _ = things.Patch(context.Background(), "held", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	}
	t.Cleanup(letGo)
	return letGo
}

// untilTold waits until the store's page says that the step waits for that.
func (p *platform) untilTold(t *testing.T, st store.Store, step store.Step, what string) {
	t.Helper()
	p.until(t, st.ID, "told of "+what, func(st store.Store) bool {
		return st.Job.Step == step && strings.Contains(phrase.Note(st.Job.Note), what)
	})
}

func TestNamespaceHeldByAFinalizer(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Held"))
	letGo := p.hold(t, st.Namespace)
	p.askDelete(t, st)
	p.untilTold(t, st, store.StepRemove, finalizer)
	letGo()
	p.untilGone(t, st)
}

// TestOlderNamespaceHeldByAFinalizer opens a store whose namespace is on its way out still.
func TestOlderNamespaceHeldByAFinalizer(t *testing.T) {
	t.Parallel()
	there := make(chan struct{})
	p := start(t, connecting(after(there, kubetest.Platform(t))))
	st := p.request(t, "Again")
	p.makeNamespace(t, st)
	letGo := p.hold(t, st.Namespace)
	p.deleteNamespace(t, st)
	close(there)
	p.untilTold(t, st, store.StepNamespace, finalizer)
	letGo()
	p.wantReady(t, st)
}

func (p *platform) deleteNamespace(t *testing.T, st store.Store) {
	t.Helper()
	if err := p.admin.CoreV1().Namespaces().Delete(t.Context(), st.Namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// TestNamespaceRemovedWhileItIsFilled takes the namespace away from a store on its way. It
// has no data yet, so it is made anew.
func TestNamespaceRemovedWhileItIsFilled(t *testing.T) {
	t.Parallel()
	p := start(t)
	kubetest.Simulate(t, store.Namespace(store.ProposeSlug("Swept "+p.mark)), "start-delay=10m")
	st := p.request(t, "Swept")
	p.until(t, st.ID, "at work", func(st store.Store) bool { return st.Job.Step == store.StepWorkloads })
	before, err := p.admin.CoreV1().Namespaces().Get(t.Context(), st.Namespace, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.deleteNamespace(t, st)
	kubetest.Simulate(t, st.Namespace, "start-delay=none")
	p.until(t, st.ID, "back at the namespace", func(st store.Store) bool { return st.Job.Step == store.StepNamespace })
	p.wantReady(t, st)
	now, err := p.admin.CoreV1().Namespaces().Get(t.Context(), st.Namespace, metav1.GetOptions{})
	if err != nil || now.UID == before.UID {
		t.Errorf("the namespace is %s, before %s, %v", now.UID, before.UID, err)
	}
}

// TestNamespaceHeldByADeadAPI opens a store in a cluster one of whose APIs is served by
// something that is gone, and removes it: no namespace goes then until it is back or
// unregistered.
func TestNamespaceHeldByADeadAPI(t *testing.T) {
	t.Parallel()
	cluster := kubetest.Another(t)
	unregister := registerDeadAPI(t, cluster.Admin())
	p := start(t, connecting(to(cluster.Platform())))
	p.admin = cluster.Admin()
	st := p.wantReady(t, p.request(t, "Stuck"))
	p.askDelete(t, st)
	p.untilTold(t, st, store.StepRemove, "dead.example.com/v1")
	unregister()
	p.untilGone(t, st)
}

// registerDeadAPI registers dead.example.com/v1, which nothing serves.
func registerDeadAPI(t *testing.T, admin kubernetes.Interface) (unregister func()) {
	t.Helper()
	const registrations, name = "/apis/apiregistration.k8s.io/v1/apiservices", "v1.dead.example.com"
	client := admin.CoreV1().RESTClient()
	err := client.Post().AbsPath(registrations).SetHeader("Content-Type", "application/json").Body([]byte(`{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "` + name + `"},
		"spec": {"group": "dead.example.com", "version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 10,
			"service": {"namespace": "kube-system", "name": "gone"}, "insecureSkipTLSVerify": true}}`)).Do(t.Context()).Error()
	if err != nil {
		t.Fatal(err)
	}
	unregister = func() { _ = client.Delete().AbsPath(registrations, name).Do(context.Background()).Error() }
	t.Cleanup(unregister)
	return unregister
}
