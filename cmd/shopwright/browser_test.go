package main_test

import (
	"flag"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/views/browsertest"
)

var pictures = flag.String("pictures", "", "directory for screenshots of the walk")

// walk is a person at a browser.
type walk struct {
	*browsertest.Browser
	t *testing.T
	p *process
}

func begin(t *testing.T) walk {
	t.Helper()
	return beginAt(t, kubetest.PlatformKubeconfig(t))
}

// beginAt is begin with another way to the cluster.
func beginAt(t *testing.T, kubeconfig string) walk {
	t.Helper()
	p := launch(t, kubeconfig)
	p.start()
	return walk{Browser: browsertest.Open(t), t: t, p: p}
}

// look checks the page as it stands in every mode, and takes its pictures.
func (w walk) look(name string) {
	w.t.Helper()
	for _, m := range browsertest.Modes() {
		w.Use(m)
		w.Check()
		if *pictures != "" {
			w.Picture(filepath.Join(*pictures, name+"."+m.Name+".png"))
		}
	}
	w.Use(browsertest.Modes()[0])
}

func (w walk) signIn() {
	w.t.Helper()
	w.Visit(w.p.url + "/")
	w.Click(`form[action="/sign-in/dev"] button`)
	w.WaitFor(`#store-rows`)
}

// path is where the browser is.
func (w walk) path() string {
	w.t.Helper()
	return browsertest.Evaluate[string](w.Browser, "location.pathname")
}

// wantPassword fails unless the page shows a password that was drawn at random.
func (w walk) wantPassword() {
	w.t.Helper()
	password := browsertest.Evaluate[string](w.Browser, `document.querySelector("#credentials-password").textContent`)
	if !regexp.MustCompile(`^[0-9A-Za-z]{20,}$`).MatchString(password) {
		w.t.Errorf("the page shows %q as the password", password)
	}
}

func TestWalkInABrowser(t *testing.T) {
	t.Parallel()
	w := begin(t)
	slug := "walk-" + strings.ToLower(uuid.NewString()[24:])
	kubetest.Simulate(t, "store-"+slug, "fail=never-ready")

	w.Visit(w.p.url + "/")
	w.look("sign-in")
	w.signIn()
	w.look("stores-empty")

	w.Visit(w.p.url + "/stores/new")
	w.look("create")
	w.Type(`#create-form input[name="name"]`, "Nordwind Outdoor")
	w.Type(`#create-form input[name="slug"]`, "WWW--")
	w.WaitFor(`#address-field .sw-err`)
	w.look("create-invalid")
	browsertest.Evaluate[bool](w.Browser, `document.querySelector('#create-form input[name="slug"]').value = "", true`)
	w.Type(`#create-form input[name="slug"]`, slug)
	w.Click(`#create-form footer button, #create-form button.btn-primary`)

	// From here to the end of the deletion the page is never loaded anew.
	w.WaitFor(`#store-head[data-status="provisioning"]`)
	browsertest.Evaluate[bool](w.Browser, "window.untouched = true")
	w.WaitFor(`li[data-state="run"]:is([data-step="Workloads"], [data-step="Setup"])`)
	w.look("store-provisioning")
	kubetest.Simulate(t, "store-"+slug, "fail=none")
	w.WaitFor(`#store-head[data-status="ready"]`)
	w.look("store-ready")
	w.Click(`form[action$="/credentials"] button`)
	w.WaitFor(`#credentials-password`)
	w.wantPassword()
	w.look("store-credentials")
	if !browsertest.Evaluate[bool](w.Browser, "window.untouched === true") {
		t.Error("the page was loaded anew instead of being kept up to date")
	}

	page := w.path()
	for _, tab := range []string{"pods", "events", "settings"} {
		w.Visit(w.p.url + page + "/" + tab)
		w.look("store-" + tab)
	}
	for _, place := range []string{"/activity", "/account", "/stores", "/stores?q=nothing-like-it", "/stores/none-such"} {
		w.Visit(w.p.url + place)
		if place == "/stores/none-such" {
			_ = w.Complaints() // the browser says that it got a 404, which is what is looked at
		}
		w.look("page-" + strings.Trim(strings.NewReplacer("/", "-", "?", "-").Replace(place), "-"))
	}

	w.Visit(w.p.url + page)
	browsertest.Evaluate[bool](w.Browser, "window.untouched = true")
	w.Click(`#store-head form[action$="/delete"] button`)
	w.WaitFor(`#delete-form input[name="confirm"]`)
	w.look("delete")
	w.Type(`#delete-form input[name="confirm"]`, "Nordwind")
	w.Click(`#delete-form button.btn-error`)
	w.WaitFor(`#delete-form .sw-err`)
	browsertest.Evaluate[bool](w.Browser, `document.querySelector('#delete-form input[name="confirm"]').value = "", true`)
	w.Type(`#delete-form input[name="confirm"]`, "Nordwind Outdoor")
	_ = w.Complaints() // of the 422 that was asked for
	w.Click(`#delete-form button.btn-error`)
	w.WaitFor(`#store-head[data-status="deleting"]`)
	w.look("store-deleting")
	w.WaitFor(`#store-page a[href="/stores"].btn`)
	w.look("store-gone")
	wantNoNamespace(t, slug)
}

