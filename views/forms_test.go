package views

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"shopwright.dev/shopwright/views/browsertest"
)

// creation answers what the create form asks, when it is allowed to.
type creation struct {
	posts  atomic.Int32
	answer chan struct{} // closed to let the posts be answered
	left   chan struct{} // closed to let the page that follows be answered
	asked  chan string   // names of which the address was asked for
}

func newCreation() *creation {
	return &creation{answer: make(chan struct{}), left: make(chan struct{}), asked: make(chan string, 8)}
}

func (c *creation) mux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /stores", servePage(listPage(sampleList())))
	mux.HandleFunc("GET /stream", idle)
	mux.HandleFunc("GET /stores/slug", func(w http.ResponseWriter, r *http.Request) {
		servePage(AddressField(sampleForm())).ServeHTTP(w, r)
		c.asked <- r.FormValue("name")
	})
	mux.HandleFunc("POST /stores", func(w http.ResponseWriter, _ *http.Request) {
		c.posts.Add(1)
		<-c.answer
		w.Header().Set("HX-Redirect", "/stores/7")
	})
	mux.HandleFunc("GET /stores/7", func(w http.ResponseWriter, r *http.Request) {
		<-c.left
		servePage(Store(overviewPage("Nordwind", Provisioning))).ServeHTTP(w, r)
	})
	return mux
}

func openCreateDialog(b *browsertest.Browser, base string) {
	b.Visit(base + "/stores")
	b.Click(`form[data-dialog="create-dialog"] button`)
	b.Until(`document.activeElement.id === "create-name"`)
}

// point is a place in the window, in pixels.
type point struct{ X, Y float64 }

func inside(b *browsertest.Browser, selector string) point {
	return browsertest.Evaluate[point](b, `(() => { const r = document.querySelector("`+selector+`").getBoundingClientRect(); return {X: r.left + 20, Y: r.top + 10}; })()`)
}

func TestCheckingTheAddressDoesNotEndTheCreation(t *testing.T) {
	t.Parallel()
	c := newCreation()
	close(c.left)
	base, b := serve(t, c.mux()), browsertest.Open(t)
	openCreateDialog(b, base)
	b.Type("#create-name", "Nord")
	b.Do(chromedp.KeyEvent(kb.Enter))
	<-c.asked // while the post waits
	close(c.answer)
	b.Until(`location.pathname === "/stores/7"`)
}

func TestSecondPressCreatesNoSecondStore(t *testing.T) {
	t.Parallel()
	c := newCreation()
	base, b := serve(t, c.mux()), browsertest.Open(t)
	openCreateDialog(b, base)
	button := inside(b, "#create-form > footer button")
	press := chromedp.MouseClickXY(button.X, button.Y)
	b.Type("#create-name", "Nord")
	b.Do(press, press)
	browsertest.Evaluate[bool](b, `document.addEventListener("htmx:finally:request", (e) => { window.answered ||= e.target.id === "create-form"; }); true`)
	close(c.answer)
	b.Until(`window.answered`)
	b.Do(press)
	close(c.left)
	b.Until(`location.pathname === "/stores/7"`)
	if n := c.posts.Load(); n != 1 {
		t.Errorf("%d stores were asked for", n)
	}
}

func TestTextDraggedOutOfADialogLeavesItOpen(t *testing.T) {
	t.Parallel()
	base, b := serve(t, newCreation().mux()), browsertest.Open(t)
	openCreateDialog(b, base)
	field := inside(b, "#create-name")
	b.Type("#create-name", "Nord")
	b.Do(chromedp.DragAndDropXY(field.X, field.Y, 5, 5))
	if !browsertest.Evaluate[bool](b, `document.getElementById("create-dialog").open`) {
		t.Error("the dialog closed")
	}
	b.Do(chromedp.MouseClickXY(5, 5))
	b.Until(`!document.getElementById("create-dialog").open`)
}

func TestEscapeClosesAMenuAndKeepsTheFocus(t *testing.T) {
	t.Parallel()
	base, b := serve(t, newCreation().mux()), browsertest.Open(t)
	b.Visit(base + "/stores")
	b.Click("#store-2 details summary")
	b.Do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Escape))
	b.Until(`!document.querySelector("#store-2 details").open && document.activeElement.matches("#store-2 summary")`)
}

