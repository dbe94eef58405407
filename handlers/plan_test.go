package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
	"shopwright.dev/shopwright/views/browsertest"
)

// prepareTiny is a site of which the usual plan fits no engine.
func prepareTiny(t *testing.T) site {
	t.Helper()
	s := prepare(t)
	tiny := store.Plan{Name: store.StandardPlan, Label: "tiny", CPU: 1000, Memory: 8192, Disk: 512, Pods: 20}
	if err := s.db.SavePlan(t.Context(), storetest.Admin(t, s.db), tiny); err != nil {
		t.Fatal(err)
	}
	return s
}

// shortages are said at the engine's field.
var shortages = []string{"WooCommerce doesn’t fit the tiny plan.", " CPU; the plan allows 1.", " GiB of disk; the plan allows 512 MiB.", "Ask the administrator"}

func TestPlanThatIsTooSmallIsSaidAtTheEngine(t *testing.T) {
	t.Parallel()
	s := open(prepareTiny(t))
	b := s.developer()
	form := url.Values{"name": {"Nordwind <Outdoor>"}, "slug": {"nordwind"}, "engine": {"woocommerce"}}
	for _, htmx := range []string{"", "true"} {
		r := s.request(http.MethodPost, "/stores", form)
		r.Header.Set("HX-Request", htmx)
		got := s.do(b, r)
		if got.status != http.StatusUnprocessableEntity || strings.Contains(got.body, "<html") == (htmx == "true") {
			t.Errorf("htmx %q: %d %s", htmx, got.status, got.body)
		}
		_, field, _ := strings.Cut(got.body, `<fieldset`)
		field, _, _ = strings.Cut(field, `name="country"`) // the templates are in it
		for _, said := range append(shortages, `aria-describedby="engine-error"`, `id="engine-error"`, "checked") {
			if !strings.Contains(field, said) {
				t.Errorf("htmx %q: the engine's field does not have %q: %s", htmx, said, field)
			}
		}
		for _, kept := range []string{`value="Nordwind &lt;Outdoor&gt;"`, `value="nordwind"`, "is available"} {
			if !strings.Contains(got.body, kept) {
				t.Errorf("htmx %q: %q is lost", htmx, kept)
			}
		}
	}
	if list := s.get(b, "/stores"); !strings.Contains(list.body, `id="invitation"`) {
		t.Error("a store was made that the plan cannot hold")
	}
}

func TestPlanThatIsTooSmallInABrowser(t *testing.T) {
	t.Parallel()
	s := open(prepareTiny(t))
	b := s.openBrowser()
	for _, script := range []bool{true, false} {
		b.Script(script)
		b.Visit(s.url + "/stores/new")
		b.Type("#create-name", "Nordwind Outdoor")
		b.Click(`#create-form button.btn-primary`)
		b.WaitFor(`#engine-error`)
		said := browsertest.Evaluate[string](b, `document.getElementById("engine-error").innerText`)
		for _, shortage := range shortages {
			if !strings.Contains(said, shortage) {
				t.Errorf("the form says %q", said)
			}
		}
		if got := browsertest.Evaluate[string](b, `document.getElementById("create-name").value`); got != "Nordwind Outdoor" {
			t.Errorf("the name that was typed is now %q", got)
		}
		if script { // which is what looks at it
			_ = b.Complaints() // of the 422 that was asked for
			look(b, "plan-too-small")
		}
	}
}
