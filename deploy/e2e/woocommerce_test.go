//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"shopwright.dev/shopwright/views/browsertest"
)

// withPlugin names an image of the engine that has the plugin in it, as that of deploy/images has.
const withPlugin = "WOOCOMMERCE_IMAGE"

func hasPlugin() bool { return os.Getenv(withPlugin) != "" }

func TestWooCommerce(t *testing.T) {
	c := connect(t)
	c.install(t)
	owner := c.browser(t)
	c.signIn(t, owner)
	s := c.create(t, owner, "woocommerce", "Papeterie du Canal")
	if hasPlugin() {
		s.testWithPlugin(t, owner)
	} else {
		s.testWithoutPlugin(t, owner)
	}
	t.Run("deleted", func(t *testing.T) { s.delete(t, owner.In(t)) })
	if hasPlugin() {
		t.Run("restored", func(t *testing.T) {
			r := s.restore(t, owner.In(t))
			owner := owner.In(t)
			r.seeWooOrder(t, owner, "ada@example.com")
			r.order(t, "grace@example.com")
			r.seeWooOrder(t, owner, "grace@example.com")
			r.delete(t, owner.In(t))
		})
	}
}

// testWithPlugin goes on to what a store is for. Ready means that an order was placed.
func (s *store) testWithPlugin(t *testing.T, owner *browsertest.Browser) {
	s.mustBeReady(t, owner)
	t.Run("a customer buys", func(t *testing.T) { s.order(t, "ada@example.com") })
	t.Run("the owner hears of orders", func(t *testing.T) { s.mustWriteTo(t, firstOwner) })
	t.Run("the owner sees the order", func(t *testing.T) { s.seeWooOrder(t, owner.In(t), "ada@example.com") })
	t.Run("backed up", func(t *testing.T) { s.backUp(t, owner.In(t), "database.sql", "ada@example.com") })
	t.Run("rehearsed", func(t *testing.T) { s.rehearse(t, owner.In(t)) })
	t.Run("lost and rebuilt", func(t *testing.T) {
		s.lose(t, owner.In(t))
		s.seeWooOrder(t, owner, "ada@example.com")
	})
	t.Run("at rest", s.weigh)
	t.Run("a burst of visitors", func(t *testing.T) { s.burst(t, "http://"+s.address()+"/") })
	t.Run("pods are lost", func(t *testing.T) {
		s.losePods(t, isReady)
		s.check(t, owner.In(t))
		s.seeWooOrder(t, owner, "ada@example.com")
	})
	t.Run("changed", func(t *testing.T) {
		s.changeOwner(t, owner.In(t), "another-owner@example.com")
		s.change(t, owner.In(t), s.version(t)+nextImage)
		s.mustWriteTo(t, "another-owner@example.com")
		s.seeWooOrder(t, owner, "ada@example.com")
	})
}

// testWithoutPlugin looks at what there is without the plugin: Debian has no package of it.
func (s *store) testWithoutPlugin(t *testing.T, owner *browsertest.Browser) {
	s.leftOut(t)
	s.mustLackPlugin(t, owner)
	t.Run("serves", func(t *testing.T) { s.mustServe(t) })
	t.Run("at rest", s.weigh)
	t.Run("pods are lost", func(t *testing.T) {
		s.write(t, "Written before the pods were lost")
		s.losePods(t, isUp)
		s.mustServe(t, "Written before the pods were lost")
	})
}

func (s *store) leftOut(t *testing.T) {
	s.note(t, "LEFT OUT at %s: the shop, its order check, a sale and an upgrade, as the plugin cannot be had offline; %s names an image that has it",
		s.slug, withPlugin)
}

// mustLackPlugin wants the store to have failed, and its page, which is open, to say why.
func (s *store) mustLackPlugin(t *testing.T, owner *browsertest.Browser) {
	t.Helper()
	if status := s.status(owner); status != "failed" {
		t.Fatalf("a shop that cannot be set up is %s", status)
	}
	if said := s.said(owner, "#store-main"); !strings.Contains(said, "The plugin woocommerce is not in this image") {
		t.Errorf("the page does not say what is missing:\n%s", said)
	}
}

// write publishes a text in the shop's WordPress, with a file, which are in its two volumes.
func (s *store) write(t *testing.T, text string) {
	t.Helper()
	s.php(t, `$id = wp_insert_post(["post_title" => $argv[1], "post_content" => $argv[1], "post_status" => "publish"], true);
		if (is_wp_error($id)) { fwrite(STDERR, $id->get_error_message()); exit(1); }
		file_put_contents(WP_CONTENT_DIR . "/uploads/written.txt", $argv[1]);`, text)
}

// php runs a program with the shop's WordPress in it, and returns what it printed.
func (s *store) php(t *testing.T, program string, args ...string) string {
	t.Helper()
	const begin = `$_SERVER["HTTP_HOST"] = parse_url(getenv("SHOP_URL"), PHP_URL_HOST); require "/var/www/html/wp-load.php"; `
	return s.exec(t, s.namespace(), s.pod(t), append([]string{"php", "-r", begin + program, "--"}, args...)...)
}

