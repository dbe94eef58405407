package main_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store/storetest"
	"shopwright.dev/shopwright/views/browsertest"
)

// attacks are what somebody may write into whatever a page shows.
func attacks() string {
	return strings.Join([]string{
		`<script>window.ran = 1</script>`, `"><img src=x onerror="window.ran = 1">`, `'><svg onload=window.ran=1>`,
		`</textarea></title></style></pre><iframe src="javascript:parent.ran = 1"></iframe>`, `javascript:window.ran=1`,
		`</hx-partial><hx-partial hx-target="#main" hx-swap="innerHTML">`, `<b hx-get="/sign-in" hx-trigger="load">`,
		"\n\nid: 0\nevent: close\ndata: <script>window.ran = 1</script>\n\n", "\r\rdata: x\r\r", "\u2028\u2029\u0085",
		"\x1b[31mred\x1b[0m\x1b]0;title\a", "\x00", "\xff\xfe\xc3(",
		"\u202eover\u202cride \u2067isolate", "שלום עולם.",
	}, " ")
}

// endless is a line of 100 kB in which nothing breaks.
func endless(mark string) string { return mark + strings.Repeat("W", 100_000) }

// findIntrusion names what a page has that none of ours ever has, and text that can
// reorder what stands beside it.
const findIntrusion = `(() => {
	const found = window.ran ? ["a script ran"] : [];
	if (document.scripts.length !== 1) found.push(document.scripts.length + " scripts");
	for (const e of document.querySelectorAll("*")) {
		const tag = e.outerHTML.slice(0, 120);
		if (e.matches("img, iframe, object, embed, base, style, textarea, template, hx-partial, svg[onload]")) found.push(tag);
		for (const { name, value } of e.attributes) {
			if (name.startsWith("on")) found.push(tag);
			if (/^(href|src|action|formaction|xlink:href|hx-get|hx-post)$/.test(name) && !/^(\/|#|https?:\/\/)/.test(value)) found.push(tag);
		}
	}
	const isolated = (e) => !getComputedStyle(e).display.startsWith("inline") || /isolate|plaintext/.test(getComputedStyle(e).unicodeBidi);
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const text = texts.currentNode.data, parent = texts.currentNode.parentElement;
		if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029]/.test(text)) found.push("a control character in " + text.slice(0, 120));
		if (/[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/.test(text)) found.push("a reordering character in " + text.slice(0, 120));
		if (/[\u0590-\u06ff]/.test(text) && !isolated(parent)) found.push("not isolated: " + parent.outerHTML.slice(0, 120));
	}
	return found.join("\n");
})()`

// wantIntact fails if the page shows anything but text of what others wrote, and looks at
// it in every mode.
func (w walk) wantIntact(name string) {
	w.t.Helper()
	if found := browsertest.Evaluate[string](w.Browser, findIntrusion); found != "" {
		w.t.Errorf("%s: %s", name, found)
	}
	w.look(name)
}

// keeps marks the page, so that untouched tells whether it was loaded anew.
func (w walk) keeps() {
	w.t.Helper()
	browsertest.Evaluate[string](w.Browser, `window.untouched = "yes"`)
}

func (w walk) wantKept() {
	w.t.Helper()
	if browsertest.Evaluate[string](w.Browser, "String(window.untouched)") != "yes" {
		w.t.Error("the page was loaded anew instead of being kept up to date")
	}
}

func (w walk) untilSays(text string) {
	w.t.Helper()
	w.Until(`document.getElementById("main").innerText.includes("` + text + `")`)
}

// scheduled waits for the pods of the components, one of each, and returns them in that order.
func scheduled(t *testing.T, namespace string, components ...string) (pods []corev1.Pod) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for len(pods) < len(components) {
		component := components[len(pods)]
		list, err := kubetest.Admin(t).CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=" + component})
		if err != nil {
			t.Fatalf("%s has no pod of %s: %v", namespace, component, err)
		}
		if len(list.Items) > 0 {
			pods = append(pods, list.Items[0])
			continue
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s has no pod of %s", namespace, component)
		}
	}
	return pods
}

