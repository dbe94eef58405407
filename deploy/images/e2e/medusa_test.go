//go:build e2e

// Package e2e_test runs what is in the shops' images as plain processes on this machine, with
// the environment that the charts give them, and buys something.
package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"

	"shopwright.dev/shopwright/views/browsertest"
)

// TestMedusa is one shop's life: each part goes on with what the one before has left.
func TestMedusa(t *testing.T) {
	s := open(t, "blank")
	_ = t.Run("killed while it is set up", s.testKilledSetup) &&
		t.Run("set up", s.testSetup) &&
		t.Run("served", s.testServed)
	for _, name := range []string{"medusa", "storefront", "setup", "postgres", "cache"} {
		s.noSecretIn(t, name+"'s log", s.said(t, name))
	}
}

// TestMedusaWithDemoCatalogue opens a shop that has something to look around in.
func TestMedusaWithDemoCatalogue(t *testing.T) {
	s := open(t, "demo")
	said, took, err := s.setup(t)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	t.Logf("set up in %s", took.Round(100*time.Millisecond))
	for what, want := range map[string]int{
		`SELECT count(*) FROM product WHERE status = 'published'`:                                            12,
		`SELECT count(*) FROM product_variant v JOIN product_variant_price_set p ON p.variant_id = v.id`:     12,
		`SELECT count(*) FROM product_category WHERE is_active`:                                              4,
		`SELECT count(*) FROM product_category_product`:                                                      12,
		`SELECT sum(stocked_quantity)::int FROM inventory_level`:                                             483,
		`SELECT count(*) FROM price WHERE currency_code = 'eur' AND amount = 18.5`:                           1,
		`SELECT count(*) FROM product WHERE handle = 'mug-enamel' AND description LIKE 'Steel with white %'`: 1,
	} {
		if got := s.count(t, what); got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	s.startServers(t)
	if r, line := s.check(t); !r.OK || !r.Placed {
		t.Errorf("the order check: %s", line)
	}
	b := browsertest.Open(t)
	for _, mode := range browsertest.Modes() {
		b.Use(mode)
		b.Visit(s.url + "/")
		b.Check()
		b.Picture(filepath.Join(pictures(t), "shop-demo-"+mode.Name+".png"))
		cards := browsertest.Evaluate[[]string](b, `[...document.querySelectorAll(".products li")].map((li) => li.innerText)`)
		if all := strings.Join(cards, "\n"); len(cards) != 12 || !strings.Contains(all, "€289.00") || strings.Count(all, "Sold out") != 1 {
			t.Errorf("%s: the shop shows %q", mode.Name, cards)
		}
	}
}

func (s *shop) testServed(t *testing.T) {
	stopMedusa := s.startServers(t)
	_ = t.Run("order check", s.testCheck) &&
		t.Run("storefront", s.testStorefront) &&
		t.Run("admin", s.testAdmin) &&
		t.Run("merchant's changes", s.testMerchantsChanges) &&
		t.Run("without Medusa", func(t *testing.T) { s.testAway(t, stopMedusa) })
}

// Each of these is there in the middle of the work: the setup is killed when it appears.
func (s *shop) testKilledSetup(t *testing.T) {
	for _, appeared := range []string{
		`SELECT count(*) FROM mikro_orm_migrations`,
		`SELECT count(*) FROM "user"`,
		`SELECT count(*) FROM fulfillment_set`,
		`SELECT count(*) FROM product`,
	} {
		stop := s.start(t, s.node(t, "setup", "setup", "setup.mjs"))
		within(t, 10*time.Minute, appeared, func() bool { return s.count(t, appeared) > 0 })
		stop(syscall.SIGKILL)
		if s.count(t, `SELECT count(*) FROM shopwright_setup WHERE name = 'sells'`) != 0 {
			t.Errorf("killed at %q, it counts as done", appeared)
		}
	}
}

func (s *shop) testSetup(t *testing.T) {
	said, took, err := s.setup(t)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	t.Logf("set up in %s", took.Round(100*time.Millisecond))
	s.noSecretIn(t, "the setup's log", said)
	for what, want := range map[string]int{
		`SELECT count(*) FROM region WHERE deleted_at IS NULL`:                                                               1,
		`SELECT count(*) FROM shipping_option WHERE deleted_at IS NULL`:                                                      1,
		`SELECT count(*) FROM service_zone WHERE deleted_at IS NULL`:                                                         1,
		`SELECT count(*) FROM stock_location WHERE deleted_at IS NULL`:                                                       1,
		`SELECT count(*) FROM product WHERE deleted_at IS NULL`:                                                              1,
		`SELECT count(*) FROM "user" WHERE deleted_at IS NULL`:                                                               1,
		`SELECT count(*) FROM provider_identity WHERE deleted_at IS NULL`:                                                    1,
		`SELECT sum(stocked_quantity)::int FROM inventory_level WHERE deleted_at IS NULL`:                                    100,
		`SELECT count(*) FROM api_key WHERE type = 'publishable' AND token = '` + string(s.secrets["publishable-key"]) + `'`: 1,
		`SELECT count(*) FROM shopwright_setup WHERE name IN ('sells', 'migrated')`:                                          2,
	} {
		if got := s.count(t, what); got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	wait := exec.CommandContext(t.Context(), "timeout", "20", "node", "wait.mjs")
	wait.Dir, wait.Env = s.app, s.env(t, "wait")
	if out, err := wait.CombinedOutput(); err != nil {
		t.Errorf("Medusa's pod would wait on: %v: %s", err, out)
	}
}

// report is the termination message of the order check.
type report struct {
	OK      bool
	Placed  bool
	Order   string
	Failed  string
	Message string
	Steps   []struct {
		Name string
		MS   int
	}
}

func (s *shop) check(t *testing.T, extra ...string) (r report, line string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", s.write(t, "check.mjs", s.config(t, "check.mjs")))
	message := s.write(t, "message", "")
	cmd.Env = append(append(s.env(t, "check"), "REPORT="+message), extra...)
	out, err := cmd.CombinedOutput()
	written, _ := os.ReadFile(message)
	if jsonErr := json.Unmarshal(written, &r); jsonErr != nil || strings.TrimSpace(string(out)) != string(written) || bytes.ContainsRune(written, '\n') {
		t.Fatalf("%v: said %q, left %q", jsonErr, out, written)
	}
	if (err == nil) != r.OK {
		t.Errorf("ended with %v, says %+v", err, r)
	}
	s.noSecretIn(t, "the check's report", string(written))
	return r, string(written)
}

func (s *shop) testCheck(t *testing.T) {
	const orders, canceled = `SELECT count(*) FROM "order"`, `SELECT count(*) FROM "order" WHERE status = 'canceled'`
	if r, _ := s.check(t, "CHECK_PLACE_ORDER=false"); !r.OK || r.Placed || s.count(t, orders) != 0 {
		t.Errorf("without placing: %+v, %d orders", r, s.count(t, orders))
	}
	began := time.Now()
	r, line := s.check(t)
	t.Logf("%s: %s", time.Since(began).Round(time.Millisecond), line)
	if !r.OK || !r.Placed || r.Order == "" || s.count(t, orders) != 1 || s.count(t, canceled) != 1 {
		t.Errorf("%+v, %d orders, %d cancelled", r, s.count(t, orders), s.count(t, canceled))
	}
	s.checkIsKilled(t)
	if open := s.count(t, orders) - s.count(t, canceled); open != 1 {
		t.Errorf("a check that is killed leaves %d orders", open)
	}
	if r, line := s.check(t); !r.OK || s.count(t, orders) != 3 || s.count(t, canceled) != 3 {
		t.Errorf("after it: %s, %d orders, %d cancelled", line, s.count(t, orders), s.count(t, canceled))
	}
	if reserved := s.count(t, `SELECT coalesce(sum(reserved_quantity), 0)::int FROM inventory_level`); reserved != 0 {
		t.Errorf("%d pieces stay reserved", reserved)
	}
	const stock = `UPDATE inventory_level SET stocked_quantity = %d, raw_stocked_quantity = '{"value": "%[1]d", "precision": 20}'`
	s.execute(t, fmt.Sprintf(stock, 0))
	if r, _ := s.check(t); r.OK || r.Failed != "catalogue" || r.Message != "No product has a price and is in stock" {
		t.Errorf("with nothing in stock: %+v", r)
	}
	s.execute(t, fmt.Sprintf(stock, 100))
}

// checkIsKilled runs a check that dies once it has ordered.
func (s *shop) checkIsKilled(t *testing.T) {
	t.Helper()
	const cancelling = "await step('cancel'"
	script := strings.Replace(s.config(t, "check.mjs"), cancelling, "process.kill(process.pid, 'SIGKILL'); "+cancelling, 1)
	cmd := exec.CommandContext(t.Context(), "node", s.write(t, "killed.mjs", script))
	cmd.Env = s.env(t, "check")
	if out, err := cmd.CombinedOutput(); err == nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

func (s *shop) execute(t *testing.T, query string) {
	t.Helper()
	err := s.database(t, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, query)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// pictures is where screenshots are left for people to look at.
func pictures(t *testing.T) string {
	t.Helper()
	dir := absolute(t, filepath.Join(root, ".cache", "pictures"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// testStorefront buys as people do, without any script in the pages.
func (s *shop) testStorefront(t *testing.T) {
	b := browsertest.Open(t)
	for _, mode := range browsertest.Modes() {
		b.Use(mode)
		look := func(page string) {
			b.Check()
			b.Picture(filepath.Join(pictures(t), "shop-"+page+"-"+mode.Name+".png"))
		}
		b.Visit(s.url + "/")
		look("products")
		b.Click(".products a")
		b.WaitFor("article.product")
		look("product")
		b.Click("form[action='/cart/items'] button")
		b.WaitFor(".lines")
		look("cart")
		b.Click("a[href='/checkout']")
		b.WaitFor("#email")
		for field, text := range map[string]string{
			"email": "ada@example.com", "first_name": "Ada", "last_name": `L. <b>"'`, "address_1": "Hauptstraße 1", "postal_code": "10115", "city": "Berlin",
		} {
			b.Type("#"+field, text)
		}
		look("address")
		b.Click("form[action='/checkout'] button")
		b.WaitFor("form[action='/checkout/order'] button")
		look("review")
		if total := browsertest.Evaluate[string](b, `document.querySelector('.total dd').textContent`); total != "€15.00" {
			t.Errorf("the customer agrees to pay %s", total)
		}
		began := time.Now()
		b.Click("form[action='/checkout/order'] button")
		b.WaitFor(".done")
		t.Logf("%s: ordered in %s", mode.Name, time.Since(began).Round(time.Millisecond))
		look("thanks")
		s.wantOrder(t, b)
	}
	s.wantForgeriesRefused(t)
}

// wantOrder looks for the order of the page in the database, and that nobody else sees it.
func (s *shop) wantOrder(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	heading := browsertest.Evaluate[string](b, `document.querySelector('.done').textContent`)
	number, err := strconv.Atoi(regexp.MustCompile(`\d+`).FindString(heading))
	if err != nil {
		t.Fatalf("%q names no order", heading)
	}
	if s.count(t, `SELECT count(*) FROM "order" WHERE status = 'pending' AND email = 'ada@example.com' AND display_id = `+strconv.Itoa(number)) != 1 {
		t.Errorf("order %d is not in the database", number)
	}
	if page := browsertest.Evaluate[string](b, `location.href`); answers(page) {
		t.Errorf("anybody can read %s", page)
	}
}

func (s *shop) wantForgeriesRefused(t *testing.T) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/cart/items", strings.NewReader("variant=x&quantity=1"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "https://elsewhere.example")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("another site's form is answered with %d", answer.StatusCode)
	}
}

// testAdmin signs in as the owner, with what Shopwright shows to the owner.
func (s *shop) testAdmin(t *testing.T) {
	b := browsertest.Open(t)
	b.Use(browsertest.Modes()[0])
	b.Do(chromedp.Navigate(s.url + "/app/login"))
	b.WaitFor("input[name=email]")
	b.Type("input[name=email]", string(s.secrets["admin-email"]))
	b.Type("input[name=password]", string(s.secrets["admin-password"]))
	b.Click("button[type=submit]")
	b.Until(`location.pathname.startsWith("/app/orders")`)
	b.Until(`document.body.textContent.includes("ada@example.com")`)
	b.Picture(filepath.Join(pictures(t), "admin-orders.png"))
}

// testMerchantsChanges sets the shop up again: what its owner has changed stays.
func (s *shop) testMerchantsChanges(t *testing.T) {
	s.execute(t, `UPDATE region SET name = 'Home'`)
	s.execute(t, `UPDATE shipping_option SET name = 'By bike'`)
	s.execute(t, `UPDATE store SET name = 'Renamed'`)
	s.execute(t, `UPDATE product SET deleted_at = now()`)
	s.execute(t, `UPDATE stock_location SET name = 'Cellar'`)
	s.execute(t, `UPDATE "user" SET email = 'owner@example.com'`)
	said, took, err := s.setup(t)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	t.Logf("set up again in %s", took.Round(100*time.Millisecond))
	for what, want := range map[string]int{
		`SELECT count(*) FROM region`:                                 1,
		`SELECT count(*) FROM region WHERE name = 'Home'`:             1,
		`SELECT count(*) FROM shipping_option`:                        1,
		`SELECT count(*) FROM shipping_option WHERE name = 'By bike'`: 1,
		`SELECT count(*) FROM store WHERE name = 'Renamed'`:           1,
		`SELECT count(*) FROM product WHERE deleted_at IS NULL`:       0,
		`SELECT count(*) FROM stock_location`:                         1,
		`SELECT count(*) FROM "user"`:                                 1,
	} {
		if got := s.count(t, what); got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	if r, _ := s.check(t); r.OK || r.Failed != "catalogue" || r.Message != "The catalogue is empty" {
		t.Errorf("the check of an empty shop: %+v", r)
	}
}

// testAway takes Medusa away, as an upgrade does: the storefront stays and says so.
func (s *shop) testAway(t *testing.T, stopMedusa func(syscall.Signal)) {
	stopMedusa(syscall.SIGTERM)
	answer, err := http.Get(s.url + "/cart")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("a cart that nobody has filled needs no Medusa: %d", answer.StatusCode)
	}
	within(t, 30*time.Second, "the shop says that it is back in a moment", func() bool {
		answer, err := http.Get(s.url + "/products/unknown-" + strconv.FormatInt(time.Now().UnixNano(), 36))
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusServiceUnavailable && answer.Header.Get("Retry-After") != ""
	})
	if !answers("http://" + s.at["storefront:8000"] + "/ready") {
		t.Error("the storefront leaves its Service")
	}
	s.startMedusa(t)
	if !answers(s.url + "/") {
		t.Error("the shop does not come back")
	}
}
