package provisioner_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// forbid has a policy of the cluster refuse objects with names that begin so in a namespace,
// until they are allowed again. It returns when the policy is in force.
func (p *platform) forbid(t *testing.T, namespace, group, resource, names string) (allow func()) {
	t.Helper()
	name, proving := "forbid-"+namespace, "proving-"+namespace
	remove := p.createPolicy(t, name, admissionv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{
			creating(group, resource), creating("", "configmaps"),
		}},
		Validations: []admissionv1.Validation{{
			Expression: "!object.metadata.name.startsWith('" + names + "')", Message: "the house rules forbid it",
		}},
	}, namespace, proving)
	ours := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: proving}}
	if _, err := p.admin.CoreV1().Namespaces().Create(t.Context(), ours, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.admin.CoreV1().Namespaces().Delete(context.Background(), proving, metav1.DeleteOptions{})
	})
	forbids := func() bool {
		probe := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: names + "probe"}}
		_, err := p.admin.CoreV1().ConfigMaps(proving).Create(t.Context(), probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err != nil
	}
	kubetest.Within(t, "the policy is in force", forbids)
	return func() {
		remove()
		kubetest.Within(t, "the policy is no longer in force", func() bool { return !forbids() })
	}
}

func messages(f store.Failure) string {
	var all []string
	for _, e := range f.Evidence {
		all = append(all, e.Message)
	}
	return strings.Join(all, "\n")
}

func creating(group, resource string) admissionv1.NamedRuleWithOperations {
	return when(admissionv1.Create, group, resource)
}

func when(operation admissionv1.OperationType, group, resource string) admissionv1.NamedRuleWithOperations {
	return admissionv1.NamedRuleWithOperations{RuleWithOperations: admissionv1.RuleWithOperations{
		Operations: []admissionv1.OperationType{operation},
		Rule:       admissionv1.Rule{APIGroups: []string{group}, APIVersions: []string{"v1"}, Resources: []string{resource}},
	}}
}

// createPolicy makes a policy for these namespaces, and returns what removes it.
func (p *platform) createPolicy(t *testing.T, name string, spec admissionv1.ValidatingAdmissionPolicySpec, namespaces ...string) (remove func()) {
	t.Helper()
	ctx, api := context.Background(), p.admin.AdmissionregistrationV1()
	remove = func() {
		_ = api.ValidatingAdmissionPolicyBindings().Delete(ctx, name, metav1.DeleteOptions{})
		_ = api.ValidatingAdmissionPolicies().Delete(ctx, name, metav1.DeleteOptions{})
	}
	t.Cleanup(remove)
	policy := &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}
	if _, err := api.ValidatingAdmissionPolicies().Create(ctx, policy, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
			MatchResources: &admissionv1.MatchResources{NamespaceSelector: &metav1.LabelSelector{
				MatchExpressions: []metav1.LabelSelectorRequirement{{
					Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpIn, Values: namespaces,
				}},
			}},
		},
	}
	if _, err := api.ValidatingAdmissionPolicyBindings().Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return remove
}

// TestAdmissionDenied has the cluster refuse a part of the release, or pods of it, which
// only events tell of.
func TestAdmissionDenied(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		group, resource, object string
		title, cause            string
		step                    store.Step
	}{
		"Ingress":     {"networking.k8s.io", "ingresses", "shop", "The cluster denied the request", "the house rules forbid it", store.StepRelease},
		"Deployment":  {"", "pods", "wordpress-", "The cluster rejects the shop’s pods", "the house rules forbid it", store.StepWorkloads},
		"StatefulSet": {"", "pods", "mariadb-", "The cluster rejects the shop’s pods", "the house rules forbid it", store.StepWorkloads},
		"Job":         {"", "pods", "setup-", "The cluster rejects the shop’s pods", "the house rules forbid it", store.StepSetup},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t)
			wanted := "Denied " + name
			allow := p.forbid(t, store.Namespace(store.ProposeSlug(wanted+" "+p.mark)), c.group, c.resource, c.object)
			st := p.untilStatus(t, p.request(t, wanted).ID, store.Failed)
			f := st.Job.Failure
			if phrase.Failure(f).Title != c.title || f.Step != c.step || !strings.Contains(phrase.Failure(f).Cause, c.cause) || phrase.Failure(f).Next == "" {
				t.Fatalf("%s: %+v", st.Status, f)
			}
			if said := strings.Join(f.HelmLog, "\n"); c.step == store.StepRelease && said == "" {
				t.Error("it has not what Helm said last")
			}
			if told := messages(f); c.step != store.StepRelease && !strings.Contains(told, c.cause) {
				t.Errorf("the evidence is %q", told)
			}
			allow()
			p.retry(t, st)
			p.wantReady(t, st)
		})
	}
}

