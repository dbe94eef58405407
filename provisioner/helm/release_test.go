package helm_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// place is a namespace as the platform makes it, and a client of the platform's account.
type place struct {
	*helm.Client
	kube  *kube.Client
	owner kube.Owner
}

func newPlace(t *testing.T, config *rest.Config) place {
	t.Helper()
	p := place{owner: kube.Owner{Namespace: "store-helm-" + uuid.NewString()[24:], StoreID: enginetest.Spec("local").StoreID}}
	var err error
	if p.Client, err = helm.NewClient(config); err != nil {
		t.Fatal(err)
	}
	if p.kube, err = kube.NewClient(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = kubetest.Admin(t).CoreV1().Namespaces().Delete(context.Background(), p.owner.Namespace, metav1.DeleteOptions{})
	})
	p.furnish(t)
	return p
}

// furnish makes what is there before a release.
func (p place) furnish(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	if _, err := p.kube.CreateNamespace(ctx, p.owner); err != nil {
		t.Fatal(err)
	}
	p.bindRole(t)
	quota := kube.Limits{Quota: map[corev1.ResourceName]string{corev1.ResourceLimitsCPU: "4", corev1.ResourceLimitsMemory: "8Gi"}}
	if err := p.kube.SetLimits(ctx, p.owner, quota); err != nil {
		t.Fatal(err)
	}
	credentials, err := engine.WooCommerce{}.Credentials("shop.localhost", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.kube.CreateSecret(ctx, p.owner, enginetest.Spec("local").SecretName, credentials); err != nil {
		t.Fatal(err)
	}
}

// bindRole returns when the account's rights in the namespace are in force.
func (p place) bindRole(t *testing.T) {
	t.Helper()
	account, err := p.kube.Account(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.kube.BindRole(t.Context(), p.owner, account); err != nil {
		t.Fatal(err)
	}
	kubetest.Within(t, "the account may work there", func() bool {
		_, err := p.kube.Events(t.Context(), p.owner.Namespace)
		return err == nil
	})
}

func (p place) request(t *testing.T, environment string) helm.Request {
	t.Helper()
	request := enginetest.Request(t, engine.WooCommerce{}, enginetest.Spec(environment))
	request.Namespace = p.owner.Namespace
	return request
}

func (p place) apply(t *testing.T, request helm.Request) helm.Release {
	t.Helper()
	release, err := p.Apply(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

func (p place) wantStatus(t *testing.T, want helm.Status, revision int) {
	t.Helper()
	release, err := p.Release(t.Context(), p.owner.Namespace, "store")
	if err != nil || release.Status != want || release.Revision != revision {
		t.Errorf("release is %q in revision %d, want %q in %d; %v", release.Status, release.Revision, want, revision, err)
	}
}

// until waits for what the platform's watches say of the namespace.
func (p place) until(t *testing.T, what string, holds func(kube.Snapshot) bool) {
	t.Helper()
	watcher, err := kube.NewWatcher(p.kube)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 15*time.Minute)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { watcher.Run(ctx, func() {}) })
	changed, cancel := watcher.Subscribe(p.owner.Namespace)
	defer cancel()
	for !holds(watcher.Snapshot(p.owner.Namespace)) {
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("not %s: %+v", what, watcher.Snapshot(p.owner.Namespace))
		}
	}
}

// isRunning reports whether all of the release is there and at work. The chart's schedule makes
// further jobs, at any time, so only the setup's counts.
func isRunning(s kube.Snapshot) bool {
	if len(s.Workloads) != 2 || len(s.Volumes) != 2 {
		return false
	}
	for _, w := range s.Workloads {
		if !w.Done() {
			return false
		}
	}
	for _, v := range s.Volumes {
		if v.Phase != string(corev1.ClaimBound) {
			return false
		}
	}
	return slices.ContainsFunc(s.Jobs, func(j kube.Job) bool { return j.Component == "setup" && j.Succeeded })
}

func TestReleaseComesAndGoes(t *testing.T) {
	t.Parallel()
	p := newPlace(t, kubetest.Platform(t))
	p.wantStatus(t, helm.None, 0)

	first := p.apply(t, p.request(t, "local"))
	if first.Status != helm.Deployed || first.Revision != 1 || first.ChartVersion == "" || first.Objects < 10 {
		t.Errorf("installed %+v", first)
	}
	p.wantStatus(t, helm.Deployed, 1)
	p.until(t, "running", isRunning)

	p.apply(t, p.request(t, "production"))
	p.wantStatus(t, helm.Deployed, 2)
	p.until(t, "running after the upgrade", isRunning)

	for range 2 { // the second time there is nothing to remove
		if err := p.Uninstall(t.Context(), p.owner.Namespace, "store"); err != nil {
			t.Fatal(err)
		}
	}
	p.wantStatus(t, helm.None, 0)
	if volumes, err := p.kube.Volumes(t.Context(), p.owner.Namespace); err != nil || volumes != 2 {
		t.Errorf("%d volumes outlive the release, %v", volumes, err)
	}
	p.apply(t, p.request(t, "local"))
	p.until(t, "running on its old volumes", isRunning)
}

// An action that is cut off in the middle leaves a pending revision, which blocks all that
// follow until it is unlocked.
func TestInterruptedInstallGoesOnOnceUnlocked(t *testing.T) {
	t.Parallel()
	link := kubetest.NewLink(t)
	p := newPlace(t, link.Config())
	held := link.Hold(func(r kubetest.Request) bool {
		return r.Method == http.MethodPost && r.About(p.owner.Namespace) && strings.HasSuffix(r.Path, "/statefulsets")
	})
	ctx, interrupt := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	request := p.request(t, "local")
	go func() {
		_, err := p.Apply(ctx, request)
		ended <- err
	}()
	held.Wait()
	lost := errors.New("the claim is lost")
	interrupt(lost)
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), lost.Error()) {
			t.Errorf("interrupted: %v", err)
		}
	case <-time.After(time.Minute): // less than a request may take
		t.Fatal("Apply goes on after its context has ended")
	}
	held.Release()
	p.wantStatus(t, helm.Pending, 1)

	_, err := p.Apply(t.Context(), request)
	if locked, ok := errors.AsType[*helm.LockedError](err); !ok || locked.Revision != 1 || locked.Status != "pending-install" || time.Since(locked.Since) > time.Hour {
		t.Errorf("a pending release was upgraded: %v", err)
	}
	for range 2 { // the second time it is not pending any more
		if err := p.Unlock(t.Context(), p.owner.Namespace, "store"); err != nil {
			t.Fatal(err)
		}
	}
	p.wantStatus(t, helm.Incomplete, 1)
	p.apply(t, request)
	p.wantStatus(t, helm.Deployed, 2)
	p.until(t, "running", isRunning)
}

