package provisioner_test

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// untilFailed waits for a failure that tells a person what is wrong and what to do.
func (p *platform) untilFailed(t *testing.T, id, title string) store.Store {
	t.Helper()
	st := p.until(t, id, "failed", func(st store.Store) bool { return st.Status == store.Failed || st.Status == store.Ready })
	if phrase.Failure(st.Job.Failure).Title != title || phrase.Failure(st.Job.Failure).Cause == "" || phrase.Failure(st.Job.Failure).Next == "" {
		t.Fatalf("failed with %+v, want %q", st.Job.Failure, title)
	}
	return st
}

func (p *platform) retry(t *testing.T, st store.Store) {
	t.Helper()
	if _, err := p.db.Retry(t.Context(), p.actor, st.ID); err != nil {
		t.Fatal(err)
	}
}

// keepsakes are what a retry must not make anew: the namespace, the disks, the passwords.
func (p *platform) keepsakes(t *testing.T, namespace string) map[string]types.UID {
	t.Helper()
	kept := map[string]types.UID{}
	ns, err := p.admin.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	kept["namespace"] = ns.UID
	claims, err := p.admin.CoreV1().PersistentVolumeClaims(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims.Items {
		kept["disk "+c.Name] = c.UID
	}
	secrets, err := p.admin.CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "owner!=helm"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets.Items {
		kept["secret "+s.Name] = s.UID
	}
	return kept
}

// wantKept checks that what was there is there still, and is the same.
func (p *platform) wantKept(t *testing.T, namespace string, before map[string]types.UID) {
	t.Helper()
	now := p.keepsakes(t, namespace)
	for what, uid := range before {
		if now[what] != uid {
			t.Errorf("the %s was %s and is %q after the retry", what, uid, now[what])
		}
	}
}

func TestFailuresTellWhatToDoAndRetryGoesOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fail, component, title string
		evidence               string // a reason that the cluster gave
		cause                  string
		timeout                time.Duration
	}{
		"Crashing": {fail: "crash-loop", component: "wordpress", title: "A container keeps crashing", evidence: "CrashLoopBackOff", cause: "exit code 1", timeout: patience},
		"Never ready": {fail: "never-ready", component: "mariadb", title: "Timed out", evidence: "Unhealthy", timeout: 2 * time.Minute,
			cause: "The container mariadb of the pod mariadb-0 is running but not ready."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, func(config *provisioner.Config) { config.Timeout = c.timeout })
			namespace, component := store.Namespace(store.ProposeSlug(name+" "+p.mark)), "component="+c.component
			kubetest.Simulate(t, namespace, "fail="+c.fail, component)
			st := p.untilFailed(t, p.request(t, name).ID, c.title)
			if told := reasons(st.Job.Failure); !strings.Contains(told, c.evidence) {
				t.Errorf("the evidence is %q, without %q", told, c.evidence)
			}
			if !strings.Contains(phrase.Failure(st.Job.Failure).Cause, c.cause) {
				t.Errorf("the cause is %q", phrase.Failure(st.Job.Failure).Cause)
			}
			before := p.keepsakes(t, namespace)
			kubetest.Simulate(t, namespace, "fail=none", component)
			p.retry(t, st)
			p.until(t, st.ID, "ready", func(st store.Store) bool { return st.Status == store.Ready })
			p.wantOneRelease(t, st)
			p.wantKept(t, namespace, before)
		})
	}
}

func reasons(f store.Failure) string {
	var all []string
	for _, e := range f.Evidence {
		all = append(all, e.Reason)
	}
	return strings.Join(all, ", ")
}

