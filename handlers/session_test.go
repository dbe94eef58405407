package handlers_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"shopwright.dev/shopwright/views/browsertest"
)

var keptField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// A form that is sent after the session has ended is kept, without secrets, and can be sent again.
func TestFormsOutliveTheSession(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.browser()
	form := url.Values{"name": {`"Nord" <b>`}, "engine": {"woocommerce"}, "scope": {"one", "two"}, "key": {"hidden away"}, "New-Password": {"hidden away"}}
	kept := s.post(b, "/stores?secret=hidden+away", form)
	if kept.status != http.StatusUnauthorized || kept.header.Get("Cache-Control") != "no-store" || strings.Contains(kept.body, "hidden away") || !strings.Contains(kept.body, `action="/stores"`) {
		t.Fatalf("without a session: %d", kept.status)
	}
	again := url.Values{}
	for _, field := range keptField.FindAllStringSubmatch(kept.body, -1) {
		again.Add(field[1], html.UnescapeString(field[2]))
	}
	form.Del("key")
	form.Del("New-Password")
	if again.Encode() != form.Encode() {
		t.Errorf("kept is %v of %v", again, form)
	}
	s.post(b, "/sign-in/dev", nil)
	if got := s.post(b, "/stores", again); got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/stores/") {
		t.Errorf("sent again: %d to %q", got.status, got.location)
	}
	r := s.request(http.MethodPost, "/stores", form)
	r.Header.Set("HX-Request", "true")
	if got := s.do(s.browser(), r); got.status != http.StatusUnauthorized || got.body != "" || got.header.Get("HX-Redirect") != "" {
		t.Errorf("a script without a session: %d", got.status)
	}
}

// Whoever is signed out while typing stays where he or she is, and goes on after the sign-in.
func TestDialogOutlivesTheSession(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.create(s.developer(), "First")
	b := s.openBrowser()
	b.Until(isLive)
	b.Click(`form[data-dialog="create-dialog"] button`)
	b.Type(`#create-name`, "Nordwind")
	tab := b.Tab()
	tab.Visit(s.url + "/sign-in?again=1")
	send := func(path string) {
		browsertest.Evaluate[bool](tab, `fetch("`+path+`", { method: "POST" }).then(() => true)`)
	}
	send("/sign-out")
	b.Click(`#create-form footer button`)
	b.Until(`document.querySelector("#create-form [data-signed-out]") !== null`)
	if !browsertest.Evaluate[bool](b, `location.pathname === "/stores" && document.getElementById("create-name").value === "Nordwind"`) {
		t.Error("what was typed is lost")
	}
	send("/sign-in/dev")
	b.Click(`#create-form footer button`)
	b.Until(`document.querySelector("#store-head")?.innerText.includes("Nordwind")`)
}