// say writes the texts into everything of the pod's status that takes any.
func say(t *testing.T, pod corev1.Pod, reason, message string) {
	t.Helper()
	pods := kubetest.Admin(t).CoreV1().Pods(pod.Namespace)
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error { // the scheduler and the nodes write there too
		now, err := pods.Get(t.Context(), pod.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		now.Status.Message = message
		now.Status.ContainerStatuses = nil
		for _, c := range now.Spec.Containers {
			now.Status.ContainerStatuses = append(now.Status.ContainerStatuses, corev1.ContainerStatus{
				Name: c.Name, Image: c.Image,
				State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
			})
		}
		_, err = pods.UpdateStatus(t.Context(), now, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// report makes an event about the pod.
func report(t *testing.T, pod corev1.Pod, object, reason, message string) {
	t.Helper()
	now := metav1.Now()
	_, err := kubetest.Admin(t).CoreV1().Events(pod.Namespace).Create(t.Context(), &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: "hostile-" + uuid.NewString(), Namespace: pod.Namespace},
		InvolvedObject: corev1.ObjectReference{Kind: object, Name: object, Namespace: pod.Namespace},
		Type:           corev1.EventTypeWarning, Reason: reason, Message: message, Count: 1, FirstTimestamp: now, LastTimestamp: now,
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func TestHostileTextFromTheCluster(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.env = append(p.env, "SHOPWRIGHT_PROVISION_TIMEOUT=1h")
	p.start()
	w := walk{Browser: browsertest.Open(t), t: t, p: p}
	slug := "hostile-" + strings.ToLower(uuid.NewString()[24:])
	kubetest.Simulate(t, "store-"+slug, "start-delay=1h")
	w.signIn()
	page := w.p.create("Hostile", slug)
	pods := scheduled(t, "store-"+slug, "mariadb", "wordpress")

	w.Visit(w.p.url + page + "/pods")
	w.WaitFor(`#tab-pods tbody tr`)
	w.keeps()
	say(t, pods[0], attacks()+" reason one", attacks()+" message one")
	w.untilSays("message one")
	w.wantIntact("hostile-pods")
	say(t, pods[0], endless("reason two "), endless("message two "))
	w.untilSays("message two")
	w.wantIntact("hostile-pods-long")
	w.wantKept()

	w.Visit(w.p.url + page + "/events")
	w.WaitFor(`#tab-events tbody tr`)
	w.keeps()
	report(t, pods[0], attacks()+" object three", attacks()+" reason three", attacks()+" message three")
	w.untilSays("message three")
	report(t, pods[0], endless("object four "), endless("reason four "), endless("message four "))
	w.untilSays("message four")
	w.wantIntact("hostile-events")
	w.wantKept()

	w.Visit(w.p.url + page)
	w.WaitFor(`li[data-step="Workloads"][data-state="run"]`)
	w.keeps()
	say(t, pods[1], attacks(), attacks()+" message five")
	w.untilSays("message five")
	w.wantIntact("hostile-overview")
	say(t, pods[0], "CreateContainerConfigError", attacks()+" message six")
	w.WaitFor(`#store-head[data-status="failed"]`)
	w.untilSays("message six")
	w.wantIntact("hostile-failed")
	w.wantKept()

	w.Visit(w.p.url + "/stores?status=failed")
	w.wantIntact("hostile-list")
}

// rename gives every user of the program's records that name.
func (p *process) rename(name string) {
	p.t.Helper()
	db := storetest.Beside(p.t, "sqlite:"+filepath.Join(p.dataDir, "shopwright.db"))
	if _, err := db.ExecContext(p.t.Context(), `UPDATE users SET name = $1, email = $1`, name); err != nil {
		p.t.Fatal(err)
	}
}

func TestHostileTextFromPeople(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.env = append(p.env, "SHOPWRIGHT_PROVISION_TIMEOUT=1h")
	p.start()
	w := walk{Browser: browsertest.Open(t), t: t, p: p}
	slug := "people-" + strings.ToLower(uuid.NewString()[24:])
	kubetest.Simulate(t, "store-"+slug, "start-delay=1h")
	w.p.rename(attacks() + strings.Repeat("W", 1000))
	w.signIn()
	w.wantIntact("people-empty")

	const name = `"><img src=x onerror=window.ran=1></title><script>window.ran=1</script> ` + "\u202eשלום עולם."
	w.Visit(w.p.url + "/stores/new")
	w.Type(`#create-form input[name="slug"]`, slug)
	w.Type(`#create-form input[name="name"]`, name)
	w.WaitFor(`#address-hint .shrink-0`)
	w.wantIntact("people-create")
	w.Click(`#create-form button.btn-primary`)
	w.WaitFor(`li[data-step="Workloads"][data-state="run"]`)
	page := w.path()
	w.wantIntact("people-store")
	for _, place := range []string{"/stores", "/stores?q=" + url.QueryEscape(strings.NewReplacer("\x00", "", "\xff\xfe\xc3", "").Replace(attacks())), "/activity", "/account", page + "/settings", page + "/delete"} {
		w.Visit(w.p.url + place)
		w.wantIntact("people" + strings.ReplaceAll(strings.Split(strings.Replace(place, page, "/store", 1), "?q=")[0], "/", "-"))
	}
	w.Visit(w.p.url + "/stores")
	w.Type(`#q`, "window.ran")
	w.Until(`location.search.includes("window.ran") && document.querySelector("#store-rows a.name") !== null`)
	w.wantIntact("people-found")

	w.Visit(w.p.url + page)
	w.keeps()
	w.Click(`#store-head form[action$="/delete"] button`)
	w.Type(`#delete-form input[name="confirm"]`, name)
	w.wantIntact("people-delete")
	w.Click(`#delete-form button.btn-error`)
	w.WaitFor(`#store-page a[href="/stores"].btn`)
	w.wantIntact("people-gone")
}

// speaking refuses to make deployments, in those words.
func speaking(words string) kubetest.Fault {
	return func(rw http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/deployments") {
			pass.ServeHTTP(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		printable := strings.Map(func(c rune) rune { return map[bool]rune{true: c, false: -1}[c >= ' ' && c < 0x7f && c != '\\'] }, words)
		rw.Header().Set("Warning", `299 - "`+strings.ReplaceAll(printable, `"`, `\"`)+`"`)
		rw.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(rw).Encode(metav1.Status{
			TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
			Message: words, Reason: metav1.StatusReasonForbidden, Code: http.StatusForbidden,
		})
	}
}

func TestHostileTextFromTheAPIServer(t *testing.T) {
	t.Parallel()
	link := kubetest.NewLink(t)
	link.Inject(speaking(strings.ReplaceAll(attacks(), "\n", " ") + " refused seven"))
	w := beginAt(t, link.Kubeconfig())
	slug := "refused-" + strings.ToLower(uuid.NewString()[24:])
	w.signIn()
	page := w.p.create("Refused", slug)
	w.Visit(w.p.url + page)
	w.WaitFor(`#store-head[data-status="failed"]`)
	w.untilSays("refused seven")
	w.WaitFor(`.sw-log li`)
	w.wantIntact("hostile-refused")
}
