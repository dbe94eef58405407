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

	"shopwright.dev/shopwright/views/browsertest"
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
			_, _ = fmt.Fprintf(w, "data: %s\n\n", strings.ReplaceAll(message, "\n", "\ndata: "))
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
	case <-time.After(15 * time.Minute):
		t.Fatal("no page is connected to the stream")
	}
}

const isLive = `document.getElementById("live").dataset.live === "on"`

func TestRowsAreUpdatedInPlace(t *testing.T) {
	t.Parallel()
	events, mux := newStream(), http.NewServeMux()
	mux.Handle("GET /stores", servePage(listPage(sampleList())))
	mux.Handle("GET /stream", events)
	base, b := serve(t, mux), browsertest.Open(t)
	b.Visit(base + "/stores")
	b.Until(isLive)
	b.Click("#store-2 details summary")
	b.Do(chromedp.Focus(chromedp.CSS("#store-2 a.name")))
	places := `JSON.stringify([...document.querySelectorAll("tbody tr")].map(r => r.getBoundingClientRect().top))`
	before := browsertest.Evaluate[string](b, places)

	row := sampleRow("2", "Nordwind Outdoor", Failed, "An image can’t be pulled, and that takes a longer line to say than fits here")
	events.send(t, Partial("#store-2", "outerMorph", Row(row)), Partial("#store-77", "outerMorph", Row(row)), Partial("#stores-count", "outerMorph", SidebarCount(41)))

	b.Until(`document.querySelector("#store-2 .sw-st").textContent.includes("Failed")`)
	b.Until(`document.getElementById("stores-count").textContent.startsWith("41")`)
	if after := browsertest.Evaluate[string](b, places); after != before {
		t.Errorf("rows moved from %s to %s", before, after)
	}
	if !browsertest.Evaluate[bool](b, `document.activeElement.matches("#store-2 a.name")`) {
		t.Error("the row lost the focus")
	}
	if !browsertest.Evaluate[bool](b, `document.querySelector("#store-2 details").open`) {
		t.Error("the row's menu was closed")
	}
}

func TestStreamComesBack(t *testing.T) {
	t.Parallel()
	events, mux := newStream(), http.NewServeMux()
	mux.Handle("GET /stores", servePage(listPage(sampleList())))
	mux.Handle("GET /stream", events)
	mux.Handle("GET /sign-in", servePage(SignIn(SignInPage{})))
	base, b := serve(t, mux), browsertest.Open(t)
	events.status <- http.StatusServiceUnavailable
	b.Visit(base + "/stores")
	b.Until(isLive)
	events.send(t, Partial("#stores-count", "outerMorph", SidebarCount(41)))
	b.Until(`document.getElementById("stores-count").textContent.startsWith("41")`)

	browsertest.Evaluate[bool](b, `window.states = []; new MutationObserver(() => states.push(document.getElementById("live").dataset.live)).observe(document.getElementById("live"), {attributes: true}); true`)
	for range 3 {
		events.status <- http.StatusServiceUnavailable
	}
	events.end(t)
	b.Until(`states.includes("retry") && states.at(-1) === "on"`)

	browsertest.Evaluate[bool](b, `window.stays = true`)
	events.status <- http.StatusUnauthorized
	events.end(t)
	b.Until(`window.stays === undefined && ` + isLive)
}

func TestShownCredentialsSurviveUpdatesAndHide(t *testing.T) {
	t.Parallel()
	events, mux := newStream(), http.NewServeMux()
	mux.Handle("GET /stores/7", servePage(Store(overviewPage("Atelier Köhler", Ready))))
	mux.Handle("POST /stores/7/credentials", servePage(CredentialsPanel(sampleCredentials(true))))
	mux.Handle("GET /stream", events)
	base, b := serve(t, mux), browsertest.Open(t)
	b.Visit(base + "/stores/7")
	b.Until(isLive)
	b.Click("#credentials form button")
	b.Until(`document.getElementById("credentials-password")?.textContent === "q7Rk2VbX9mTz4NcLw8HdYp3E"`)
	b.Until(`document.querySelector("[data-hide-after]").textContent.startsWith("hidden again in 0:5")`)

	changed := *overviewPage("Atelier Köhler", Ready).Overview
	changed.Facts = append(changed.Facts, Fact{Name: "New", Value: "arrived"})
	events.send(t, Partial("#store-main", "outerMorph", OverviewTab(changed)))
	b.Until(`document.getElementById("store-main").textContent.includes("arrived")`)
	if !browsertest.Evaluate[bool](b, `document.getElementById("credentials-password") !== null`) {
		t.Error("the shown password vanished with an update")
	}

	browsertest.Evaluate[string](b, `document.querySelector("[data-hide-after]").dataset.hideAt = "1"`)
	b.Until(`document.getElementById("credentials-password") === null && document.querySelector("#credentials form button") !== null`)
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
	base, b := serve(t, mux), browsertest.Open(t)
	b.Visit(base + "/stores")

	b.Type("#first-name", "Taken")
	b.Click("#invitation button")
	b.Until(`document.getElementById("create-dialog").open && document.activeElement.id === "create-name"`)
	b.Until(`document.getElementById("create-name").value === "Taken"`)
	b.Until(`document.getElementById("address-preview").textContent === "from-the-server"`)
	b.Check()
	b.Click("#create-form button")
	b.Until(`document.getElementById("create-name-hint").textContent.includes("Another store")`)
	b.Until(`document.getElementById("create-dialog").open && document.activeElement.id === "create-name"`)

	b.Type("#create-name", " no more")
	b.Until(`document.getElementById("create-name").value === "Taken no more"`)
	b.Click("#create-form button")
	b.Until(`location.pathname === "/stores/7"`)
}

