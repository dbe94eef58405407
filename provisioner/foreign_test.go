package provisioner_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// TestAnotherClusterIsLeftAlone puts another cluster behind the same address in the midst of
// the work. Nothing is done there, and the work goes on when the right one is back.
func TestAnotherClusterIsLeftAlone(t *testing.T) {
	t.Parallel()
	t.Run("while a store is opened", func(t *testing.T) {
		t.Parallel()
		v := newVisit(t)
		st := v.p.atWrite(t, v.link, "Opened", 8)
		v.reachOther(t)
		v.reachFirst(t, st)
		v.p.wantReady(t, st)
	})
	t.Run("while a store is removed", func(t *testing.T) {
		t.Parallel()
		v := newVisit(t)
		st := v.p.wantReady(t, v.p.request(t, "Removed"))
		v.makeTwin(t, st)
		held := v.link.Hold(nthWrite(st.Namespace, 3))
		v.p.askDelete(t, st)
		held.Wait()
		v.reachOther(t)
		v.reachFirst(t, st)
		v.p.untilGone(t, st)
	})
}

// atWrite asks for a store and returns when its nth write is held on its way.
func (p *platform) atWrite(t *testing.T, link *kubetest.Link, name string, n int) store.Store {
	t.Helper()
	held := link.Hold(nthWrite(store.Namespace(store.ProposeSlug(name+" "+p.mark)), n))
	st := p.request(t, name)
	held.Wait()
	return st
}

// visit is a platform that comes to another cluster by mistake.
type visit struct {
	p         *platform
	link      *kubetest.Link
	other     kubetest.ControlPlane
	there     kubernetes.Interface // the other cluster's administrator
	bystander store.Store          // ready, with nothing to do about it
}

func newVisit(t *testing.T) visit {
	t.Helper()
	v := visit{other: kubetest.Another(t)}
	v.there = v.other.Admin()
	v.p, v.link = startOn(t)
	v.bystander = v.p.wantReady(t, v.p.request(t, "Bystander"))
	return v
}

// makeTwin makes in the other cluster what the platform would take for the store's.
func (v visit) makeTwin(t *testing.T, st store.Store) {
	t.Helper()
	labels := map[string]string{"app.kubernetes.io/managed-by": "shopwright", "shopwright.dev/store-id": st.ID}
	_, err := v.there.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: st.Namespace, Labels: labels},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.there.CoreV1().Secrets(st.Namespace).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "store-credentials", Labels: labels},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// reachOther puts the other cluster behind the address, waits until that is known for a
// while, and checks that it was asked for nothing but who it is.
func (v visit) reachOther(t *testing.T) {
	t.Helper()
	before := v.holdings(t)
	v.link.Reach(v.other.Platform())
	arrived := len(v.link.Requests())
	v.p.untilLink(t, provisioner.Foreign)
	known := len(v.link.Requests())
	kubetest.Within(t, "asks again who answers", func() bool { return len(v.link.Requests()) >= known+4 })
	if problem := v.p.Cluster().Problem; !strings.Contains(problem, "Another cluster answers under this name") {
		t.Errorf("the problem is said to be %q", problem)
	}
	for _, r := range v.link.Requests()[arrived:] {
		if r.Method != http.MethodGet || r.Path != "/api/v1/namespaces/kube-system" {
			t.Errorf("the other cluster was asked %s %s", r.Method, r.Path)
		}
	}
	if now := v.holdings(t); !slices.Equal(now, before) {
		t.Errorf("the other cluster holds %v, before %v", now, before)
	}
}

// reachFirst puts the right cluster back, after it has checked that nothing was concluded
// about the stores meanwhile.
func (v visit) reachFirst(t *testing.T, st store.Store) {
	t.Helper()
	for _, before := range []store.Store{st, v.bystander} {
		now, err := v.p.db.UnguardedStore(t.Context(), before.ID)
		if err != nil || now.Job.Failure.Code != "" || now.Desired == store.Present && now.Status != before.Status {
			t.Errorf("%s became %s: %+v, %v", before.Name, now.Status, now.Job.Failure, err)
		}
	}
	v.link.Reach(kubetest.Platform(t))
	v.p.untilLink(t, provisioner.Connected)
}

// holdings lists what this test's names have in the other cluster.
func (v visit) holdings(t *testing.T) (all []string) {
	t.Helper()
	namespaces, err := v.there.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, ns := range namespaces.Items {
		if !strings.Contains(ns.Name, v.p.mark) {
			continue
		}
		all = append(all, fmt.Sprint(ns.Name, ns.UID, ns.DeletionTimestamp))
		secrets, err := v.there.CoreV1().Secrets(ns.Name).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range secrets.Items {
			all = append(all, fmt.Sprint(ns.Name, s.Name, s.UID, s.ResourceVersion))
		}
	}
	return all
}
