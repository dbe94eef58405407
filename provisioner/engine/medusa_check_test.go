package engine_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// counter answers as Medusa's store and admin APIs do to whoever buys one thing.
// https://docs.medusajs.com/api/store
type counter struct {
	t      *testing.T
	ways   []string // to pay
	lose   bool     // the order cannot be read
	bars   bool     // nobody is let into the admin
	left   []any    // orders that wait
	asked  []string
	status string // of the order
}

func (s *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	if strings.HasPrefix(r.URL.Path, "/store/") && r.Header.Get("X-Publishable-Api-Key") != "pk_check" {
		s.t.Errorf("%s without the key", r.URL.Path)
	}
	answer := s.answer(r)
	if strings.HasPrefix(r.URL.Path, "/admin/") && (s.bars || !isSignedIn(r)) {
		w.WriteHeader(http.StatusUnauthorized)
		answer = map[string]any{"message": "Unauthorized"}
	} else if answer == nil {
		w.WriteHeader(http.StatusNotFound)
		answer = map[string]any{"message": "not found"}
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.t.Error(err)
	}
}

func (s *counter) answer(r *http.Request) map[string]any {
	order := map[string]any{"id": "order_1", "display_id": 1042, "total": 10, "status": s.status, "items": []any{map[string]any{"id": "item_1"}}}
	switch r.Method + " " + r.URL.Path {
	case "GET /", "GET /health":
		return map[string]any{}
	case "GET /store/regions":
		return map[string]any{"regions": []any{map[string]any{"id": "reg_1", "name": "Europe", "countries": []any{map[string]any{"iso_2": "de"}}}}}
	case "GET /store/products":
		variant := map[string]any{"id": "variant_1", "calculated_price": map[string]any{"calculated_amount": 10}}
		return map[string]any{"products": []any{map[string]any{"variants": []any{variant}}}}
	case "POST /store/carts":
		return map[string]any{"cart": map[string]any{"id": "cart_1"}}
	case "GET /store/shipping-options":
		return map[string]any{"shipping_options": []any{map[string]any{"id": "so_1", "price_type": "flat"}}}
	case "GET /store/payment-providers":
		providers := []any{}
		for _, way := range s.ways {
			providers = append(providers, map[string]any{"id": way})
		}
		return map[string]any{"payment_providers": providers}
	case "POST /store/payment-collections":
		return map[string]any{"payment_collection": map[string]any{"id": "paycol_1"}}
	case "POST /store/carts/cart_1", "POST /store/carts/cart_1/shipping-methods", "POST /store/payment-collections/paycol_1/payment-sessions":
		return map[string]any{}
	case "POST /store/carts/cart_1/complete":
		s.status = "pending"
		return map[string]any{"type": "order", "order": order}
	case "GET /admin/orders":
		if query := r.URL.Query(); query.Get("q") != checks || query.Get("status") != "pending" {
			return map[string]any{"orders": []any{}}
		}
		return map[string]any{"orders": append([]any{}, s.left...)}
	case "POST /admin/orders/order_1/cancel":
		s.status, order["status"] = "canceled", "canceled"
		return map[string]any{"order": order}
	case "GET /admin/orders/order_1":
		if s.lose && s.status == "pending" {
			return nil
		}
		return map[string]any{"order": order}
	case "GET /admin/reservations":
		return map[string]any{"reservations": []any{}}
	case "POST /admin/orders/order_killed/cancel":
		return map[string]any{"order": order}
	default:
		return nil
	}
}

// isSignedIn reports whether the token is one of an administrator's, signed with the shop's secret.
func isSignedIn(r *http.Request) bool {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	content, signature, _ := strings.Cut(token, ".")
	body, signature, _ := strings.Cut(signature, ".")
	mac := hmac.New(sha256.New, []byte("secret-of-the-shop"))
	mac.Write([]byte(content + "." + body))
	var claims struct {
		Actor   string `json:"actor_type"`
		Expires int64  `json:"exp"`
	}
	data, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || json.Unmarshal(data, &claims) != nil {
		return false
	}
	lasts := time.Until(time.Unix(claims.Expires, 0))
	return signature == base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) && claims.Actor == "user" && lasts > 0 && lasts <= 5*time.Minute
}

