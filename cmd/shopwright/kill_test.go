package main_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// stepRunning is how a store's page tells that a step runs.
func stepRunning(page, step string) bool {
	return strings.Contains(page, `data-step="`+step+`" data-state="run"`)
}

// TestKilledWhileOpening ends the program at a step of opening a store, as a power cut
// would. Started again it must end with a store that is ready, and nothing twice.
func TestKilledWhileOpening(t *testing.T) {
	t.Parallel()
	for step, c := range map[string]struct {
		held     string   // requests that are held at the gate, by path
		switches []string // of the store's pods
		page     string   // the step that the page shows
	}{
		"after the namespace": {held: `/resourcequotas$`, page: "Limits"},
		"after the release":   {switches: []string{"fail=never-ready"}, page: "Workloads"},
		"during the setup":    {switches: []string{"job-duration=1h"}, page: "Setup"},
	} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			slug := "kill-" + strings.ToLower(uuid.NewString()[24:])
			p := launch(t, gate(t))
			var held *kubetest.Held
			if c.held != "" {
				held = kubetest.Hold(t, http.MethodPost, "^/api/v1/namespaces/store-"+slug+c.held)
			} else {
				kubetest.Simulate(t, "store-"+slug, c.switches...)
			}
			p.start()
			page := p.create("Killed "+step, slug)
			if held != nil {
				held.Wait()
			}
			p.until(page, "at "+c.page, func(_ int, body string) bool { return stepRunning(body, c.page) })
			p.kill()

			if held != nil {
				held.Release()
			} else {
				kubetest.Simulate(t, "store-"+slug, "fail=none", "job-duration=")
			}
			p.start()
			p.untilReady(page)
			wantOneRelease(t, slug)
			p.post(page+"/delete", url.Values{"confirm": {"Killed " + step}})
			p.untilGone(page)
			wantNoNamespace(t, slug)
		})
	}
}

func TestKilledWhileDeleting(t *testing.T) {
	t.Parallel()
	slug := "kill-" + strings.ToLower(uuid.NewString()[24:])
	p := launch(t, gate(t))
	p.start()
	page := p.create("Killed", slug)
	p.untilReady(page)
	held := kubetest.Hold(t, http.MethodDelete, "^/api/v1/namespaces/store-"+slug+"$")
	p.post(page+"/delete", url.Values{"confirm": {"Killed"}})
	held.Wait()
	p.kill()
	held.Release()
	p.start()
	p.untilGone(page)
	wantNoNamespace(t, slug)
}

func wantOneRelease(t *testing.T, slug string) {
	t.Helper()
	secrets, err := kubetest.Admin(t).CoreV1().Secrets("store-"+slug).List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm"})
	if err != nil {
		t.Fatal(err)
	}
	deployed := 0
	for _, s := range secrets.Items {
		if s.Labels["status"] == "deployed" {
			deployed++
		} else if s.Labels["status"] != "superseded" && s.Labels["status"] != "failed" {
			t.Errorf("%s is %s", s.Name, s.Labels["status"])
		}
	}
	if deployed != 1 {
		t.Errorf("store-%s has %d deployed releases", slug, deployed)
	}
}

func wantNoNamespace(t *testing.T, slug string) {
	t.Helper()
	_, err := kubetest.Admin(t).CoreV1().Namespaces().Get(t.Context(), "store-"+slug, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("store-%s is still there: %v", slug, err)
	}
}

// TestEndsInOrder sends SIGTERM in the middle of the work, with a stream open: the program
// hands over and is out well within the grace period.
func TestEndsInOrder(t *testing.T) {
	t.Parallel()
	slug := "term-" + strings.ToLower(uuid.NewString()[24:])
	kubetest.Simulate(t, "store-"+slug, "fail=never-ready")
	p := launch(t, gate(t))
	p.start()
	page := p.create("Ended", slug)
	p.until(page, "at work", func(_ int, body string) bool { return stepRunning(body, "Workloads") })
	stream, err := p.client.Get(p.url + "/events?view=stores")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	began := time.Now()
	if code := p.stop(); code != 0 {
		t.Errorf("the program ended with %d", code)
	}
	if took := time.Since(began); took > 9*time.Second {
		t.Errorf("it took %s to end", took)
	}
	kubetest.Simulate(t, "store-"+slug, "fail=none")
	p.start()
	p.untilReady(page)
	p.post(page+"/delete", url.Values{"confirm": {"Ended"}})
	p.untilGone(page)
}
