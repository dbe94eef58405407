package views

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
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

func openCreateDialog(t *testing.T, ctx context.Context, base string) {
	t.Helper()
	visit(t, ctx, base+"/stores")
	do(t, ctx, click(`form[data-dialog="create-dialog"] button`))
	until(t, ctx, `document.activeElement.id === "create-name"`)
}

// point is a place in the window, in pixels.
type point struct{ X, Y float64 }

func inside(t *testing.T, ctx context.Context, selector string) point {
	t.Helper()
	return evaluate[point](t, ctx, `(() => { const r = document.querySelector("`+selector+`").getBoundingClientRect(); return {X: r.left + 20, Y: r.top + 10}; })()`)
}

func TestCheckingTheAddressDoesNotEndTheCreation(t *testing.T) {
	t.Parallel()
	c := newCreation()
	close(c.left)
	base, ctx := serve(t, c.mux()), browser(t)
	openCreateDialog(t, ctx, base)
	do(t, ctx, write("#create-name", "Nord"), chromedp.KeyEvent(kb.Enter))
	<-c.asked // while the post waits
	close(c.answer)
	until(t, ctx, `location.pathname === "/stores/7"`)
}

func TestSecondPressCreatesNoSecondStore(t *testing.T) {
	t.Parallel()
	c := newCreation()
	base, ctx := serve(t, c.mux()), browser(t)
	openCreateDialog(t, ctx, base)
	button := inside(t, ctx, "#create-form > footer button")
	press := chromedp.MouseClickXY(button.X, button.Y)
	do(t, ctx, write("#create-name", "Nord"), press, press)
	evaluate[bool](t, ctx, `document.addEventListener("htmx:finally:request", (e) => { window.answered ||= e.target.id === "create-form"; }); true`)
	close(c.answer)
	until(t, ctx, `window.answered`)
	do(t, ctx, press)
	close(c.left)
	until(t, ctx, `location.pathname === "/stores/7"`)
	if n := c.posts.Load(); n != 1 {
		t.Errorf("%d stores were asked for", n)
	}
}

func TestTextDraggedOutOfADialogLeavesItOpen(t *testing.T) {
	t.Parallel()
	base, ctx := serve(t, newCreation().mux()), browser(t)
	openCreateDialog(t, ctx, base)
	field := inside(t, ctx, "#create-name")
	do(t, ctx, write("#create-name", "Nord"), chromedp.DragAndDropXY(field.X, field.Y, 5, 5))
	if !evaluate[bool](t, ctx, `document.getElementById("create-dialog").open`) {
		t.Error("the dialog closed")
	}
	do(t, ctx, chromedp.MouseClickXY(5, 5))
	until(t, ctx, `!document.getElementById("create-dialog").open`)
}

func TestEscapeClosesAMenuAndKeepsTheFocus(t *testing.T) {
	t.Parallel()
	base, ctx := serve(t, newCreation().mux()), browser(t)
	visit(t, ctx, base+"/stores")
	do(t, ctx, click("#store-2 details summary"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Escape))
	until(t, ctx, `!document.querySelector("#store-2 details").open && document.activeElement.matches("#store-2 summary")`)
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
	base, ctx := serve(t, mux), browser(t)
	visit(t, ctx, base+"/stores/7")
	do(t, ctx, click("#credentials form button"))
	until(t, ctx, `document.body.textContent.includes("`+shown.Password+`")`)
	evaluate[string](t, ctx, `document.querySelector("[data-hide-after]").dataset.hideAt = "1"`)
	until(t, ctx, `!document.body.textContent.includes("`+shown.Password+`")`)
}
