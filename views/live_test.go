package views

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// stream is an event stream that a test writes to.
type stream struct {
	messages chan string
	status   chan int // answers the next connections with an error
}

func newStream() *stream {
	return &stream{messages: make(chan string), status: make(chan int, 3)}
}

func (s *stream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case status := <-s.status:
		w.WriteHeader(status)
		return
	default:
	}
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w).Flush
	_ = flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case message := <-s.messages:
			if message == "" {
				return
			}
			fmt.Fprintf(w, "data: %s\n\n", strings.ReplaceAll(message, "\n", "\ndata: "))
			_ = flush()
		}
	}
}

func (s *stream) send(t *testing.T, parts ...templ.Component) {
	t.Helper()
	var b strings.Builder
	for _, part := range parts {
		if err := part.Render(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
	}
	s.write(t, b.String())
}

// end closes the connection from the server's side.
func (s *stream) end(t *testing.T) {
	t.Helper()
	s.write(t, "")
}

func (s *stream) write(t *testing.T, message string) {
	t.Helper()
	select {
	case s.messages <- message:
	case <-time.After(20 * time.Second):
		t.Fatal("no page is connected to the stream")
	}
}

// until waits for an expression to be true in the page, or in the page that follows it.
func until(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression))
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("waiting for %s: %v", expression, err)
		}
	}
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func click(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(selector))
}

func write(selector, text string) chromedp.Action[chromedp.Void] {
	return chromedp.SendKeys(chromedp.CSS(selector), text)
}

const isLive = `document.getElementById("live").dataset.live === "on"`

func TestRowsAreUpdatedInPlace(t *testing.T) {
	t.Parallel()
	events, mux := newStream(), http.NewServeMux()
	mux.Handle("GET /stores", servePage(listPage(sampleList())))
	mux.Handle("GET /stream", events)
	base, ctx := serve(t, mux), browser(t)
	visit(t, ctx, base+"/stores")
	until(t, ctx, isLive)
	do(t, ctx, click("#store-2 details summary"), chromedp.Focus(chromedp.CSS("#store-2 a.name")))
	places := `JSON.stringify([...document.querySelectorAll("tbody tr")].map(r => r.getBoundingClientRect().top))`
	before := evaluate[string](t, ctx, places)

	row := sampleRow("2", "Nordwind Outdoor", Failed, "The image cannot be pulled, and that takes a longer line to say than fits here")
	events.send(t, Partial("#store-2", "outerMorph", Row(row)), Partial("#store-77", "outerMorph", Row(row)), Partial("#stores-count", "outerMorph", SidebarCount(41)))

	until(t, ctx, `document.querySelector("#store-2 .sw-st").textContent.includes("Failed")`)
	until(t, ctx, `document.getElementById("stores-count").textContent.startsWith("41")`)
	if after := evaluate[string](t, ctx, places); after != before {
		t.Errorf("rows moved from %s to %s", before, after)
	}
	if !evaluate[bool](t, ctx, `document.activeElement.matches("#store-2 a.name")`) {
		t.Error("the row lost the focus")
	}
	if !evaluate[bool](t, ctx, `document.querySelector("#store-2 details").open`) {
		t.Error("the row's menu was closed")
	}
}

func TestStreamComesBack(t *testing.T) {
	t.Parallel()
	events, mux := newStream(), http.NewServeMux()
	mux.Handle("GET /stores", servePage(listPage(sampleList())))
	mux.Handle("GET /stream", events)
	mux.Handle("GET /sign-in", servePage(SignIn(SignInPage{})))
	base, ctx := serve(t, mux), browser(t)
	events.status <- http.StatusServiceUnavailable
	visit(t, ctx, base+"/stores")
	until(t, ctx, isLive)
	events.send(t, Partial("#stores-count", "outerMorph", SidebarCount(41)))
	until(t, ctx, `document.getElementById("stores-count").textContent.startsWith("41")`)

	evaluate[bool](t, ctx, `window.states = []; new MutationObserver(() => states.push(document.getElementById("live").dataset.live)).observe(document.getElementById("live"), {attributes: true}); true`)
	for range 3 {
		events.status <- http.StatusServiceUnavailable
	}
	events.end(t)
	until(t, ctx, `states.includes("retry") && states.at(-1) === "on"`)

	evaluate[bool](t, ctx, `window.stays = true`)
	events.status <- http.StatusUnauthorized
	events.end(t)
	until(t, ctx, `window.stays === undefined && `+isLive)
}

