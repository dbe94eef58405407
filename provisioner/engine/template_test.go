package engine_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// product is something that the setup is to put into a shop, whichever engine it is of.
type product struct {
	SKU, Name, Category, Description string
	Price                            float64
	Stock                            *int
}

// products are those that the chart hands to its setup.
func products(t *testing.T, objects []runtime.Object) (all []product) {
	t.Helper()
	text := ""
	enginetest.Each(objects, func(c *corev1.ConfigMap) { text += c.Data["products.json"] })
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("products %q: %v", text, err)
	}
	return all
}

// Every template of every engine is one that the chart takes, and has something to sell.
func TestTemplatesOfEveryEngine(t *testing.T) {
	t.Parallel()
	for _, e := range engine.Offered().All() {
		templates, err := e.Templates()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, template := range templates {
			names = append(names, template.Name)
			spec := enginetest.Spec("production")
			spec.Template, spec.Country, spec.Currency = template.Name, "CH", "CHF"
			objects := enginetest.Objects(t, enginetest.Request(t, e, spec))
			seen := map[string]bool{}
			for _, p := range products(t, objects) {
				if seen[p.SKU] || p.Price <= 0 || p.Description == "" {
					t.Errorf("%s/%s sells %+v", e.Name(), template.Name, p)
				}
				seen[p.SKU] = true
			}
			if len(seen) == 0 || template.Label == "" || !strings.HasSuffix(template.Description, ".") {
				t.Errorf("%s/%s sells %d products: %q, %q", e.Name(), template.Name, len(seen), template.Label, template.Description)
			}
			wantPlace(t, objects)
		}
		if !slices.Equal(names, []string{"blank", "demo"}) {
			t.Errorf("%s begins with %v", e.Name(), names)
		}
	}
}

// wantPlace expects that the setup is told where the shop is.
func wantPlace(t *testing.T, objects []runtime.Object) {
	t.Helper()
	for _, env := range setupJob(t, objects).Spec.Template.Spec.Containers[0].Env {
		want, asked := map[string]string{"SHOP_COUNTRY": "CH", "SHOP_CURRENCY": "CHF"}[env.Name]
		if asked && env.Value != want {
			t.Errorf("%s is %s", env.Name, env.Value)
		}
	}
}

func TestTemplateIsOverTheChartAndBelowTheOperator(t *testing.T) {
	t.Parallel()
	count := func(change func(*engine.Spec)) int {
		spec := enginetest.Spec("production")
		change(&spec)
		return len(products(t, enginetest.Objects(t, enginetest.Request(t, engine.Medusa{}, spec))))
	}
	demo := func(s *engine.Spec) { s.Template = "demo" }
	none := engine.Values{"medusa": {"shop": map[string]any{"products": []any{}, "sampleProduct": false}}}
	for name, c := range map[string]struct {
		change func(*engine.Spec)
		want   int
	}{
		"no template":               {func(*engine.Spec) {}, 1},
		"a template":                {demo, 12},
		"one that is there no more": {func(s *engine.Spec) { s.Template = "gone" }, 1},
		"the operator":              {func(s *engine.Spec) { demo(s); s.Values = none }, 0},
	} {
		if got := count(c.change); got != c.want {
			t.Errorf("%s: %d products, want %d", name, got, c.want)
		}
	}
}

func TestTemplatesAreFiles(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	folder := fstest.MapFS{
		"a.yaml":    file("{order: 3, label: A, description: Last., engines: {x: {}}}"),
		"b.yaml":    file("{order: 1, label: B, description: First., values: {shop: {theme: all, city: Ulm}}, engines: {x: {shop: {theme: own}}, y: {}}}"),
		"c.yaml":    file("{order: 2, label: C, description: Not mine., engines: {y: {}}}"),
		"README.md": file("not one"),
	}
	templates, err := engine.ReadTemplates(folder, "x")
	if err != nil || len(templates) != 2 || templates[0].Name != "b" || templates[1].Name != "a" {
		t.Fatalf("read %+v, %v", templates, err)
	}
	if shop := templates[0].Values["shop"].(map[string]any); shop["theme"] != "own" || shop["city"] != "Ulm" {
		t.Errorf("its values are %v", shop)
	}
	for name, text := range map[string]string{"no label": "{description: D., engines: {x: {}}}", "a word that says nothing": "{label: L, description: D., colour: red}"} {
		folder["d.yaml"] = file(text)
		if _, err := engine.ReadTemplates(folder, "x"); err == nil || !strings.Contains(err.Error(), "d.yaml") {
			t.Errorf("a file with %s: %v", name, err)
		}
	}
}