// TestDeletionDenied has the cluster refuse to let a part of the release go. The page says so,
// and once it may go the store does by itself.
func TestDeletionDenied(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Kept"))
	allow := p.createPolicy(t, "keep-"+st.Namespace, admissionv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{
			when(admissionv1.Delete, "", "services"),
		}},
		Validations: []admissionv1.Validation{{Expression: "false", Message: "the house rules keep it"}},
	}, st.Namespace)
	services := p.admin.CoreV1().Services(st.Namespace)
	kubetest.Within(t, "the policy is in force", func() bool {
		err := services.Delete(t.Context(), "wordpress", metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}})
		return apierrors.IsInvalid(err) || apierrors.IsForbidden(err)
	})
	p.askDelete(t, st)
	told := p.until(t, st.ID, "the page tells why", func(st store.Store) bool {
		return strings.Contains(phrase.Note(st.Job.Note), "the house rules keep it")
	})
	if told.Status != store.Deleting || told.Job.Step != store.StepUninstall || !strings.HasSuffix(phrase.Note(told.Job.Note), "Shopwright retries until the cluster’s administrator allows it.") {
		t.Errorf("it is %s at %s: %s", told.Status, told.Job.Step, phrase.Note(told.Job.Note))
	}
	allow()
	p.untilGone(t, st)
}

// requireTeam has the cluster refuse changes of Deployments in the namespace, which lack a label.
// Those that exist may stay.
func (p *platform) requireTeam(t *testing.T, namespace string) {
	t.Helper()
	p.createPolicy(t, "require-team-"+namespace, admissionv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{
			when(admissionv1.Update, "apps", "deployments"),
		}},
		Validations: []admissionv1.Validation{{Expression: "'team' in object.metadata.labels", Message: "every workload must have the label team"}},
	}, namespace)
	patch := []byte(`{"metadata": {"annotations": {"probe": "x"}}}`)
	kubetest.Within(t, "the policy is in force", func() bool {
		_, err := p.admin.AppsV1().Deployments(namespace).Patch(t.Context(), "wordpress", types.MergePatchType, patch, metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
		return err != nil
	})
}

// patchesOf counts the patches of a Deployment of the store.
func patchesOf(link *kubetest.Link, st store.Store, name string) (n int) {
	for _, r := range link.Writes(st.Namespace) {
		if r.Method == http.MethodPatch && strings.HasSuffix(r.Path, "/deployments/"+name) {
			n++
		}
	}
	return n
}

// An upgrade that the cluster refuses is not tried again.
func TestRefusedUpgradeIsUndoneAtOnce(t *testing.T) {
	t.Parallel()
	p, link := startOn(t)
	st := p.wantReady(t, p.request(t, "Teamless"))
	p.requireTeam(t, st.Namespace)
	p.upgrade(t, st, store.UpgradeRequest{Images: map[string]string{"wordpress": "6.9.1"}})
	back := p.changed(t, st)
	undone := back.Job.Change.Undone
	if back.Status != store.Ready || phrase.Failure(undone).Title != "The cluster denied the request" || !strings.Contains(phrase.Failure(undone).Cause, "every workload must have the label team") {
		t.Fatalf("it is %s: %+v %+v", back.Status, back.Job.Failure, back.Job.Change)
	}
	if n := patchesOf(link, st, "wordpress"); n != 1 {
		t.Errorf("the Deployment was patched %d times", n)
	}
	if got, want := p.history(t, st), "Back to revision 1 deployed, Opened superseded"; got != want {
		t.Errorf("the history is %q, want %q", got, want)
	}
	p.wantKeptRevisions(t, st, 1, 3)
}

// The pauses between tries are most of the time for which something is tried.
func TestTryingForLongIsUndone(t *testing.T) {
	t.Parallel()
	link := kubetest.NewLink(t)
	p := start(t)
	st := p.wantReady(t, p.request(t, "Patient"))
	p.stop()
	p.run(t, connecting(to(link.Config())), func(c *provisioner.Config) { c.Timeout = 25 * time.Second })
	p.TryAgainAfter(10 * time.Second) // a try takes less than a second
	link.Inject(kubetest.Refusing(http.StatusInternalServerError, metav1.StatusReasonInternalError, func(r kubetest.Request) bool {
		return r.Method == http.MethodPatch && strings.HasSuffix(r.Path, "/"+st.Namespace+"/deployments/wordpress")
	}))
	p.upgrade(t, st, store.UpgradeRequest{Images: map[string]string{"wordpress": "6.9.1"}})
	now := p.until(t, st.ID, "undone", func(now store.Store) bool { return now.Job.Change.Kind == store.Rollback })
	if title := phrase.Failure(now.Job.Change.Undone).Title; title != "Timed out" {
		t.Errorf("undone because of %q", title)
	}
	if n := patchesOf(link, st, "wordpress"); n > 10 {
		t.Errorf("it was tried %d times", n)
	}
}
