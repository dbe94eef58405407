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
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
	"shopwright.dev/shopwright/store"
)

// till answers as the Store API and the REST API of WooCommerce do to whoever buys one thing.
// https://developer.woocommerce.com/docs/apis/store-api/
type till struct {
	t      *testing.T
	closed bool
	ways   []string
	where  string // the shop's country
	rates  []any  // ways to ship; nil where the shop ships nothing
	goods  []map[string]any
	refuse string // a path that answers with an error
	garble string // a path that answers with what nobody expects
	lose   bool   // the order cannot be read
	asked  []string
	status string // of the order
	buyer  map[string]any
	bought int // id of what was put into the cart
}

// simple is a product without options.
func simple() []map[string]any {
	return []map[string]any{{"id": 9, "is_purchasable": true, "is_in_stock": true, "has_options": false}}
}

func (s *till) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	if r.Host != "shop.localhost:8081" {
		s.t.Errorf("asked of %s", r.Host)
	}
	if s.refuse != "" && strings.Contains(r.URL.Path, s.refuse) {
		w.WriteHeader(http.StatusBadRequest)
		s.say(w, map[string]any{"code": "any", "message": "<b>Sorry</b>, we cannot do that."})
		return
	}
	if s.garble != "" && strings.Contains(r.URL.Path, s.garble) {
		s.say(w, map[string]any{"payment_methods": 7})
		return
	}
	_, secret, _ := r.BasicAuth()
	if strings.Contains(r.URL.Path, "/wc/v3/") && (secret != "secret-of-the-check" || r.Header.Get("X-Forwarded-Proto") != "https") {
		w.WriteHeader(http.StatusUnauthorized)
		s.say(w, map[string]any{"message": "Sorry, you cannot view this resource."})
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /wp-json/shopwright/v1/state":
		s.say(w, map[string]any{"closed": s.closed, "country": cmp.Or(s.where, "US:CA"), "postcode": ""})
	case "GET /wp-json/wc/store/v1/products":
		s.say(w, append([]map[string]any{{"id": 7, "is_purchasable": true, "is_in_stock": false}}, s.goods...))
	case "GET /wp-json/wc/store/v1/cart":
		w.Header().Set("Cart-Token", "token-of-the-cart")
		s.say(w, map[string]any{"items": []any{}})
	case "POST /wp-json/wc/store/v1/cart/add-item":
		s.wantCart(r)
		var item struct{ ID int }
		if err := json.NewDecoder(r.Body).Decode(&item); err != nil {
			s.t.Error(err)
		}
		s.bought = item.ID
		s.say(w, map[string]any{"items": []any{}})
	case "POST /wp-json/wc/store/v1/cart/update-customer":
		s.wantCart(r)
		s.say(w, map[string]any{
			"payment_methods": s.ways, "needs_shipping": s.rates != nil,
			"shipping_rates": s.packages(),
		})
	case "POST /wp-json/wc/store/v1/checkout":
		s.wantCart(r)
		if err := json.NewDecoder(r.Body).Decode(&s.buyer); err != nil {
			s.t.Error(err)
		}
		s.status = "processing"
		s.say(w, map[string]any{"order_id": 42, "status": s.status})
	case "PUT /wp-json/wc/v3/orders/42":
		s.status = "cancelled"
		fallthrough
	case "GET /wp-json/wc/v3/orders/42":
		if s.lose && r.Method == http.MethodGet {
			w.WriteHeader(http.StatusNotFound)
			s.say(w, map[string]any{"message": "Invalid ID."})
			return
		}
		s.say(w, map[string]any{"id": 42, "number": "1042", "status": s.status})
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// packages are what the cart is shipped in.
func (s *till) packages() []any {
	if s.rates == nil {
		return []any{}
	}
	return []any{map[string]any{"package_id": 0, "shipping_rates": s.rates}}
}

func (s *till) wantCart(r *http.Request) {
	if r.Header.Get("Cart-Token") != "token-of-the-cart" {
		s.t.Errorf("%s without the cart's token", r.URL.Path)
	}
}

func (s *till) say(w http.ResponseWriter, what any) {
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
	s := &till{t: t, goods: simple(), rates: []any{map[string]any{"rate_id": "flat_rate:1"}}, ways: []string{"cod"}}
	said, out := s.checked(true)
	if !said.OK || !said.Placed || said.Order != "1042" || len(said.Steps) != 9 || s.bought != 9 || s.status != "cancelled" {
		t.Errorf("%+v, the order is %s: %s", said, s.status, out)
	}
	billing, _ := s.buyer["billing_address"].(map[string]any)
	if s.buyer["payment_method"] != "cod" || billing["email"] != "order-check@shopwright.invalid" || billing["country"] != "US" || billing["state"] != "CA" {
		t.Errorf("bought by %v", s.buyer)
	}
}

// WooCommerce takes no order to an address that is none in its country.
func TestOrderCheckLivesInEveryCountry(t *testing.T) {
	t.Parallel()
	postcodes := map[any]string{}
	for _, c := range store.Countries() {
		s := &till{t: t, goods: simple(), ways: []string{"cod"}, where: c.Code}
		if said, out := s.checked(true); !said.OK {
			t.Fatalf("%s: %+v: %s", c.Name, said, out)
		}
		billing, _ := s.buyer["billing_address"].(map[string]any)
		if other, taken := postcodes[billing["postcode"]]; taken || billing["country"] != c.Code {
			t.Errorf("in %s it lives at %v, as in %s", c.Name, billing, other)
		}
		postcodes[billing["postcode"]] = c.Name
		asked := slices.Contains([]string{"AU", "CA", "ES", "IE", "IT", "US"}, c.Code)
		if hasState := billing["state"] != ""; hasState != asked {
			t.Errorf("in %s it lives in the state %q", c.Name, billing["state"])
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
		if !said.OK || said.Order != "" || said.Closed != s.closed || slices.Contains(s.asked, "POST /wp-json/wc/store/v1/checkout") {
			t.Errorf("%s: %+v, asked %v: %s", what, said, s.asked, out)
		}
	}
}

// Where all goods have options, one of their variations is bought.
func TestOrderCheckBuysAVariation(t *testing.T) {
	t.Parallel()
	shirt := map[string]any{"id": 11, "is_purchasable": true, "is_in_stock": true, "has_options": true, "variations": []any{map[string]any{"id": 12}}}
	s := &till{t: t, goods: []map[string]any{shirt}, ways: []string{"cod"}}
	if said, out := s.checked(true); !said.OK || s.bought != 12 {
		t.Errorf("%+v, bought %d: %s", said, s.bought, out)
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
		"open":      {t: t, refuse: "state"},
		"catalogue": {t: t},
		"cart":      {t: t, goods: simple(), refuse: "add-item"},
		"address":   {t: t, goods: simple(), refuse: "update-customer"},
		"shipping":  {t: t, goods: simple(), rates: []any{}, ways: []string{"cod"}},
		"payment":   {t: t, goods: simple()},
		"checkout":  {t: t, goods: simple(), ways: []string{"cod"}, refuse: "checkout"},
		"cancel":    {t: t, goods: simple(), ways: []string{"cod"}, refuse: "orders/42"}, // nor can it be read
	} {
		said, out := s.checked(true)
		if said.OK || said.Failed != step || said.Message == "" || strings.Contains(said.Message, "<") {
			t.Errorf("%s: %+v: %s", step, said, out)
		}
	}
}
