package engine_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

const (
	checksKey = "key-of-the-check:secret-of-the-check"
	// printf %s key-of-the-check:secret-of-the-check | sha256sum
	checksHash = "a1ef861fe8fbfad15797bedfea05ac7af1c833326fd8fb8b28d12e02f2f4e19f"
	checks     = "order-check@shopwright.invalid"
)

// askPlugin has the shop's own plugin answer the order check, and returns what it did and said,
// one thing a line.
func askPlugin(t *testing.T, shopIs map[string]any, asked ...string) []string {
	t.Helper()
	dir := t.TempDir()
	script := ""
	enginetest.Each(shop(t, unchanged), func(c *corev1.ConfigMap) { script += c.Data["shopwright-check.php"] })
	for name, text := range map[string]string{"plugin.php": script, "wp-admin/includes/user.php": "<?php"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shopIs["asked"] = asked
	state, err := json.Marshal(shopIs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), php(t), absolute(t, "testdata/shop.php"), filepath.Join(dir, "plugin.php"), string(state))
	cmd.Env = append(os.Environ(), "STATE="+dir)
	out, err := cmd.CombinedOutput()
	var said []json.RawMessage
	if jsonErr := json.Unmarshal(out, &said); err != nil || jsonErr != nil {
		t.Fatalf("%v, %v: %s", err, jsonErr, out)
	}
	var lines []string
	for _, s := range said {
		lines = append(lines, string(s))
	}
	return lines
}

func options(more map[string]any) map[string]any {
	all := map[string]any{"shopwright_check": checksHash, "woocommerce_enable_guest_checkout": "yes", "woocommerce_default_country": "DE"}
	for name, value := range more {
		all[name] = value
	}
	return all
}

// Nobody but the check is let in, and nobody before the setup has written its key.
func TestOnlyTheOrderCheckIsLetIn(t *testing.T) {
	t.Parallel()
	users := map[string]any{checks: 7}
	for name, c := range map[string]struct {
		shop map[string]any
		want string
	}{
		"without a key":    {map[string]any{"options": options(nil), "users": users}, `{"answer":"refused","user":false}`},
		"with another":     {map[string]any{"options": options(nil), "users": users, "key": "a:b"}, `{"answer":"refused","user":false}`},
		"before the setup": {map[string]any{"options": map[string]any{}, "users": users, "key": checksKey}, `{"answer":"refused","user":false}`},
		"with its key":     {map[string]any{"options": options(nil), "users": users, "key": checksKey}, `{"answer":{"code":"not_found","message":"The order 5 is not in the shop's admin."},"user":7}`},
		"among members":    {map[string]any{"options": options(nil), "users": users, "key": checksKey, "members_only": true}, `{"answer":{"code":"not_found","message":"The order 5 is not in the shop's admin."},"user":7}`},
		"as no member":     {map[string]any{"options": options(nil), "users": users, "key": "a:b", "members_only": true}, `{"answer":"closed","user":false}`},
	} {
		if got := askPlugin(t, c.shop, "GET /check/5"); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// The check shops as a guest, or with an account that is there for as long as it takes. What an
// earlier one has left is removed, and nothing that is a customer's.
func TestOrderCheckLeavesNothingInTheShop(t *testing.T) {
	t.Parallel()
	left := map[string]any{
		"3": []string{checks, "preparing"}, "4": []string{checks, "processing"}, "5": []string{checks, "checkout-draft"}, "6": []string{checks, "cancelled"}, "8": []string{"ada@example.com", "processing"},
	}
	got := askPlugin(t, map[string]any{
		"key": checksKey, "orders": left, "statuses": []string{"wc-preparing"}, "options": options(map[string]any{"woocommerce_enable_guest_checkout": "no"}),
	}, "POST /check", "GET /check/4", "GET /check/8", "DELETE /check")
	for i, want := range []string{
		`"cancelled 3"`, `"cancelled 4"`, `"stock of 5 is free"`, `"removed order 5"`, `"removed sessions"`, `"made customer ` + checks + `"`, `"user":7`,
		`{"answer":{"number":"#4","status":"cancelled"},"user":7}`, `"The order 8 is not in the shop's admin."`,
	} {
		if i >= len(got) || !strings.Contains(got[i], want) {
			t.Fatalf("%d: %q, want %s", i, got, want)
		}
	}
	if end := got[len(got)-2:]; end[0] != `"removed user 7"` || end[1] != `{"answer":{"cancelled":[]},"user":0}` {
		t.Errorf("the end is %q", end)
	}
}

func TestOrderCheckLivesWhereTheShopSells(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options map[string]any
		soldTo  []string
		want    [3]string // country, state, postcode
	}{
		"at home":                    {nil, []string{"DE", "GB"}, [3]string{"DE", "", "10115"}},
		"at the shop's own postcode": {map[string]any{"woocommerce_store_postcode": "80331"}, []string{"DE"}, [3]string{"DE", "", "80331"}},
		"in its region":              {map[string]any{"woocommerce_default_country": "US:CA"}, []string{"US"}, [3]string{"US", "CA", "10115"}},
		"in any region":              {map[string]any{"woocommerce_default_country": "JP"}, nil, [3]string{"JP", "JP01", "100-0001"}},
		"abroad only":                {map[string]any{"woocommerce_store_postcode": "80331"}, []string{"GB"}, [3]string{"GB", "", "SW1A 1AA"}},
	} {
		said := askPlugin(t, map[string]any{"key": checksKey, "options": options(c.options), "sold_to": c.soldTo}, "POST /check")
		var begun struct {
			Answer struct{ Address map[string]string }
		}
		if err := json.Unmarshal([]byte(said[len(said)-1]), &begun); err != nil {
			t.Fatal(err)
		}
		address := begun.Answer.Address
		if got := [3]string{address["country"], address["state"], address["postcode"]}; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		for _, field := range []string{"first_name", "last_name", "company", "address_1", "address_2", "city", "phone"} {
			if address[field] == "" {
				t.Errorf("%s: %s is empty, and may be required", name, field)
			}
		}
	}
}
