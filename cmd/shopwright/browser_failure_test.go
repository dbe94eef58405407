package main_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/views/browsertest"
)

// browse opens a browser of somebody who is signed in to a program that runs.
func browse(t *testing.T, p *process) walk {
	t.Helper()
	w := walk{Browser: browsertest.Open(t), t: t, p: p}
	w.signIn()
	return w
}

// untilShows waits for text that can be seen where the selector leads.
func (w walk) untilShows(where, text string) {
	w.t.Helper()
	place, err := json.Marshal(where)
	if err != nil {
		w.t.Fatal(err)
	}
	wanted, err := json.Marshal(text)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Until(`[...document.querySelectorAll(` + string(place) + `)].some((e) => e.innerText.includes(` + string(wanted) + `))`)
}

// Where the page of a store that has failed says what is wrong, why, and what to do.
const (
	aboutFailure = `section[aria-labelledby="failure-title"]`
	evidence     = `#main .sw-panel`
)

// TestFailuresAreExplainedInABrowser lets stores fail in every way that a person can do
// something about, and looks whether their pages say the cause, the evidence and what to do.
func TestFailuresAreExplainedInABrowser(t *testing.T) {
	t.Parallel()
	refusesIngresses := kubetest.Refusing(http.StatusForbidden, metav1.StatusReasonForbidden, func(r kubetest.Request) bool {
		return r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/ingresses")
	})
	for name, c := range map[string]struct {
		simulated          []string
		setting            string
		fault              kubetest.Fault
		title, cause, next string
		evidence           string // none where nothing was made
	}{
		"crash loop": {
			simulated: []string{"fail=crash-loop", "component=wordpress"}, title: "A container keeps crashing", cause: "with exit code 1",
			evidence: "CrashLoopBackOff", next: "Check its last log lines, fix the cause, then press Retry.",
		},
		"never ready": {
			simulated: []string{"fail=never-ready", "component=mariadb"}, setting: "SHOPWRIGHT_PROVISION_TIMEOUT=2m", title: "Timed out",
			cause: "is running but not ready", evidence: "Unhealthy", next: "Look at the pods and events for the reason. Retry continues from this step.",
		},
		"failed setup": {
			simulated: []string{"fail=job-failed", "component=setup"}, title: "Setup failed", cause: "Job has reached the specified backoff limit",
			evidence: "last lines", next: "then press Retry. Setup continues with what exists.",
		},
		"missing class": {
			setting: "SHOPWRIGHT_STORAGE_CLASS=no-such-class", title: "The cluster has no such storage class", cause: "the storage class no-such-class, but the cluster doesn’t have it",
			next: "Create that class, or change SHOPWRIGHT_STORAGE_CLASS",
		},
		"admission denied": {
			fault: refusesIngresses, title: "The cluster denied the request", cause: "injected fault: Forbidden", evidence: "Helm, last lines",
			next: "Ask the cluster’s administrator to allow it, then press Retry.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			link := kubetest.NewLink(t)
			p := launch(t, link.Kubeconfig())
			if c.setting != "" {
				p.env = append(p.env, c.setting)
			}
			if c.fault != nil {
				link.Inject(c.fault)
			}
			slug := "told-" + strings.ToLower(uuid.NewString()[24:])
			if len(c.simulated) > 0 {
				kubetest.Simulate(t, "store-"+slug, c.simulated...)
			}
			p.start()
			page := p.create("Told", slug)
			p.until(page, "failed", shows(`data-status="failed"`))

			w := browse(t, p)
			w.Visit(p.url + page)
			w.untilShows(aboutFailure, c.title)
			w.untilShows(aboutFailure, c.cause)
			w.untilShows("#main .sw-panel", c.next)
			w.WaitFor(`form[action$="/retry"] button`)
			if c.evidence != "" {
				w.untilShows(evidence, c.evidence)
			}
			w.look("failed-" + strings.ReplaceAll(name, " ", "-"))
			p.removeStore(slug, "Told")
		})
	}
}

// TestWhatHoldsANamespaceIsSaidInABrowser deletes a store in whose namespace somebody has
// something that does not go.
func TestWhatHoldsANamespaceIsSaidInABrowser(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.start()
	slug := "held-" + strings.ToLower(uuid.NewString()[24:])
	page := p.create("Held", slug)
	p.untilReady(page)
	letGo := holdNamespace(t, "store-"+slug)
	w := browse(t, p)
	w.Visit(p.url + page)
	p.post(page+"/delete", url.Values{"confirm": {"Held"}})
	w.untilShows(`#main`, "example.com/not-yet")
	w.look("held")
	letGo()
	w.WaitFor(`#store-page a[href="/stores"].btn`) // it is gone
	p.untilGone(page)
	wantNoNamespace(t, slug)
}

// holdNamespace puts something there that does not go until it is let go.
func holdNamespace(t *testing.T, namespace string) (letGo func()) {
	t.Helper()
	things := kubetest.Admin(t).CoreV1().ConfigMaps(namespace)
	_, err := things.Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "held", Finalizers: []string{"example.com/not-yet"}},
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

// anotherCluster answers in the place of the right one, but knows only who it is.
func anotherCluster(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	if !strings.HasSuffix(r.URL.Path, "/namespaces/kube-system") {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(corev1.Namespace{
		TypeMeta: metav1.TypeMeta{Kind: "Namespace", APIVersion: "v1"}, ObjectMeta: metav1.ObjectMeta{Name: "kube-system", UID: "another"},
	})
}

func TestAnotherClusterIsSaidInABrowser(t *testing.T) {
	t.Parallel()
	link := kubetest.NewLink(t)
	w := beginAt(t, link.Kubeconfig())
	slug := "foreign-" + strings.ToLower(uuid.NewString()[24:])
	w.signIn()
	w.Until(isThere)
	page := w.p.create("Bystander", slug)
	w.p.untilReady(page)
	w.Visit(w.p.url + page)
	w.keeps()
	link.Inject(anotherCluster)
	link.Cut()
	w.untilShows("#cluster-notice", "Another cluster answers under this name. Work has stopped")
	w.look("another-cluster")
	link.Inject(kubetest.NoFault)
	w.Until(isThere)
	w.wantKept()
	w.p.removeStore(slug, "Bystander")
}
