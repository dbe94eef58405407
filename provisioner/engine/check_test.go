package engine_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// till answers as the Store API of WooCommerce and the shop's own plugin do to whoever buys one
// thing. https://developer.woocommerce.com/docs/apis/store-api/
type till struct {
	t      *testing.T
	closed bool
	ways   []string
	where  string         // the country of the address
	fields map[string]any // that the merchant's plugins ask for
	rates  []any          // ways to ship; nil where the shop ships nothing
	goods  []map[string]any
	refuse string // a route that answers with an error
	garble string // a route that answers with what nobody expects
	lose   bool   // the order cannot be read until it is cancelled
	picky  int    // product that cannot be put into the cart
	asked  []string
	calls  string // the status that a new order gets, unless it is processing
	status string // of the order
	buyer  map[string]any
	bought map[string]any // what was put into the cart
	tidied bool
}

// simple is a product without options.
func simple() []map[string]any {
	return []map[string]any{{"id": 9, "is_purchasable": true, "is_in_stock": true, "has_options": false}}
}

func (s *till) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route := r.URL.Query().Get("rest_route") // works with every structure of addresses
	s.asked = append(s.asked, r.Method+" "+route)
	if r.Host != "shop.localhost:8081" || r.URL.Path != "/" || r.Header.Get("X-Shopwright-Check") != "key-of-the-check:secret-of-the-check" {
		s.t.Errorf("asked for %s of %s, with %v", r.URL, r.Host, r.Header)
	}
	if s.refuse != "" && strings.HasSuffix(route, s.refuse) {
		s.say(w, http.StatusBadRequest, map[string]any{"code": "any", "message": "<b>Sorry</b>, we cannot do that."})
		return
	}
	if s.garble != "" && strings.HasSuffix(route, s.garble) {
		s.say(w, http.StatusOK, map[string]any{"payment_methods": 7})
		return
	}
	status, answer := http.StatusOK, any(map[string]any{"items": []any{}})
	switch r.Method + " " + route {
	case "POST /shopwright/v1/check":
		address := map[string]any{"country": cmp.Or(s.where, "US"), "state": "CA"}
		answer = map[string]any{"closed": s.closed, "address": address, "fields": s.fields}
	case "DELETE /shopwright/v1/check":
		s.tidied = true
		if s.status != "" && s.refuse != "cancelling" {
			s.status = "cancelled"
		}
	case "GET /shopwright/v1/check/42":
		answer = map[string]any{"number": "1042", "status": s.status}
		if s.lose && s.status != "cancelled" {
			status, answer = http.StatusNotFound, map[string]any{"message": "The order 42 is not in the shop's admin."}
		}
	case "GET /wc/store/v1/products":
		answer = append([]map[string]any{{"id": 7, "is_purchasable": true, "is_in_stock": false}}, s.goods...)
	case "GET /wc/store/v1/cart":
		w.Header().Set("Cart-Token", "token-of-the-cart")
	case "POST /wc/store/v1/cart/add-item":
		s.wantCart(r, &s.bought)
		if s.bought["id"] == float64(s.picky) {
			status, answer = http.StatusBadRequest, map[string]any{"message": "Say what is to be engraved."}
		}
	case "POST /wc/store/v1/cart/update-customer":
		s.wantCart(r, &map[string]any{})
		answer = map[string]any{"payment_methods": s.ways, "needs_shipping": s.rates != nil, "shipping_rates": s.packages()}
	case "POST /wc/store/v1/checkout":
		s.wantCart(r, &s.buyer)
		s.status = cmp.Or(s.calls, "processing")
		answer = map[string]any{"order_id": 42, "status": s.status}
	default:
		status = http.StatusNotFound
	}
	s.say(w, status, answer)
}

// packages are what the cart is shipped in.
func (s *till) packages() []any {
	if s.rates == nil {
		return []any{}
	}
	return []any{map[string]any{"package_id": 0, "shipping_rates": s.rates}}
}

// wantCart reads what is asked of the cart.
func (s *till) wantCart(r *http.Request, body *map[string]any) {
	if r.Header.Get("Cart-Token") != "token-of-the-cart" {
		s.t.Errorf("%s without the cart's token", r.URL)
	}
	*body = nil
	if err := json.NewDecoder(r.Body).Decode(body); err != nil {
		s.t.Error(err)
	}
}