func TestWalkWithoutScript(t *testing.T) {
	t.Parallel()
	w := begin(t)
	slug := "plain-" + strings.ToLower(uuid.NewString()[24:])
	w.Script(false)
	w.signIn()
	w.Visit(w.p.url + "/stores/new")
	w.Type(`#create-form input[name="name"]`, "Nordwind <b>Outdoor</b>")
	w.Type(`#create-form input[name="slug"]`, "no good")
	w.Click(`#create-form input[value="medusa"]`)
	w.Click(`#create-form input[name="template.medusa"][value="demo"]`)
	w.Click(`#create-form button.btn-primary`)
	w.WaitFor(`#address-field .sw-err`)
	w.WaitFor(`#create-form input[name="template.medusa"][value="demo"]:checked`)
	w.WaitFor(`#create-form input[name="name"][value="Nordwind <b>Outdoor</b>"]`)
	w.Visit(w.p.url + "/stores/new")
	w.Type(`#create-form input[name="name"]`, "Nordwind <b>Outdoor</b>")
	w.Type(`#create-form input[name="slug"]`, slug)
	w.Click(`#create-form input[name="template.woocommerce"][value="demo"]`)
	w.Click(`#create-form button.btn-primary`)
	w.WaitFor(`#store-head`)
	w.untilSays("Demo catalogue")
	page := w.path()
	w.p.untilReady(page)
	w.Visit(w.p.url + page)
	w.Click(`form[action$="/credentials"] button`)
	w.WaitFor(`#credentials-password`)
	w.wantPassword()
	w.Visit(w.p.url + page + "/delete")
	w.Type(`#delete-form input[name="confirm"]`, "Nordwind <b>Outdoor</b>")
	w.Click(`#delete-form button.btn-error`)
	w.WaitFor(`#store-head`)
	w.p.untilGone(page)
	wantNoNamespace(t, slug)
	if status, _ := w.p.get(page); status != http.StatusNotFound {
		t.Errorf("the page of a store that is gone: %d", status)
	}
}

func TestFailedStoreExplainsAndIsRetried(t *testing.T) {
	t.Parallel()
	w := begin(t)
	slug := "fail-" + strings.ToLower(uuid.NewString()[24:])
	kubetest.Simulate(t, "store-"+slug, "fail=image-pull", "component=wordpress")
	w.signIn()
	page := w.p.create("Papeterie du Canal "+strings.Repeat("with a very long name ", 4), slug)
	w.Visit(w.p.url + page)
	w.WaitFor(`#store-head[data-status="failed"]`)
	w.look("store-failed")
	said := browsertest.Evaluate[string](w.Browser, `document.querySelector("#store-main").innerText`)
	for _, fact := range []string{"wordpress-", "docker.io/library/wordpress", "ImagePullBackOff", "Retry"} {
		if !strings.Contains(said, fact) {
			t.Errorf("the page of a failed store does not say %q:\n%s", fact, said)
		}
	}
	w.Visit(w.p.url + "/stores?status=failed")
	w.look("stores-failed")
	kubetest.Simulate(t, "store-"+slug, "fail=none", "component=wordpress")
	w.Visit(w.p.url + page)
	w.Click(`#store-head form[action$="/retry"] button`)
	w.WaitFor(`#store-head[data-status="ready"]`)
	w.look("store-retried")
}

// watchShifts begins to note what moves in the page without anybody's doing.
const watchShifts = `(() => {
	window.shifts = [];
	new PerformanceObserver((list) => {
		for (const e of list.getEntries()) for (const s of e.sources) window.shifts.push(s.node?.outerHTML?.slice(0, 120) ?? s.node?.data ?? "?");
	}).observe({ type: "layout-shift" });
	return "watching";
})()`

// untilPainted tells when what is there now has been painted: its coming is no move.
const untilPainted = `(() => {
	requestAnimationFrame(() => requestAnimationFrame(() => { window.painted = true }));
	return "waiting";
})()`

func TestListStaysStillWhileStoresAreOpened(t *testing.T) {
	t.Parallel()
	w := begin(t)
	mark := strings.ToLower(uuid.NewString()[24:])
	w.signIn()
	w.Until(`document.getElementById("live").dataset.live === "on"`)
	w.Until(isThere)
	for _, n := range []string{"one", "two", "three"} {
		kubetest.Simulate(t, "store-"+n+"-"+mark, "start-delay=2s", "job-duration=2s")
		w.p.create("Store "+n, n+"-"+mark)
	}
	w.Until(`document.querySelectorAll("#store-rows tbody tr").length === 3`)
	browsertest.Evaluate[string](w.Browser, untilPainted)
	w.Until("window.painted")
	browsertest.Evaluate[string](w.Browser, watchShifts)
	w.Until(`document.querySelectorAll('#store-rows tr[data-status="ready"]').length === 3`)
	if moved := browsertest.Evaluate[string](w.Browser, `window.shifts.join("\n")`); moved != "" {
		t.Errorf("while stores are opened these move:\n%s", moved)
	}
}