// checked runs the chart's script against the counter as its pod does.
func (s *counter) checked() (said outcome, output string) {
	s.t.Helper()
	server := httptest.NewServer(s)
	s.t.Cleanup(server.Close)
	dir := s.t.TempDir()
	script := ""
	enginetest.Each(medusa(s.t, unchanged), func(c *corev1.ConfigMap) { script += c.Data["check.mjs"] })
	for name, text := range map[string]string{"check.mjs": script, "publishable-key": "pk_check", "jwt-secret": "secret-of-the-shop\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(s.t.Context(), "node", filepath.Join(dir, "check.mjs"))
	cmd.Env = append(os.Environ(), "MEDUSA_URL="+server.URL, "STOREFRONT_URL="+server.URL, "CREDENTIALS="+dir, "REPORT="+filepath.Join(dir, "report"))
	out, err := cmd.CombinedOutput()
	text, readErr := os.ReadFile(filepath.Join(dir, "report"))
	if readErr != nil || strings.Contains(string(out), "secret-of-the-shop") {
		s.t.Fatalf("the check leaves %q, %v: %s", text, readErr, out)
	}
	if decodeErr := json.Unmarshal(text, &said); decodeErr != nil || said.OK != (err == nil) {
		s.t.Errorf("the check ends with %v and leaves %s: %v", err, text, decodeErr)
	}
	return said, string(out)
}

func TestMedusasOrderCheckShops(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		counter counter
		want    outcome
		status  string
	}{
		"buys and cancels":                     {counter{ways: []string{"pp_stripe", "pp_system_default"}}, outcome{OK: true, Placed: true, Order: "1042"}, "canceled"},
		"stops at cards":                       {counter{ways: []string{"pp_stripe"}}, outcome{OK: true}, ""},
		"cannot pay":                           {counter{}, outcome{Failed: "payment", Message: "No payment method in the region Europe"}, ""},
		"orders nothing that it cannot cancel": {counter{ways: []string{"pp_system_default"}, bars: true}, outcome{Failed: "sign in", Message: "Medusa returned 401 for GET /admin/orders: Unauthorized"}, ""},
		"leaves no order, unread":              {counter{ways: []string{"pp_system_default"}, lose: true}, outcome{Placed: true, Order: "1042", Failed: "read back", Message: "Medusa returned 404 for GET /admin/orders/order_1: not found"}, "canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := c.counter
			s.t = t
			said, out := s.checked()
			said.Steps = nil
			if said.OK != c.want.OK || said.Placed != c.want.Placed || said.Order != c.want.Order || said.Failed != c.want.Failed || said.Message != c.want.Message || s.status != c.status {
				t.Errorf("%+v, the order is %q, want %+v: %s", said, s.status, c.want, out)
			}
			if ordered := slices.Contains(s.asked, "POST /store/carts/cart_1/complete"); ordered != c.want.Placed {
				t.Errorf("it has ordered: %t", ordered)
			}
		})
	}
}

// What a check that was killed has left is cancelled by the next one, and nothing that is a
// customer's. An order that cannot be cancelled is no reason to call the shop broken.
func TestMedusasOrderCheckCancelsWhatAnotherHasLeft(t *testing.T) {
	t.Parallel()
	s := counter{t: t, ways: []string{"pp_system_default"}, left: []any{
		map[string]any{"id": "order_sent", "email": checks}, map[string]any{"id": "order_killed", "email": checks},
		map[string]any{"id": "order_of_ada", "email": "ada+" + checks},
	}}
	if said, out := s.checked(); !said.OK {
		t.Errorf("%+v: %s", said, out)
	}
	var cancelled []string
	for _, asked := range s.asked {
		if id, is := strings.CutSuffix(asked, "/cancel"); is {
			cancelled = append(cancelled, strings.TrimPrefix(id, "POST /admin/orders/"))
		}
	}
	if want := []string{"order_sent", "order_killed", "order_1"}; !slices.Equal(cancelled, want) {
		t.Errorf("cancelled are %q, want %q", cancelled, want)
	}
}
