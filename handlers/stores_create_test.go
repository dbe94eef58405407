package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestStoreBeginsAsItWasAsked(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	form := url.Values{"name": {"Asked"}, "engine": {"medusa"}, "template.medusa": {"demo"}, "template.woocommerce": {"blank"}, "country": {"CH"}, "currency": {"EUR"}}
	asked := s.post(b, "/stores", form).location
	usual := s.create(b, "Usual")
	for page, want := range map[string][4]string{asked: {"demo", "CH", "EUR", "Demo catalogue"}, usual: {"blank", "DE", "EUR", "Blank"}} {
		st, err := s.db.UnguardedStore(t.Context(), strings.TrimPrefix(page, "/stores/"))
		if err != nil {
			t.Fatal(err)
		}
		if got := [3]string{st.Template, st.Country, st.Currency}; !slices.Equal(got[:], want[:3]) {
			t.Errorf("%s begins with %v, want %v", st.Name, got, want)
		}
		for _, path := range []string{"", "/settings"} {
			if got := s.get(b, page+path); !strings.Contains(got.body, want[3]) {
				t.Errorf("%s%s does not say %q", page, path, want[3])
			}
		}
	}
	if got := s.get(b, asked); !strings.Contains(got.body, "Switzerland, EUR") {
		t.Error("nobody is told where the shop is")
	}
}

func TestWrongChoicesComeBackAtTheirFields(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	right := url.Values{
		"name": {"Nordwind"}, "engine": {"medusa"}, "template.medusa": {"demo"}, "template.woocommerce": {"demo"}, "country": {"CH"}, "currency": {"USD"},
		"owner_email": {"mara@example.com"},
	}
	kept := map[string]string{
		"name": `value="Nordwind"`, "engine": `name="engine" value="medusa" checked`, "template.medusa": `name="template.medusa" value="demo" checked`,
		"template.woocommerce": `name="template.woocommerce" value="demo" checked`, "country": `value="CH" selected`, "currency": `value="USD" selected`,
		"owner_email": `value="mara@example.com"`,
	}
	for field, says := range map[string]string{
		"name": "Enter a name", "engine": "Choose an engine.", "template.medusa": "Choose a template.", "country": "Choose a country.", "currency": "Choose a currency.",
		"owner_email": "Enter an address such as",
	} {
		form := url.Values{}
		for name, values := range right {
			form[name] = values
		}
		form.Set(field, "\u202e")
		got := s.post(b, "/stores", form)
		if got.status != http.StatusUnprocessableEntity || strings.Count(got.body, says) != 1 || strings.Count(got.body, `class="sw-err"`) != 1 {
			t.Errorf("a wrong %s: %d, %q is said %d times", field, got.status, says, strings.Count(got.body, says))
		}
		for name, choice := range kept {
			if name != field && !strings.Contains(got.body, choice) {
				t.Errorf("with a wrong %s %s is lost", field, name)
			}
		}
	}
	if list := s.get(b, "/stores"); !strings.Contains(list.body, `id="invitation"`) {
		t.Error("a store was made that nobody asked for")
	}
}

// The address of the visitor is proposed as the owner's, if it is verified, and another one is kept.
func TestOwnerIsProposed(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, page := range []string{"/stores/new", "/stores"} {
		if got := s.get(s.person("mara"), page); !strings.Contains(got.body, `name="owner_email" type="email" value="mara@example.com"`) {
			t.Errorf("%s does not propose mara’s address", page)
		}
		if got := s.get(s.developer(), page); !strings.Contains(got.body, `name="owner_email" type="email" value=""`) {
			t.Errorf("%s proposes an address that nobody has verified", page)
		}
	}
	b := s.person("mara")
	made := s.post(b, "/stores", url.Values{"name": {"Asked"}, "engine": {"woocommerce"}, "owner_email": {"Noor@example.org"}}).location
	if got := s.get(b, made); !strings.Contains(got.body, "noor@example.org") {
		t.Error("the store’s page does not say whose it is")
	}
}
