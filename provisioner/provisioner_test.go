package provisioner_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

func TestStoreBecomesReadyAndGoesWithoutATrace(t *testing.T) {
	t.Parallel()
	for _, e := range engine.Offered().All() {
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			p := start(t)
			slowly := []string{"start-delay=4s", "job-duration=4s"} // so that each step is waited for
			name := "Nordwind " + e.Name()
			kubetest.Simulate(t, store.Namespace(store.ProposeSlug(name+" "+p.mark)), slowly...)
			st := p.wantReady(t, p.requestOf(t, e.Name(), name))
			if st.URL != "http://"+st.Host || st.AdminURL != e.AdminURL(st.URL) || st.ChartVersion == "" {
				t.Errorf("ready with addresses %q and %q, chart %q", st.URL, st.AdminURL, st.ChartVersion)
			}
			p.wantIsolation(t, st)
			p.wantTold(t, st)
			if _, err := p.db.RequestDelete(t.Context(), p.actor, st.ID, store.DeleteRequest{}); err != nil {
				t.Fatal(err)
			}
			p.until(t, st.ID, "gone", func(st store.Store) bool { return st.Status == store.Deleted })
			p.wantGone(t, st)
		})
	}
}

// wantTold checks that the timeline tells of every step, and of no password.
func (p *platform) wantTold(t *testing.T, st store.Store) {
	t.Helper()
	events, err := p.db.StoreEvents(t.Context(), p.actor, st.ID)
	if err != nil {
		t.Fatal(err)
	}
	told := describe(events)
	for _, step := range store.CreateSteps()[1:] {
		if !strings.Contains(told, "/"+string(step)+" ") {
			t.Errorf("the timeline does not tell of %s:\n%s", step, told)
		}
	}
	login, err := p.Credentials(t.Context(), st)
	if err != nil || login.Username == "" || len(login.Password) < 24 {
		t.Errorf("login %q with %d characters, %v", login.Username, len(login.Password), err)
	}
	if strings.Contains(told, login.Password) {
		t.Error("the password stands in the timeline")
	}
}

// wantIsolation checks what keeps a store from hurting others.
func (p *platform) wantIsolation(t *testing.T, st store.Store) {
	t.Helper()
	ns, err := p.admin.CoreV1().Namespaces().Get(t.Context(), st.Namespace, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for label, want := range map[string]string{
		"app.kubernetes.io/managed-by":       "shopwright",
		"shopwright.dev/store-id":            st.ID,
		"pod-security.kubernetes.io/enforce": "restricted",
	} {
		if got := ns.Labels[label]; got != want {
			t.Errorf("label %s is %q, want %q", label, got, want)
		}
	}
	quotas, err := p.admin.CoreV1().ResourceQuotas(st.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(quotas.Items) != 1 {
		t.Fatalf("%d quotas, %v", len(quotas.Items), err)
	}
	if cpu := quotas.Items[0].Spec.Hard[corev1.ResourceLimitsCPU]; cpu.String() != "5" {
		t.Errorf("the quota allows %s CPU", cpu.String())
	}
	policies, err := p.admin.NetworkingV1().NetworkPolicies(st.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(policies.Items) == 0 {
		t.Errorf("%d network policies, %v", len(policies.Items), err)
	}
}

func TestImageThatCannotBePulledThenRetry(t *testing.T) {
	t.Parallel()
	p := start(t)
	asked := store.ProposeSlug("Broken " + p.mark)
	kubetest.Simulate(t, store.Namespace(asked), "fail=image-pull", "component=wordpress")
	st := p.untilStatus(t, p.request(t, "Broken").ID, store.Failed)
	if st.Status != store.Failed || !strings.Contains(phrase.Failure(st.Job.Failure).Cause, "wordpress") || !strings.Contains(phrase.Failure(st.Job.Failure).Cause, "image") {
		t.Fatalf("%s: %+v", st.Status, st.Job.Failure)
	}
	if len(st.Job.Failure.Evidence) == 0 || phrase.Failure(st.Job.Failure).Next == "" {
		t.Errorf("the failure has no evidence or next step: %+v", st.Job.Failure)
	}
	kubetest.Simulate(t, st.Namespace, "fail=none", "component=wordpress")
	p.retry(t, st)
	st = p.until(t, st.ID, "ready", func(st store.Store) bool { return st.Status == store.Ready })
	p.wantOneRelease(t, st)
}

func TestSetupThatFailsThenRetry(t *testing.T) {
	t.Parallel()
	p := start(t)
	kubetest.Simulate(t, store.Namespace(store.ProposeSlug("Unset "+p.mark)), "fail=job-failed")
	st := p.untilStatus(t, p.request(t, "Unset").ID, store.Failed)
	if f := st.Job.Failure; st.Status != store.Failed || f.Step != store.StepSetup || !strings.Contains(phrase.Failure(f).Cause, "failed after") || !strings.Contains(phrase.Failure(f).Next, "Retry") {
		t.Fatalf("%s: %+v", st.Status, st.Job.Failure)
	}
	if words := st.Job.Failure.LastWords; !strings.HasPrefix(words.Pod, "setup-") || len(words.Lines) == 0 { // the job's event may come later
		t.Errorf("the last words are %+v", words)
	}
	kubetest.Simulate(t, st.Namespace, "fail=none")
	p.retry(t, st)
	st = p.until(t, st.ID, "ready", func(st store.Store) bool { return st.Status == store.Ready })
	p.wantOneRelease(t, st)
}

func TestForeignNamespaceIsNotTouched(t *testing.T) {
	t.Parallel()
	p := start(t)
	slug := store.ProposeSlug("Taken " + p.mark)
	theirs, err := p.admin.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: store.Namespace(slug)},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	st := p.untilStatus(t, p.request(t, "Taken").ID, store.Failed)
	if st.Status != store.Failed || !strings.Contains(phrase.Failure(st.Job.Failure).Cause, st.Namespace) {
		t.Fatalf("%s: %+v", st.Status, st.Job.Failure)
	}
	if _, err := p.db.RequestDelete(t.Context(), p.actor, st.ID, store.DeleteRequest{}); err != nil {
		t.Fatal(err)
	}
	p.until(t, st.ID, "gone", func(st store.Store) bool { return st.Status == store.Deleted })
	now, err := p.admin.CoreV1().Namespaces().Get(t.Context(), theirs.Name, metav1.GetOptions{})
	if err != nil || now.UID != theirs.UID || now.DeletionTimestamp != nil {
		t.Errorf("somebody else’s namespace was touched: %+v, %v", now, err)
	}
}

func TestStoresWaitForTheCluster(t *testing.T) {
	t.Parallel()
	config, built := kubetest.Platform(t), make(chan struct{})
	reported := make(chan struct{})
	p := start(t, connecting(func(ctx context.Context, tell func(provisioner.Progress)) (*rest.Config, error) {
		tell(provisioner.Progress{Message: "Building", Done: 3, Total: 10})
		close(reported)
		select {
		case <-built:
			return config, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}))
	<-reported
	if state := p.Cluster(); state.Link != provisioner.Starting || state.Progress.Done != 3 {
		t.Errorf("while the cluster is built: %+v", state)
	}
	st := p.request(t, "Early")
	if now, err := p.db.UnguardedStore(t.Context(), st.ID); err != nil || now.Job.Step != "" || now.Status != store.Provisioning {
		t.Errorf("before there is a cluster: %s at %q, %v", now.Status, now.Job.Step, err)
	}
	close(built)
	p.until(t, st.ID, "ready", func(st store.Store) bool { return st.Status == store.Ready })
}
