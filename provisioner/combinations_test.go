package provisioner

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// However an installation has its stores, the API server takes every object of them without
// a warning, admits their pods, and all pods that there ever are at once fit the plan.
func TestEveryCombinationIsAdmittedAndFits(t *testing.T) {
	t.Parallel()
	for _, plan := range plans(t) {
		t.Run(plan.Name, func(t *testing.T) {
			t.Parallel()
			in, limits := newTrial(t, plan), limitsOf(plan)
			for _, c := range enginetest.Combinations() {
				objects := enginetest.Objects(t, enginetest.Request(t, c.Engine, c.Spec))
				for _, object := range objects {
					in.try(c.Name, object)
				}
				for _, w := range enginetest.Workloads(objects) {
					in.try(c.Name, aPod(w))
				}
				if short := busiest(objects, limits).beyond(limits); len(short) > 0 {
					t.Errorf("%s does not fit the plan %s: at its busiest it needs %+v", c.Name, plan.Name, short)
				}
				wantContainersWithin(t, objects, limits.Max)
			}
			if len(in.tried) < 20 {
				t.Errorf("%d objects only were tried", len(in.tried))
			}
		})
	}
}

// busiest is what a store takes while it is upgraded, checked, and its jobs run. The maintenance page
// goes before the check comes, so that of the two there is the greedier one.
func busiest(objects []runtime.Object, limits kube.Limits) demand {
	checked, away := demand{}, demand{}
	for _, object := range objects {
		cron, isCron := object.(*batchv1.CronJob)
		if !isCron || cron.Name != "maintenance" {
			checked.takeAtBusiest(object, limits)
		}
		if _, isCheck := object.(*corev1.Pod); !isCheck {
			away.takeAtBusiest(object, limits)
		}
	}
	for name, q := range away {
		if q.Cmp(checked[name]) > 0 {
			checked[name] = q
		}
	}
	return checked
}

func (d demand) takeAtBusiest(object runtime.Object, limits kube.Limits) {
	d.take(object, limits)
	switch o := object.(type) {
	case *corev1.Pod:
		d.pods(nil, o.Spec, limits)
	case *appsv1.Deployment:
		if o.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType { // the next pod comes before the last one goes
			d.pods(nil, o.Spec.Template.Spec, limits)
		}
	}
}

// aPod is a pod that the workload makes.
func aPod(w enginetest.Workload) *corev1.Pod {
	for _, claim := range w.Claims {
		source := corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name}}
		w.Template.Spec.Volumes = append(slices.Clone(w.Template.Spec.Volumes), corev1.Volume{Name: claim.Name, VolumeSource: source})
	}
	return &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: w.Name, Labels: w.Template.Labels},
		Spec:       w.Template.Spec,
	}
}

// trial is a namespace as stores get it, in which objects are tried and none is made.
type trial struct {
	t         *testing.T
	namespace string
	client    *dynamic.DynamicClient
	mapper    meta.RESTMapper
	tried     map[string]bool // by their text
}

func newTrial(t *testing.T, plan store.Plan) *trial {
	t.Helper()
	owner := kube.Owner{Namespace: "trial-" + plan.Name, StoreID: "trial"}
	config := kubetest.Impersonating(t, rest.ImpersonationConfig{})
	config.WarningHandler = warnings{t}
	client, err := kube.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateNamespace(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	admin := kubetest.Admin(t)
	t.Cleanup(func() {
		_ = admin.CoreV1().Namespaces().Delete(context.Background(), owner.Namespace, metav1.DeleteOptions{})
	})
	if err := client.SetLimits(t.Context(), owner, limitsOf(plan)); err != nil {
		t.Fatal(err)
	}
	untilFurnished(t, admin, owner.Namespace)
	groups, err := restmapper.GetAPIGroupResources(admin.Discovery())
	if err != nil {
		t.Fatal(err)
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return &trial{t: t, namespace: owner.Namespace, client: objects, mapper: restmapper.NewDiscoveryRESTMapper(groups), tried: map[string]bool{}}
}

// untilFurnished waits for what the cluster's own controllers put into a namespace.
func untilFurnished(t *testing.T, admin kubernetes.Interface, namespace string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	accounts, err := admin.CoreV1().ServiceAccounts(namespace).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=default"})
	if err != nil {
		t.Fatal(err)
	}
	defer accounts.Stop()
	if _, open := <-accounts.ResultChan(); !open {
		t.Fatal("the namespace has no account for pods")
	}
}

// try asks the API server whether it would take the object. The same object is asked for once.
func (n *trial) try(name string, object runtime.Object) {
	n.t.Helper()
	text, err := json.Marshal(object)
	if err != nil {
		n.t.Fatal(err)
	}
	if n.tried[string(text)] {
		return
	}
	n.tried[string(text)] = true
	asked := &unstructured.Unstructured{}
	if err := json.Unmarshal(text, &asked.Object); err != nil {
		n.t.Fatal(err)
	}
	kind := asked.GroupVersionKind()
	mapping, err := n.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		n.t.Fatal(err)
	}
	options := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict}
	if _, err := n.client.Resource(mapping.Resource).Namespace(n.namespace).Create(n.t.Context(), asked, options); err != nil {
		n.t.Errorf("%s: %s %s: %v", name, kind.Kind, asked.GetName(), err)
	}
}

// warnings are what the API server finds questionable.
type warnings struct{ t *testing.T }

// HandleWarningHeader implements rest.WarningHandler.
func (w warnings) HandleWarningHeader(_ int, _ string, text string) { w.t.Errorf("warning: %s", text) }