func TestCredentialsHideWithoutTheServer(t *testing.T) {
	t.Parallel()
	shown, mux := sampleCredentials(true), http.NewServeMux()
	pages := make(chan http.Handler, 1)
	pages <- servePage(Store(overviewPage("Atelier Köhler", Ready)))
	mux.HandleFunc("GET /stores/7", func(w http.ResponseWriter, r *http.Request) {
		select {
		case page := <-pages:
			page.ServeHTTP(w, r)
		default:
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	mux.Handle("POST /stores/7/credentials", servePage(CredentialsPanel(shown)))
	mux.HandleFunc("GET /stream", idle)
	base, b := serve(t, mux), browsertest.Open(t)
	b.Visit(base + "/stores/7")
	b.Click("#credentials form button")
	b.Until(`document.body.textContent.includes("` + shown.Password + `")`)
	browsertest.Evaluate[string](b, `document.querySelector("[data-hide-after]").dataset.hideAt = "1"`)
	b.Until(`!document.body.textContent.includes("` + shown.Password + `")`)
}

const shownTemplates = `[...document.querySelectorAll('#create-form input[name^="template."]')].filter((i) => i.checkVisibility()).map((i) => i.name + " " + i.value + " " + i.checked)`

// The stylesheet alone has the templates follow the engine.
func TestTemplatesAreThoseOfTheEngine(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.Handle("GET /stores/new", servePage(Create(CreatePage{Shell: sampleShell("Create store", PlaceStores), Form: sampleForm()})))
	mux.HandleFunc("GET /stream", idle)
	base, b := serve(t, mux), browsertest.Open(t)
	for _, script := range []bool{true, false} {
		b.Script(script)
		b.Visit(base + "/stores/new")
		for _, want := range []string{"woocommerce", "medusa"} {
			b.Click(`input[name="engine"][value="` + want + `"]`)
			b.Click(`input[name="template.` + want + `"][value="demo"]`)
			shown := browsertest.Evaluate[[]string](b, shownTemplates)
			if !slices.Equal(shown, []string{"template." + want + " blank false", "template." + want + " demo true"}) {
				t.Errorf("script %t: of %s there are %q", script, want, shown)
			}
		}
		for _, mode := range browsertest.Modes() {
			b.Use(mode)
			if script { // axe is one
				b.Check()
			}
		}
	}
}

func TestTemplatesAreChosenByTheKeyboard(t *testing.T) {
	t.Parallel()
	base, b := serve(t, newCreation().mux()), browsertest.Open(t)
	openCreateDialog(b, base)
	b.Do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.ArrowRight))
	b.Until(`document.activeElement.value === "medusa" && document.activeElement.checked`)
	b.Do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.ArrowDown))
	b.Until(`document.activeElement.name === "template.medusa" && document.activeElement.value === "demo" && document.activeElement.checked`)
	b.Do(chromedp.KeyEvent(kb.Tab))
	b.Until(`document.activeElement.name === "country"`)
}

func TestCurrencyFollowsTheCountry(t *testing.T) {
	t.Parallel()
	base, b := serve(t, newCreation().mux()), browsertest.Open(t)
	openCreateDialog(b, base)
	const currency = `document.querySelector("#create-form [name=currency]").value`
	b.Do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("S"))
	b.Until(currency + ` === "CHF"`)
	b.Do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("E"))
	b.Until(currency + ` === "EUR" && document.querySelector("#create-form [name=country]").value === "CH"`)
}

// A page over plain http has no clipboard. Copying works all the same, and where it does not the
// text is selected.
func TestCopyWithoutAClipboard(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.Handle("GET /tokens", servePage(states()["14b-token-made"]))
	mux.HandleFunc("GET /stream", idle)
	base, b := serve(t, mux), browsertest.Open(t)
	b.Visit(base + "/tokens")
	browsertest.Evaluate[bool](b, `(Object.defineProperty(navigator, "clipboard", { value: undefined }), document.addEventListener("copy", () => { window.taken = String(getSelection()); }), true)`)
	b.Click(`[data-copy="token-secret"]`)
	b.Until(`document.querySelector('[data-copy="token-secret"]').dataset.copied !== undefined`)
	if !browsertest.Evaluate[bool](b, `taken === document.getElementById("token-secret").textContent && String(getSelection()) === taken`) {
		t.Error("something else is copied")
	}
	if text := b.Complaints(); text != "" {
		t.Errorf("the browser complains: %s", text)
	}
}

// A press that comes right after another one sends nothing.
func TestFormsAreSentOnce(t *testing.T) {
	t.Parallel()
	var posts atomic.Int32
	answer := make(chan struct{})
	mux := http.NewServeMux()
	mux.Handle("GET /tokens", servePage(states()["14d-no-tokens"]))
	mux.HandleFunc("GET /stream", idle)
	mux.HandleFunc("POST /account/tokens", func(w http.ResponseWriter, r *http.Request) {
		posts.Add(1)
		<-answer
		http.Redirect(w, r, "/tokens?made", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /pressed", func(http.ResponseWriter, *http.Request) { close(answer) })
	base, b := serve(t, mux), browsertest.Open(t)
	b.Visit(base + "/tokens")
	b.Type(`#token-name`, "build")
	browsertest.Evaluate[bool](b, `(() => {
		const button = document.querySelector('form[action="/account/tokens"] button');
		button.click();
		setTimeout(() => { button.click(); fetch("/pressed"); }, 50);
		return true;
	})()`)
	b.Until(`location.search === "?made"`)
	if n := posts.Load(); n != 1 {
		t.Errorf("two presses are %d POSTs", n)
	}
}
