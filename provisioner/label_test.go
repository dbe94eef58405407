package provisioner_test

import (
	"encoding/json"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// label sets a label of the store's namespace, or removes it when the value is nil.
func (p *platform) label(t *testing.T, st store.Store, key string, value any) {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]any{key: value}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.admin.CoreV1().Namespaces().Patch(t.Context(), st.Namespace, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

// Helm and kustomize write app.kubernetes.io/managed-by on what they touch.
func TestStoreIsRemovedWhoeverManagesItsNamespace(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Adopted"))
	p.label(t, st, kube.LabelManagedBy, "Helm")
	if _, err := p.db.Repair(t.Context(), p.actor, st.ID); err != nil {
		t.Fatal(err)
	}
	st = p.repaired(t, st)
	p.askDelete(t, st)
	p.untilGone(t, st)
}

func TestNamespaceThatLostItsLabel(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{"Unlabelled": nil, "Mislabelled": "another-store"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t)
			st := p.wantReady(t, p.request(t, name))
			p.label(t, st, kube.LabelStoreID, value)
			st = p.wantLabelLost(t, st) // the keeper has it put back
			p.askDelete(t, st)
			st = p.wantLabelLost(t, st)
			p.label(t, st, kube.LabelStoreID, st.ID)
			p.askDelete(t, st)
			p.untilGone(t, st)
		})
	}
}

// wantLabelLost waits for the failure that says how to put the label back.
func (p *platform) wantLabelLost(t *testing.T, before store.Store) store.Store {
	t.Helper()
	st := p.until(t, before.ID, "failed or gone", func(st store.Store) bool {
		return st.Generation > before.Generation && (st.Status == store.Failed || st.Status == store.Deleted)
	})
	command := "kubectl label --overwrite namespace " + st.Namespace + " " + kube.LabelStoreID + "=" + st.ID
	if st.Status != store.Failed || phrase.Failure(st.Job.Failure).Title != "The namespace has lost its label" || !strings.Contains(phrase.Failure(st.Job.Failure).Next, command) {
		t.Fatalf("it is %s: %+v", st.Status, st.Job.Failure)
	}
	return st
}

// A workload's label is left when everything else has gone: it is the store's still.
func TestNamespaceThatLostItsLabelIsRetried(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Relabelled"))
	before := p.keepsakes(t, st.Namespace)
	p.label(t, st, kube.LabelStoreID, nil)
	st = p.wantLabelLost(t, st)
	p.label(t, st, kube.LabelStoreID, st.ID)
	p.retry(t, st)
	p.repaired(t, st)
	p.wantKept(t, st.Namespace, before)
}
