package provisioner_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

func TestClassThatIsMissingIsToldBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct {
		title  string
		use    func(*provisioner.Config, string)
		supply func(*testing.T, *platform, string)
	}{
		"storage": {
			"The cluster has no such storage class",
			func(c *provisioner.Config, name string) { c.Site.StorageClass = name },
			func(t *testing.T, p *platform, name string) {
				class, err := p.admin.StorageV1().StorageClasses().Get(t.Context(), "standard", metav1.GetOptions{})
				if err != nil {
					t.Fatal(err)
				}
				class.ObjectMeta = metav1.ObjectMeta{Name: name}
				if _, err := p.admin.StorageV1().StorageClasses().Create(t.Context(), class, metav1.CreateOptions{}); err != nil {
					t.Fatal(err)
				}
			},
		},
		"ingress": {
			"The cluster has no such ingress class",
			func(c *provisioner.Config, name string) { c.Site.IngressClass = name },
			func(t *testing.T, p *platform, name string) {
				class := &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: networkingv1.IngressClassSpec{Controller: "shopwright.dev/test"}}
				if _, err := p.admin.NetworkingV1().IngressClasses().Create(t.Context(), class, metav1.CreateOptions{}); err != nil {
					t.Fatal(err)
				}
			},
		},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			name := "test-" + kind + "-" + uuid.NewString()[24:]
			p := start(t, func(config *provisioner.Config) { c.use(config, name) })
			t.Cleanup(func() { p.sweepClass(name) })
			st := p.untilStatus(t, p.request(t, "Classy").ID, store.Failed)
			if f := st.Job.Failure; phrase.Failure(f).Title != c.title || f.Step != store.StepRelease || !strings.Contains(phrase.Failure(f).Cause, name) || phrase.Failure(f).Next == "" {
				t.Fatalf("%s: %+v", st.Status, f)
			}
			p.wantNoVolumes(t, st)

			c.supply(t, p, name)
			p.retry(t, st)
			p.wantReady(t, st)
		})
	}
}

// sweepClass removes the classes of that name.
func (p *platform) sweepClass(name string) {
	ctx := context.Background()
	_ = p.admin.StorageV1().StorageClasses().Delete(ctx, name, metav1.DeleteOptions{})
	_ = p.admin.NetworkingV1().IngressClasses().Delete(ctx, name, metav1.DeleteOptions{})
}

// TestPlanThatIsTooSmall has a store asked for while its plan was larger: the form would
// refuse it.
func TestPlanThatIsTooSmall(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.setPlan(t, func(standard *store.Plan) { standard.Disk = 1024 })
	st := p.untilStatus(t, p.request(t, "Squeezed").ID, store.Failed)
	if f := st.Job.Failure; phrase.Failure(f).Title != "The plan is too small" || !strings.Contains(phrase.Failure(f).Cause, "20 GiB of disk") || !strings.Contains(phrase.Failure(f).Cause, "1 GiB") {
		t.Fatalf("%s: %+v", st.Status, f)
	}
	p.wantNoVolumes(t, st)
}

func (p *platform) wantNoVolumes(t *testing.T, st store.Store) {
	t.Helper()
	claims, err := p.admin.CoreV1().PersistentVolumeClaims(st.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(claims.Items) > 0 {
		t.Errorf("%d volume claims have been made, %v", len(claims.Items), err)
	}
}