// TestRefusedObjectsThenRetry lets the API server refuse the release's services, by a quota
// that is not ours. What was made before them is made once.
func TestRefusedObjectsThenRetry(t *testing.T) {
	t.Parallel()
	limited := make(chan struct{})
	p := start(t, connecting(after(limited, kubetest.Platform(t))))
	st := p.request(t, "Refused")
	p.makeNamespace(t, st)
	quotas := p.admin.CoreV1().ResourceQuotas(st.Namespace)
	_, err := quotas.Create(t.Context(), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "theirs"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourceServices: resource.MustParse("0")}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	close(limited)

	st = p.untilFailed(t, st.ID, "The cluster denied the request")
	if st.Job.Failure.Step != store.StepRelease || !strings.Contains(phrase.Failure(st.Job.Failure).Cause, "exceeded quota: theirs") || len(st.Job.Failure.HelmLog) == 0 {
		t.Errorf("failed with %+v", st.Job.Failure)
	}
	before := p.keepsakes(t, st.Namespace)
	if err := quotas.Delete(t.Context(), "theirs", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	p.retry(t, st)
	p.until(t, st.ID, "ready", func(st store.Store) bool { return st.Status == store.Ready })
	p.wantOneRelease(t, st)
	p.wantKept(t, st.Namespace, before)
}

// after connects with a cluster once the channel is closed.
func after(ready <-chan struct{}, config *rest.Config) provisioner.Connector {
	return func(ctx context.Context, _ func(provisioner.Progress)) (*rest.Config, error) {
		select {
		case <-ready:
			return config, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// makeNamespace makes the store's namespace before the provisioner does.
func (p *platform) makeNamespace(t *testing.T, st store.Store) {
	t.Helper()
	_, err := p.admin.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name:   st.Namespace,
		Labels: map[string]string{"app.kubernetes.io/managed-by": "shopwright", "shopwright.dev/store-id": st.ID},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLostCredentialsAreNotMadeAnew removes the passwords of a shop whose disks are written
// with them. New ones would not open what is there.
func TestLostCredentialsAreNotMadeAnew(t *testing.T) {
	t.Parallel()
	p := start(t)
	kubetest.Simulate(t, store.Namespace(store.ProposeSlug("Keyless "+p.mark)), "fail=image-pull", "component=wordpress")
	st := p.untilFailed(t, p.request(t, "Keyless").ID, "An image can’t be pulled")
	kubetest.Simulate(t, st.Namespace, "fail=none", "component=wordpress")
	secrets := p.admin.CoreV1().Secrets(st.Namespace)
	lost, err := secrets.Get(t.Context(), "store-credentials", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := secrets.Delete(t.Context(), lost.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	p.retry(t, st)
	p.untilFailed(t, st.ID, "The credentials are missing")
	if _, err := secrets.Get(t.Context(), lost.Name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Fatalf("the credentials were made anew: %v", err)
	}
	p.wantEmptySecretLeftAlone(t, st, lost.Name)

	lost.ObjectMeta = metav1.ObjectMeta{Name: lost.Name, Labels: lost.Labels}
	if _, err := secrets.Create(t.Context(), lost, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	before := p.keepsakes(t, st.Namespace)
	p.retry(t, st)
	p.until(t, st.ID, "ready", func(st store.Store) bool { return st.Status == store.Ready })
	p.wantKept(t, st.Namespace, before)
	login, err := p.Credentials(t.Context(), st)
	if err != nil || login.Password != string(lost.Data["admin-password"]) {
		t.Errorf("the login is another one, %v", err)
	}
}

// wantEmptySecretLeftAlone retries with a Secret of that name that has nothing in it.
func (p *platform) wantEmptySecretLeftAlone(t *testing.T, st store.Store, name string) {
	t.Helper()
	secrets := p.admin.CoreV1().Secrets(st.Namespace)
	if _, err := secrets.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	p.retry(t, st)
	p.untilFailed(t, st.ID, "The credentials are missing")
	if secret, err := secrets.Get(t.Context(), name, metav1.GetOptions{}); err != nil || len(secret.Data) > 0 {
		t.Errorf("the empty Secret has %d entries now, %v", len(secret.Data), err)
	}
	if err := secrets.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}
