//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/views/browsertest"
)

const (
	platform    = "shopwright"
	platformURL = "http://shopwright." + domain
)

// makeNamespace makes the platform's namespace, if there is none yet.
func (c *cluster) makeNamespace(t *testing.T) {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: platform, Labels: map[string]string{
		"pod-security.kubernetes.io/enforce": "restricted",
	}}}
	if _, err := c.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
}

// install installs the platform as its chart's README says, with more arguments if there are any.
func (c *cluster) install(t *testing.T, more ...string) {
	t.Helper()
	c.makeNamespace(t)
	values, err := json.Marshal(storeValues())
	if err != nil {
		t.Fatal(err)
	}
	image := referenceOf(required(t, "SHOPWRIGHT_E2E_IMAGE"))
	began := time.Now()
	c.helm(t, append([]string{
		"upgrade", "--install", platform, "../../charts/platform", "--namespace", platform,
		"--values", "../../charts/platform/values-local.yaml", "--set", "image.repository=" + image.repository, "--set", "image.tag=" + image.tag,
		"--set", "ingress.host=shopwright." + domain, "--set", "stores.baseDomain=" + domain, "--set-json", "stores.values=" + string(values),
		// One person opens all stores of a run, within minutes.
		"--set-string", "stores.createRate=0", "--set", "stores.maxPerUser=0",
		"--wait", "--timeout", "3m",
	}, more...)...)
	t.Logf("the platform is installed in %s", took(began))
	c.helm(t, "test", platform, "--namespace", platform)
}

// nextPlatform brings the platform to the next version, which offers next versions of the
// engines' charts. Whoever is signed in stays so.
func (c *cluster) nextPlatform(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	image := referenceOf(required(t, "SHOPWRIGHT_E2E_NEXT_IMAGE"))
	began := time.Now()
	c.helm(t, "upgrade", platform, "../../charts/platform", "--namespace", platform, "--reset-then-reuse-values",
		"--set", "image.repository="+image.repository, "--set", "image.tag="+image.tag, "--wait", "--timeout", "3m")
	t.Logf("the platform is upgraded in %s", took(began))
	within(t, 3*time.Minute, "the ingress controller has heard of the new pod", c.answers)
	b.Visit(platformURL + "/stores")
	b.WaitFor("#store-rows")
}

// answers reports whether the platform is ready where people find it.
func (c *cluster) answers(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.address()+"/readyz", nil)
	if err != nil {
		return false
	}
	request.Host = strings.TrimPrefix(platformURL, "http://")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

// storeValues are values over those of the stores' charts: one image serves as both of WooCommerce's.
// Without the plugin there is no use in setting a shop up again.
func storeValues() map[string]any {
	image := os.Getenv(withPlugin)
	if image == "" {
		return map[string]any{"woocommerce": map[string]any{"setup": map[string]any{"backoffLimit": 0}}}
	}
	values := referenceOf(image).values()
	return map[string]any{"woocommerce": map[string]any{"images": map[string]any{"wordpress": values, "cli": values}}}
}

// signIn comes in through the Ingress with the link that the operator gets.
func (c *cluster) signIn(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	pod := c.pods(t, platform, "app.kubernetes.io/name=shopwright")[0].Name
	link := strings.TrimSpace(c.exec(t, platform, pod, "/shopwright", "login-link"))
	if !strings.HasPrefix(link, platformURL+"/") {
		t.Fatalf("the link is %s", link)
	}
	b.Visit(link)
	if browsertest.Evaluate[bool](b, `document.querySelector("main form button") !== null && location.pathname.startsWith("/sign-in")`) {
		b.Click("main form button")
	}
	b.WaitFor("#store-rows")
	c.picture(b, "signed-in")
}

// store is one that a merchant has created on the pages.
type store struct {
	*cluster
	engine, name, slug, page string
	clicked                  time.Time
}

func (s *store) url() string { return "http://" + s.host() }

func (s *store) host() string { return s.slug + "." + domain }

func (s *store) namespace() string { return "store-" + s.slug }

// create creates a store and waits until it is ready, which it is when an order was placed,
// or has failed. It tells how long that took from the click: more than a minute is too long.
func (c *cluster) create(t *testing.T, b *browsertest.Browser, engine, name string) *store {
	t.Helper()
	s := c.begin(b, engine, name)
	s.arrive(t, b)
	warning := ""
	if s.status(b) == "ready" && time.Since(s.clicked) > time.Minute {
		warning = "  WARNING: more than a minute"
	}
	s.note(t, "%s is %s %s after the click%s", s.slug, s.status(b), took(s.clicked), warning)
	return s
}

// begin creates a store. Its address is another in every run.
func (c *cluster) begin(b *browsertest.Browser, engine, name string) *store {
	s := &store{cluster: c, engine: engine, name: name, slug: engine + "-" + strings.ToLower(uuid.NewString()[30:])}
	b.Visit(platformURL + "/stores/new")
	b.Click(fmt.Sprintf(`#create-form input[name="engine"][value=%q]`, engine))
	b.Type(`#create-form input[name="name"]`, name)
	b.Type(`#create-form input[name="slug"]`, s.slug)
	setOwner(b, "#create-form", firstOwner)
	s.clicked = time.Now()
	b.Click(`#create-form button.btn-primary`)
	b.WaitFor(`#store-head`)
	s.page = browsertest.Evaluate[string](b, "location.pathname")
	return s
}