// Helm itself asks for the history up to three times in one action, and whether the cluster
// is there before each.
func TestAnActionAsksForTheHistoryOnce(t *testing.T) {
	t.Parallel()
	asked := &questions{}
	config := kubetest.Platform(t)
	config.Wrap(asked.listen)
	p := newPlace(t, config)
	p.wantStatus(t, helm.None, 0) // asks what the cluster can do, which is asked once in all
	for _, environment := range []string{"local", "production"} {
		asked.reset()
		p.apply(t, p.request(t, environment))
		if n := asked.count("GET", "/secrets"); n != 1 {
			t.Errorf("the release of %s asked %d times for the history", environment, n)
		}
		if n := asked.count("GET", "/version"); n != 0 {
			t.Errorf("the release of %s asked %d times whether the cluster is there", environment, n)
		}
	}
}

// questions are the requests that went to the API server.
type questions struct {
	mu    sync.Mutex
	asked []string
}

func (q *questions) listen(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		q.mu.Lock()
		q.asked = append(q.asked, r.Method+" "+r.URL.Path)
		q.mu.Unlock()
		return next.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (q *questions) reset() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asked = nil
}

func (q *questions) count(method, path string) (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, line := range q.asked {
		if strings.HasPrefix(line, method+" ") && strings.HasSuffix(line, path) {
			n++
		}
	}
	return n
}

func TestNothingIsAskedOnceTheContextHasEnded(t *testing.T) {
	t.Parallel()
	p := newPlace(t, kubetest.Platform(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Apply(ctx, p.request(t, "local")); err == nil {
		t.Error("installed after the end")
	}
	p.wantStatus(t, helm.None, 0)
}

// Helm needs the deployed revision for the next upgrade, whoever asks for it to be deleted.
func TestPruneLeavesWhatIsDeployed(t *testing.T) {
	t.Parallel()
	p := newPlace(t, kubetest.Platform(t))
	for range 3 {
		p.apply(t, p.request(t, "local"))
	}
	for _, tt := range []struct {
		keep []int
		want []string
	}{
		{[]int{1}, []string{"1", "3"}},
		{nil, []string{"3"}},
		{nil, []string{"3"}},
	} {
		if err := p.Prune(t.Context(), p.owner.Namespace, "store", tt.keep); err != nil {
			t.Fatal(err)
		}
		if left := p.revisions(t); !slices.Equal(left, tt.want) {
			t.Errorf("to be kept are %d: the revisions %q are left, want %q", tt.keep, left, tt.want)
		}
	}
	p.apply(t, p.request(t, "production"))
	p.wantStatus(t, helm.Deployed, 4)
}

// revisions are those that the cluster remembers.
func (p place) revisions(t *testing.T) (numbers []string) {
	t.Helper()
	secrets, err := kubetest.Admin(t).CoreV1().Secrets(p.owner.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm"})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets.Items {
		numbers = append(numbers, secret.Labels["version"])
	}
	slices.Sort(numbers)
	return numbers
}

// Tries at one change leave one revision, beside those of other changes and the one that Helm
// upgrades from, which a first installation that fails has none of.
func TestTriesAtOneChangeLeaveOneRevision(t *testing.T) {
	t.Parallel()
	p := newPlace(t, kubetest.Platform(t))
	good, bad := map[string]string{}, map[string]string{"ingress": refused}
	for i, try := range []struct {
		change string
		chart  map[string]string
		want   []string // revisions that are left
	}{
		{"opening", bad, []string{"1"}},
		{"opening", bad, []string{"1", "2"}},
		{"opening", good, []string{"2", "3"}},
		{"upgrade", bad, []string{"2", "3", "4"}},
		{"upgrade", bad, []string{"2", "3", "4"}},
		{"another", bad, []string{"2", "3", "4", "5"}},
	} {
		_, err := p.Apply(t.Context(), helm.Request{Namespace: p.owner.Namespace, Name: "store", Chart: chart(try.chart), Change: try.change})
		if refused := apierrors.IsInvalid(err); refused != (len(try.chart) > 0) {
			t.Fatalf("try %d at %s: %v", i, try.change, err)
		}
		if left := p.revisions(t); !slices.Equal(left, try.want) {
			t.Errorf("try %d at %s leaves the revisions %q, want %q", i, try.change, left, try.want)
		}
	}
	if err := p.Prune(t.Context(), p.owner.Namespace, "store", nil); err != nil {
		t.Fatal(err)
	}
	if left := p.revisions(t); !slices.Equal(left, []string{"3", "5"}) {
		t.Errorf("pruned, the revisions %q are left: the one to upgrade from and the newest are needed", left)
	}
}