func TestShownCredentialsSurviveUpdatesAndHide(t *testing.T) {
	t.Parallel()
	events, mux := newStream(), http.NewServeMux()
	mux.Handle("GET /stores/7", servePage(Store(overviewPage("Atelier Köhler", Ready))))
	mux.Handle("POST /stores/7/credentials", servePage(CredentialsPanel(sampleCredentials(true))))
	mux.Handle("GET /stream", events)
	base, ctx := serve(t, mux), browser(t)
	visit(t, ctx, base+"/stores/7")
	until(t, ctx, isLive)
	do(t, ctx, click("#credentials form button"))
	until(t, ctx, `document.getElementById("credentials-password")?.textContent === "q7Rk2VbX9mTz4NcLw8HdYp3E"`)
	until(t, ctx, `document.querySelector("[data-hide-after]").textContent.startsWith("hidden again in 0:5")`)

	changed := *overviewPage("Atelier Köhler", Ready).Overview
	changed.Facts = append(changed.Facts, Fact{Name: "New", Value: "arrived"})
	events.send(t, Partial("#store-main", "outerMorph", OverviewTab(changed)))
	until(t, ctx, `document.getElementById("store-main").textContent.includes("arrived")`)
	if !evaluate[bool](t, ctx, `document.getElementById("credentials-password") !== null`) {
		t.Error("the shown password vanished with an update")
	}

	evaluate[string](t, ctx, `document.querySelector("[data-hide-after]").dataset.hideAt = "1"`)
	until(t, ctx, `document.getElementById("credentials-password") === null && document.querySelector("#credentials form button") !== null`)
}

func TestCreateDialog(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.Handle("GET /stores", servePage(listPage(StoreList{Empty: true})))
	mux.HandleFunc("GET /stream", idle)
	mux.Handle("GET /stores/7", servePage(Store(overviewPage("Nordwind", Provisioning))))
	mux.HandleFunc("GET /stores/slug", func(w http.ResponseWriter, r *http.Request) {
		f := sampleForm()
		f.Slug, f.Address = r.FormValue("slug"), Address{Slug: "from-the-server", Checked: true}
		servePage(AddressField(f)).ServeHTTP(w, r)
	})
	mux.HandleFunc("POST /stores", func(w http.ResponseWriter, r *http.Request) {
		f := sampleForm()
		f.Name = r.FormValue("name")
		if f.Name == "Taken" {
			f.NameError = "Another store has this name."
			templ.Handler(CreateDialogForm(f), templ.WithStatus(http.StatusUnprocessableEntity)).ServeHTTP(w, r)
			return
		}
		w.Header().Set("HX-Redirect", "/stores/7")
	})
	base, ctx := serve(t, mux), browser(t)
	visit(t, ctx, base+"/stores")

	do(t, ctx, write("#first-name", "Taken"), click("#invitation button"))
	until(t, ctx, `document.getElementById("create-dialog").open && document.activeElement.id === "create-name"`)
	until(t, ctx, `document.getElementById("create-name").value === "Taken"`)
	until(t, ctx, `document.getElementById("address-preview").textContent === "from-the-server"`)
	checkAccessibility(t, ctx, readAxe(t))
	do(t, ctx, click("#create-form button"))
	until(t, ctx, `document.getElementById("create-name-hint").textContent.includes("Another store")`)
	until(t, ctx, `document.getElementById("create-dialog").open && document.activeElement.id === "create-name"`)

	do(t, ctx, write("#create-name", " no more"))
	until(t, ctx, `document.getElementById("create-name").value === "Taken no more"`)
	do(t, ctx, click("#create-form button"))
	until(t, ctx, `location.pathname === "/stores/7"`)
}