// pod is the shop's own.
func (s *store) pod(t *testing.T) string {
	t.Helper()
	pods := s.pods(t, s.namespace(), "app.kubernetes.io/component="+s.component())
	if len(pods) != 1 {
		t.Fatalf("the shop has %d pods", len(pods))
	}
	return pods[0].Name
}

// mustServe asks WordPress in its pod, for without a shop it gets no customers. It must know
// its name and those texts that were published in it, and no other.
func (s *store) mustServe(t *testing.T, texts ...string) {
	t.Helper()
	if page := s.curl(t, "/wp-login.php"); !strings.Contains(page, s.name) {
		t.Errorf("WordPress's sign-in page is\n%.2000s", page)
	}
	var posts []struct{ Title struct{ Rendered string } }
	said := s.curl(t, "/?rest_route=/wp/v2/posts")
	if err := json.Unmarshal([]byte(said), &posts); err != nil {
		t.Fatalf("%v:\n%.2000s", err, said)
	}
	var published []string
	for _, p := range posts {
		if p.Title.Rendered != "Hello world!" { // WordPress begins with it
			published = append(published, p.Title.Rendered)
		}
	}
	if strings.Join(published, "\n") != strings.Join(texts, "\n") {
		t.Errorf("WordPress has published %q, not %q", published, texts)
	}
	if len(texts) > 0 {
		if file := s.curl(t, "/wp-content/uploads/written.txt"); file != texts[0] {
			t.Errorf("the file that was written is %.200q", file)
		}
	}
}

func (s *store) curl(t *testing.T, path string) string {
	t.Helper()
	return s.exec(t, s.namespace(), s.pod(t), "curl", "-sS", "--max-time", "30", "-H", "Host: "+s.host(), "http://127.0.0.1"+path)
}

// customer is one of the shop's, with a cart.
type customer struct {
	*store
	session http.Header
}

// order buys as the shop's own pages do, over its Store API: https://developer.woocommerce.com/docs/apis/store-api/.
func (s *store) order(t *testing.T, email string) {
	c := customer{store: s, session: http.Header{}}
	var products []struct {
		ID          int
		HasOptions  bool `json:"has_options"`
		Purchasable bool `json:"is_purchasable"`
		InStock     bool `json:"is_in_stock"`
	}
	c.ask(t, http.MethodGet, "products?per_page=50", nil, &products)
	chosen := 0
	for _, p := range products {
		if p.Purchasable && p.InStock && !p.HasOptions {
			chosen = p.ID
		}
	}
	c.ask(t, http.MethodGet, "cart", nil, nil) // which opens one
	c.ask(t, http.MethodPost, "cart/add-item", map[string]any{"id": chosen, "quantity": 1}, nil)
	address := map[string]any{
		"first_name": "Ada", "last_name": "Lovelace", "company": "", "address_1": "Hauptstraße 1", "address_2": "",
		"city": "Berlin", "state": "", "postcode": "10115", "country": "DE", "phone": "030123456",
	}
	billing := map[string]any{"email": email}
	for field, value := range address {
		billing[field] = value
	}
	var placed struct {
		ID     int `json:"order_id"`
		Status string
	}
	c.ask(t, http.MethodPost, "checkout", map[string]any{"billing_address": billing, "shipping_address": address, "payment_method": "cod"}, &placed)
	if placed.ID == 0 || placed.Status == "failed" {
		t.Fatalf("the order is %+v", placed)
	}
	s.note(t, "%s has sold to a customer: order %d, %s", s.slug, placed.ID, placed.Status)
}

// ask sends one request to the Store API through the Ingress, and keeps what tells this customer
// from others.
func (c customer) ask(t *testing.T, method, path string, body, answer any) {
	t.Helper()
	sent, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, "http://"+c.address()+"/wp-json/wc/store/v1/"+path, bytes.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	request.Host, request.Header = c.host(), c.session.Clone()
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	said, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: %d, %v:\n%.2000s", method, path, response.StatusCode, err, said)
	}
	for _, name := range []string{"Cart-Token", "Nonce"} {
		if value := response.Header.Get(name); value != "" {
			c.session.Set(name, value)
		}
	}
	if answer == nil {
		return
	}
	if err := json.Unmarshal(said, answer); err != nil {
		t.Fatalf("%s %s: %v:\n%.2000s", method, path, err, said)
	}
}

// seeWooOrder signs in to WordPress with what Shopwright shows to the owner.
func (s *store) seeWooOrder(t *testing.T, dashboard *browsertest.Browser, email string) {
	user, password := s.credentials(dashboard)
	b := s.browser(t)
	b.Do(chromedp.Navigate(s.url() + "/wp-login.php"))
	// WordPress puts the cursor there some time after it has drawn the page, even while a password is typed.
	b.Until(`document.activeElement.id === "user_login"`)
	b.Type("#user_login", user)
	b.Type("#user_pass", password)
	b.Click("#wp-submit")
	b.Until(`location.pathname.startsWith("/wp-admin")`)
	b.Do(chromedp.Navigate(fmt.Sprintf("%s/wp-admin/admin.php?page=wc-orders&s=%s", s.url(), email)))
	b.Until(`document.querySelector("table.wp-list-table tbody a.order-view") !== null && document.body.textContent.includes("Lovelace")`)
	s.picture(b, s.slug+"-orders")
}