func (s *till) say(w http.ResponseWriter, status int, what any) {
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(what); err != nil {
		s.t.Error(err)
	}
}

// outcome is what the check leaves.
type outcome struct {
	OK      bool
	Closed  bool
	Order   string
	Placed  bool
	Failed  string
	Message string
	Steps   []struct{ Name string }
}

// checked runs the chart's script against the till as its pod does.
func (s *till) checked(places bool) (said outcome, output string) {
	s.t.Helper()
	server := httptest.NewServer(s)
	s.t.Cleanup(server.Close)
	dir := s.t.TempDir()
	script := ""
	enginetest.Each(shop(s.t, unchanged), func(c *corev1.ConfigMap) { script += c.Data["check.php"] })
	for name, text := range map[string]string{"check.php": script, "rest-key": "key-of-the-check", "rest-secret": "secret-of-the-check\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	report := filepath.Join(dir, "report")
	cmd := exec.CommandContext(s.t.Context(), "php", filepath.Join(dir, "check.php"))
	cmd.Env = append(os.Environ(), "WORDPRESS_URL="+server.URL, "SHOP_URL=http://shop.localhost:8081",
		"CREDENTIALS="+dir, "REPORT="+report, fmt.Sprint("CHECK_PLACE_ORDER=", places))
	out, err := cmd.CombinedOutput()
	text, readErr := os.ReadFile(report)
	if readErr != nil || strings.Contains(string(text), "\n") {
		s.t.Fatalf("the check leaves %q, %v: %s", text, readErr, out)
	}
	if decodeErr := json.Unmarshal(text, &said); decodeErr != nil {
		s.t.Fatal(decodeErr)
	}
	if exit, failed := errors.AsType[*exec.ExitError](err); said.OK == failed || failed && exit.ExitCode() != 1 {
		s.t.Errorf("the check ends with %v and says %+v", err, said)
	}
	if strings.Contains(string(out), "secret-of-the-check") {
		s.t.Errorf("the check shows its key: %s", out)
	}
	return said, string(out)
}

func TestOrderCheckBuysAndCancels(t *testing.T) {
	t.Parallel()
	s := &till{t: t, goods: simple(), rates: []any{map[string]any{"rate_id": "flat_rate:1"}}, ways: []string{"cod"}, fields: map[string]any{"gift/wrap": true}}
	said, out := s.checked(true)
	if !said.OK || !said.Placed || said.Order != "1042" || len(said.Steps) != 9 || s.bought["id"] != 9.0 || s.status != "cancelled" {
		t.Errorf("%+v, the order is %s: %s", said, s.status, out)
	}
	billing, _ := s.buyer["billing_address"].(map[string]any)
	if s.buyer["payment_method"] != "cod" || billing["email"] != "order-check@shopwright.invalid" || billing["country"] != "US" || billing["state"] != "CA" ||
		!reflect.DeepEqual(s.buyer["additional_fields"], map[string]any{"gift/wrap": true}) {
		t.Errorf("bought by %v", s.buyer)
	}
}

// A merchant's plugins may call a new order otherwise.
func TestOrderCheckKnowsOrdersThatStand(t *testing.T) {
	t.Parallel()
	for status, stands := range map[string]bool{"preparing": true, "on-hold": true, "pending": false, "failed": false} {
		s := &till{t: t, goods: simple(), ways: []string{"cod"}, calls: status}
		if said, out := s.checked(true); said.OK != stands || !said.Placed || s.status != "cancelled" {
			t.Errorf("%s: %+v, the order is %s: %s", status, said, s.status, out)
		}
	}
}

func TestOrderCheckStopsBeforeItOrders(t *testing.T) {
	t.Parallel()
	for what, s := range map[string]*till{
		"not to place an order": {t: t, goods: simple(), ways: []string{"cod", "stripe"}},
		"the shop is closed":    {t: t, closed: true},
		"paid by card only":     {t: t, goods: simple(), ways: []string{"stripe"}},
	} {
		said, out := s.checked(what != "not to place an order")
		if !said.OK || said.Order != "" || said.Closed != s.closed || !s.tidied || slices.Contains(s.asked, "POST /wc/store/v1/checkout") {
			t.Errorf("%s: %+v, asked %v: %s", what, said, s.asked, out)
		}
	}
}

// Where all goods have options, one of their variations is bought, with a choice for each that
// the variation leaves open.
func TestOrderCheckBuysAVariation(t *testing.T) {
	t.Parallel()
	attribute := func(name, taxonomy string, varies bool, terms ...any) map[string]any {
		return map[string]any{"name": name, "taxonomy": taxonomy, "has_variations": varies, "terms": terms}
	}
	shirt := map[string]any{
		"id": 11, "is_purchasable": true, "is_in_stock": true, "has_options": true, "add_to_cart": map[string]any{"minimum": 2},
		"attributes": []any{
			attribute("Size", "", true, map[string]any{"slug": "S"}), attribute("Colour", "pa_colour", true, map[string]any{"slug": "red"}),
			attribute("Made of", "", false, map[string]any{"slug": "wool"}),
		},
		"variations": []any{map[string]any{"id": 12, "attributes": []any{
			map[string]any{"name": "Size", "value": nil}, map[string]any{"name": "Colour", "value": "blue"},
		}}},
	}
	s := &till{t: t, goods: []map[string]any{shirt}, ways: []string{"cod"}}
	want := map[string]any{"id": 12.0, "quantity": 2.0, "variation": []any{
		map[string]any{"attribute": "Size", "value": "S"}, map[string]any{"attribute": "pa_colour", "value": "blue"},
	}}
	if said, out := s.checked(true); !said.OK || !reflect.DeepEqual(s.bought, want) {
		t.Errorf("%+v, bought %v: %s", said, s.bought, out)
	}
}

// A product for which a person must say something is no reason to call the shop broken.
func TestOrderCheckGoesOnToTheNextProduct(t *testing.T) {
	t.Parallel()
	engraved := map[string]any{"id": 8, "is_purchasable": true, "is_in_stock": true}
	s := &till{t: t, goods: append([]map[string]any{engraved}, simple()...), ways: []string{"cod"}, picky: 8}
	if said, out := s.checked(true); !said.OK || s.bought["id"] != 9.0 {
		t.Errorf("%+v, bought %v: %s", said, s.bought, out)
	}
	s = &till{t: t, goods: []map[string]any{engraved}, ways: []string{"cod"}, picky: 8}
	if said, out := s.checked(true); said.OK || said.Failed != "cart" || said.Message != "Say what is to be engraved." || !s.tidied {
		t.Errorf("%+v: %s", said, out)
	}
}

// An order that is not found as it should be is cancelled all the same, and named.
func TestOrderCheckLeavesNoOrderBehind(t *testing.T) {
	t.Parallel()
	s := &till{t: t, goods: simple(), ways: []string{"cod"}, lose: true}
	said, out := s.checked(true)
	if said.OK || said.Failed != "order" || !said.Placed || said.Order != "42" || s.status != "cancelled" {
		t.Errorf("%+v, the order is %s: %s", said, s.status, out)
	}
}

// What the check itself does wrong is told like everything else.
func TestOrderCheckTellsOfItself(t *testing.T) {
	t.Parallel()
	s := &till{t: t, goods: simple(), garble: "update-customer"}
	if said, out := s.checked(true); said.OK || said.Failed != "payment" || !strings.HasPrefix(said.Message, "The check itself broke: ") {
		t.Errorf("%+v: %s", said, out)
	}
}

func TestOrderCheckSaysWhereItFails(t *testing.T) {
	t.Parallel()
	for step, s := range map[string]*till{
		"open":      {t: t, refuse: "/check"},
		"catalogue": {t: t},
		"cart":      {t: t, goods: simple(), refuse: "add-item"},
		"address":   {t: t, goods: simple(), refuse: "update-customer"},
		"shipping":  {t: t, goods: simple(), rates: []any{}, ways: []string{"cod"}},
		"payment":   {t: t, goods: simple()},
		"checkout":  {t: t, goods: simple(), ways: []string{"cod"}, refuse: "checkout"},
		"cancel":    {t: t, goods: simple(), ways: []string{"cod"}, refuse: "cancelling"},
	} {
		said, out := s.checked(true)
		if said.OK || said.Failed != step || said.Message == "" || strings.Contains(said.Message, "<") || s.tidied == (step == "open") {
			t.Errorf("%s: %+v, tidied %t: %s", step, said, s.tidied, out)
		}
	}
}