func TestDeleteDialogFetchesItsForm(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.Handle("GET /stores/7", servePage(Store(overviewPage("Atelier Köhler", Ready))))
	mux.Handle("GET /stores/7/delete", servePage(deletePage(sampleDelete(""))))
	mux.Handle("POST /stores/7/delete", templ.Handler(DeleteDialogForm(sampleDelete("Not its name.")), templ.WithStatus(http.StatusUnprocessableEntity)))
	mux.HandleFunc("GET /stream", idle)
	base, ctx := serve(t, mux), browser(t)
	visit(t, ctx, base+"/stores/7")
	do(t, ctx, click("#store-head form[data-dialog] button"))
	until(t, ctx, `document.getElementById("delete-dialog").open && document.activeElement.id === "delete-confirm"`)
	checkAccessibility(t, ctx, readAxe(t))
	do(t, ctx, write("#delete-confirm", "wrong"), click("#delete-form button"))
	until(t, ctx, `document.getElementById("delete-hint").textContent.includes("Not its name.")`)
	do(t, ctx, chromedp.KeyEvent(kb.Escape))
	until(t, ctx, `!document.getElementById("delete-dialog").open`)
}

func TestSearchNarrowsWhileTyping(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stores", func(w http.ResponseWriter, r *http.Request) {
		list := sampleList()
		if q := r.FormValue("q"); q != "" {
			list.Search, list.Rows = q, list.Rows[:1]
		}
		p := StoresPage{Shell: sampleShell("Stores", PlaceStores), List: list}
		p.Shell.Stream += "?q=" + list.Search
		servePage(Stores(p)).ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /stream", idle)
	base, ctx := serve(t, mux), browser(t)
	visit(t, ctx, base+"/stores")
	until(t, ctx, isLive)
	evaluate[bool](t, ctx, `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "/", bubbles: true}))`)
	until(t, ctx, `document.activeElement.id === "q"`)
	do(t, ctx, write("#q", "tea"))
	until(t, ctx, `document.querySelectorAll("tbody tr").length === 1`)
	until(t, ctx, `document.getElementById("stream").getAttribute("hx-sse:connect") === "/stream?q=tea" && location.search === "?q=tea"`)
	until(t, ctx, isLive+` && document.activeElement.id === "q" && document.activeElement.value === "tea"`)
}

func TestFailedRequestsAreSaid(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.Handle("GET /stores/7", servePage(Store(overviewPage("Atelier Köhler", Ready))))
	mux.Handle("POST /stores/7/credentials", templ.Handler(Error(ErrorPage{Code: 500}), templ.WithStatus(http.StatusInternalServerError)))
	mux.HandleFunc("GET /stream", idle)
	base, ctx := serve(t, mux), browser(t)
	visit(t, ctx, base+"/stores/7")
	do(t, ctx, click("#credentials form button"))
	until(t, ctx, `!document.getElementById("problem").hidden && document.querySelector("#credentials form button") !== null`)
}

func TestWithoutAStreamThePageIsFetchedAnew(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	list := sampleList()
	pages := make(chan templ.Component, 2)
	pages <- listPage(list)
	list.Rows = list.Rows[:1]
	pages <- listPage(list)
	mux.HandleFunc("GET /stores", func(w http.ResponseWriter, r *http.Request) {
		select {
		case page := <-pages:
			servePage(page).ServeHTTP(w, r)
		default:
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	base, ctx := serve(t, mux), browser(t)
	visit(t, ctx, base+"/stores")
	evaluate[string](t, ctx, `document.getElementById("q").value = "half typed"`)
	until(t, ctx, `document.querySelectorAll("tbody tr").length === 1 && document.getElementById("live").dataset.live === "retry"`)
	until(t, ctx, `document.getElementById("q").value === "half typed"`)
	until(t, ctx, `document.getElementById("live").dataset.live === "off" && !document.querySelector("#live time").dateTime.startsWith("1970")`)
}