// arrive waits on the store's page until it is ready, or has failed, and tells how it got there.
func (s *store) arrive(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	within(t, provisioning, "the store is ready, or has failed", func(context.Context) bool {
		status := s.status(b)
		return status == "ready" || status == "failed"
	})
	s.picture(b, s.slug+"-created")
	s.note(t, "%s is %s by these steps: %s", s.slug, s.status(b), steps(b))
}

// steps are those of the store's page, which is open, each with its message and its time.
func steps(b *browsertest.Browser) string {
	lines := browsertest.Evaluate[[]string](b, `[...document.querySelectorAll("#store-main section")]
		.filter(s => s.querySelector("li[data-step]") || s.querySelector("h2")?.textContent === "Progress")
		.flatMap(s => [...s.querySelectorAll("ol > li")].map(e => e.innerText))`)
	for i, text := range lines {
		lines[i] = strings.Replace(breaks.ReplaceAllString(text, ": "), ": done", "", 1)
	}
	return strings.Join(lines, "; ")
}

// breaks are those of lines, and the colons that are there for who listens to the page.
var breaks = regexp.MustCompile(`\s*\n[\s:]*`)

// took is how long ago something began.
func took(began time.Time) time.Duration { return time.Since(began).Round(100 * time.Millisecond) }

// status is what the store's page, which is open, says; empty while it is being loaded.
func (s *store) status(b *browsertest.Browser) string {
	return browsertest.Evaluate[string](b, `document.querySelector("#store-head")?.dataset.status ?? ""`)
}

// mustBeReady fails with what the store's page says.
func (s *store) mustBeReady(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	if status := s.status(b); status != "ready" {
		t.Fatalf("the store is %s:\n%s", status, browsertest.Evaluate[string](b, `document.querySelector("#store-main").innerText`))
	}
}

// check has the store's order check run, with an order, and wants it to succeed.
func (s *store) check(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	b.Visit(platformURL + s.page)
	b.WaitFor(`section[aria-labelledby="health-title"] time`)
	before := browsertest.Evaluate[string](b, lastCheck)
	began := time.Now()
	b.Click(`form[action$="/check"] button`)
	within(t, 5*time.Minute, "another order check", func(context.Context) bool {
		last := browsertest.Evaluate[string](b, lastCheck)
		return last != "" && last != before &&
			browsertest.Evaluate[bool](b, `document.querySelector('form[action$="/check"] button:not([disabled])') !== null`)
	})
	said := browsertest.Evaluate[string](b, `document.querySelector("section[aria-labelledby=health-title]").innerText`)
	s.note(t, "%s is checked in %s: %s", s.slug, took(began), strings.Join(strings.Fields(said), " "))
	s.mustBeReady(t, b)
}

// lastCheck tells one check from the next.
const lastCheck = `document.querySelector("section[aria-labelledby=health-title] time")?.dateTime ?? ""`

// provisioning is how long a store may take. It leaves the platform the time to say why it does not come.
const provisioning = 12 * time.Minute

// credentials are what the store's page shows to its owner.
func (s *store) credentials(b *browsertest.Browser) (user, password string) {
	b.Visit(platformURL + s.page)
	b.Click(`form[action$="/credentials"] button`)
	b.WaitFor(`#credentials-password`)
	return browsertest.Evaluate[string](b, `document.querySelector("#credentials-user").textContent`),
		browsertest.Evaluate[string](b, `document.querySelector("#credentials-password").textContent`)
}

// delete deletes the store on the pages and waits until nothing is left of it: neither its
// namespace, nor its volumes, nor their folders on the node.
func (s *store) delete(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	volumes := s.volumes(t)
	if len(volumes) == 0 {
		t.Error("the store has no volumes")
	}
	for _, v := range volumes {
		if _, err := os.Stat(v.Spec.HostPath.Path); err != nil {
			t.Errorf("the folder of the volume %s: %v", v.Name, err)
		}
	}
	began := time.Now()
	b.Visit(platformURL + s.page + "/delete")
	b.Type(`#delete-form input[name="confirm"]`, s.name)
	b.Do(chromedp.Click(chromedp.CSS(`#delete-form button.btn-error`)))
	b.WaitFor(`#store-page a[href="/stores"].btn`)
	s.note(t, "%s is deleted in %s, with %d volumes", s.slug, took(began), len(volumes))
	if _, err := s.CoreV1().Namespaces().Get(t.Context(), s.namespace(), metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the namespace is still there: %v", err)
	}
	// The store's volume claims went with its namespace, and the cluster takes their volumes next.
	within(t, time.Minute, "the volumes are gone", func(context.Context) bool { return len(s.volumes(t)) == 0 })
	for _, v := range volumes {
		if _, err := os.Stat(v.Spec.HostPath.Path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the folder of the volume %s is still there: %v", v.Name, err)
		}
	}
}

// volumes are those that the store has claimed, whatever has become of them.
func (s *store) volumes(t *testing.T) (claimed []corev1.PersistentVolume) {
	t.Helper()
	all, err := s.CoreV1().PersistentVolumes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all.Items {
		if v.Spec.ClaimRef != nil && v.Spec.ClaimRef.Namespace == s.namespace() {
			claimed = append(claimed, v)
		}
	}
	return claimed
}