func TestDeleteDialogFetchesItsForm(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.Handle("GET /stores/7", servePage(Store(overviewPage("Atelier Köhler", Ready))))
	mux.Handle("GET /stores/7/delete", servePage(deletePage(sampleDelete(""))))
	mux.Handle("POST /stores/7/delete", templ.Handler(DeleteDialogForm(sampleDelete("Not its name.")), templ.WithStatus(http.StatusUnprocessableEntity)))
	mux.HandleFunc("GET /stream", idle)
	base, b := serve(t, mux), browsertest.Open(t)
	b.Visit(base + "/stores/7")
	b.Click("#store-head form[data-dialog] button")
	b.Until(`document.getElementById("delete-dialog").open && document.activeElement.id === "delete-confirm"`)
	b.Check()
	b.Type("#delete-confirm", "wrong")
	b.Click("#delete-form button")
	b.Until(`document.getElementById("delete-hint").textContent.includes("Not its name.")`)
	b.Do(chromedp.KeyEvent(kb.Escape))
	b.Until(`!document.getElementById("delete-dialog").open`)
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
	base, b := serve(t, mux), browsertest.Open(t)
	b.Visit(base + "/stores")
	b.Until(isLive)
	browsertest.Evaluate[bool](b, `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "/", bubbles: true}))`)
	b.Until(`document.activeElement.id === "q"`)
	b.Type("#q", "tea")
	b.Until(`document.querySelectorAll("tbody tr").length === 1`)
	b.Until(`document.getElementById("stream").getAttribute("hx-sse:connect") === "/stream?q=tea" && location.search === "?q=tea"`)
	b.Until(isLive + ` && document.activeElement.id === "q" && document.activeElement.value === "tea"`)
}

func TestFailedRequestsAreSaid(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.Handle("GET /stores/7", servePage(Store(overviewPage("Atelier Köhler", Ready))))
	mux.Handle("POST /stores/7/credentials", templ.Handler(Error(ErrorPage{Code: 500}), templ.WithStatus(http.StatusInternalServerError)))
	mux.HandleFunc("GET /stream", idle)
	base, b := serve(t, mux), browsertest.Open(t)
	b.Visit(base + "/stores/7")
	b.Click("#credentials form button")
	b.Until(`!document.getElementById("problem").hidden && document.querySelector("#credentials form button") !== null`)
}

// oneAfterTheOther answers each request with the next page, and with an error after the
// last.
func oneAfterTheOther(pages ...templ.Component) http.Handler {
	rest := make(chan templ.Component, len(pages))
	for _, page := range pages {
		rest <- page
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case page := <-rest:
			servePage(page).ServeHTTP(w, r)
		default:
			w.WriteHeader(http.StatusBadGateway)
		}
	})
}

func TestWithoutAStreamThePageIsFetchedAnew(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	list := sampleList()
	whole := listPage(list)
	list.Rows = list.Rows[:1]
	mux.Handle("GET /stores", oneAfterTheOther(whole, listPage(list)))
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	base, b := serve(t, mux), browsertest.Open(t)
	b.Visit(base + "/stores")
	browsertest.Evaluate[string](b, `document.getElementById("q").value = "half typed"`)
	b.Until(`document.querySelectorAll("tbody tr").length === 1 && document.getElementById("live").dataset.live === "retry"`)
	b.Until(`document.getElementById("q").value === "half typed"`)
	b.Until(`document.getElementById("live").dataset.live === "off" && !document.querySelector("#live time").dateTime.startsWith("1970")`)
}

func TestWithoutAStreamAFormKeepsWhatIsSaidAtItsFields(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	refused, fresh := CreatePage{Shell: sampleShell("Create store", PlaceStores), Form: wrongForm()}, CreatePage{Shell: sampleShell("Create store", PlaceStores), Form: sampleForm()}
	refused.Shell.Keep, fresh.Shell.Cluster.Link = true, ClusterUnreachable
	mux.Handle("GET /stores/new", oneAfterTheOther(Create(refused), Create(fresh)))
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	base, b := serve(t, mux), browsertest.Open(t)
	b.Visit(base + "/stores/new")
	b.Until(`document.getElementById("cluster-notice").innerText.includes("is unreachable")`)
	b.Until(`document.querySelectorAll("#create-form .sw-err").length > 0`)
}
