package provisioner_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// TestRightsTakeAMoment lets the API server learn late what the account may do in a new
// namespace.
func TestRightsTakeAMoment(t *testing.T) {
	t.Parallel()
	p, link := startOn(t)
	var refused atomic.Int64
	namespace := store.Namespace(store.ProposeSlug("Late " + p.mark))
	link.Inject(kubetest.Refusing(http.StatusForbidden, metav1.StatusReasonForbidden, func(r kubetest.Request) bool {
		within := strings.Contains(r.Path, "/namespaces/"+namespace+"/") && !strings.HasSuffix(r.Path, "/rolebindings")
		return within && refused.Add(1) <= 4
	}))
	p.wantReady(t, p.request(t, "Late"))
	if refused.Load() < 4 {
		t.Errorf("%d requests in the namespace", refused.Load())
	}
}

// unbind takes the account its rights in the store's namespace, and returns when they have
// no effect any more.
func (p *platform) unbind(t *testing.T, st store.Store) {
	t.Helper()
	if err := p.admin.RbacV1().RoleBindings(st.Namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	as := kubetest.PlatformClient(t)
	kubetest.Within(t, "the rights are gone", func() bool {
		_, err := as.CoreV1().Secrets(st.Namespace).List(t.Context(), metav1.ListOptions{})
		return err != nil
	})
}

// TestRightsRemovedByHand takes them from stores that are ready. What needs them puts them
// back.
func TestRightsRemovedByHand(t *testing.T) {
	t.Parallel()
	p := start(t)
	for name, use := range map[string]func(*testing.T, store.Store){
		"Read": func(t *testing.T, st store.Store) {
			if login, err := p.Credentials(t.Context(), st); err != nil || login.Password == "" {
				t.Errorf("credentials: %v", err)
			}
		},
		"Told": func(t *testing.T, st store.Store) {
			if events, err := p.Events(t.Context(), st); err != nil || len(events) == 0 {
				t.Errorf("%d events, %v", len(events), err)
			}
		},
		"Repaired": func(t *testing.T, st store.Store) {
			if _, err := p.db.Repair(t.Context(), p.actor, st.ID); err != nil {
				t.Fatal(err)
			}
			p.repaired(t, st)
		},
		"Deleted": func(t *testing.T, st store.Store) {
			p.askDelete(t, st)
			p.untilGone(t, st)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := p.wantReady(t, p.request(t, name))
			p.unbind(t, st)
			use(t, st)
		})
	}
}