func withDemo(t *testing.T) func(values map[string]any) {
	t.Helper()
	templates, err := engine.WooCommerce{}.Templates()
	if err != nil {
		t.Fatal(err)
	}
	demo, known := engine.FindTemplate(templates, "demo")
	if !known {
		t.Fatal("there is no demo catalogue")
	}
	return func(values map[string]any) { values["shop"] = demo.Values["shop"] }
}

func TestSetupFillsTheShopOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, withDemo(t))
	wanted := products(t, s.objects)
	// Killed when the row of a product is there, and nothing else of it.
	for _, sku := range []string{wanted[0].SKU, wanted[7].SKU} {
		if output, err := s.run(t, "KILLED="+sku); err == nil || s.installed() {
			t.Fatalf("killed at %s: %v: %s", sku, err, output)
		}
	}
	if output, err := s.run(t); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	s.wantProducts(t, wanted)
	s.write(t, "rows.json", `{"posts":{"7":{"name":"Mine","slug":"mine"}},"terms":{}}`)
	if output, err := s.run(t); err != nil {
		t.Fatalf("again: %v: %s", err, output)
	}
	if posts := s.rows(t).Posts; len(posts) != 1 || posts["7"].Name != "Mine" {
		t.Errorf("the merchant's products are now %v", posts)
	}
}

// wantProducts expects those in the shop, and no other.
func (s site) wantProducts(t *testing.T, wanted []product) {
	t.Helper()
	found := s.rows(t)
	bySKU := map[string]product{}
	for _, p := range found.Posts {
		made := product{SKU: p.SKU, Name: p.Name, Description: p.Description}
		if err := json.Unmarshal([]byte(p.Price), &made.Price); err != nil || p.Status != "publish" {
			t.Errorf("%s costs %q and is %s", p.SKU, p.Price, p.Status)
		}
		if p.Counted {
			stock := int(*p.Stock)
			made.Stock = &stock
		}
		for _, id := range p.Categories {
			made.Category += found.Terms[strconv.Itoa(id)].Name
		}
		bySKU[p.SKU] = made
	}
	if len(found.Posts) != len(wanted) || len(found.Terms) != 4 {
		t.Errorf("%d products in %d categories", len(found.Posts), len(found.Terms))
	}
	for _, p := range wanted {
		if !reflect.DeepEqual(bySKU[p.SKU], p) {
			t.Errorf("made %+v, want %+v", bySKU[p.SKU], p)
		}
	}
}

// Nobody has half a yen, and a dinar has a thousand parts.
func TestPricesOfATemplateCanBePaid(t *testing.T) {
	t.Parallel()
	for _, e := range engine.Offered().All() {
		for currency, want := range map[string]float64{"": 18.5, "EUR": 18.5, "JPY": 19, "BHD": 18.5} {
			spec := enginetest.Spec("local")
			spec.Template, spec.Currency = "demo", currency
			values, err := e.Values(spec)
			if err != nil {
				t.Fatal(err)
			}
			products := values["shop"].(map[string]any)["products"].([]any)
			i := slices.IndexFunc(products, func(p any) bool { return p.(map[string]any)["sku"] == "PEGS-10" })
			if got := products[i].(map[string]any); got["price"] != want || got["stock"] != 120.0 {
				t.Errorf("%s in %q: %v, want the price %v", e.Name(), currency, got, want)
			}
		}
	}
}
