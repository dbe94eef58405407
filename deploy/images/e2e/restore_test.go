//go:build e2e

package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMedusaIsRestored opens a shop with the data of another one: its owner signs in, its storefront sells.
func TestMedusaIsRestored(t *testing.T) {
	from := open(t, "demo")
	if said, _, err := from.setup(t); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	from.execute(t, `INSERT INTO image (id, url, product_id) SELECT 'img_1', '`+from.url+`/static/tea.jpg', id FROM product LIMIT 1`)
	// The merchant has chosen another channel for the storefront.
	from.execute(t, `INSERT INTO sales_channel (id, name) VALUES ('sc_other', 'Other'); INSERT INTO product_sales_channel (id, product_id, sales_channel_id) SELECT 'prodsc_' || id, id, 'sc_other' FROM product;
		INSERT INTO sales_channel_stock_location (id, sales_channel_id, stock_location_id) SELECT 'scloc_1', 'sc_other', id FROM stock_location;
		UPDATE publishable_api_key_sales_channel SET sales_channel_id = 'sc_other' WHERE publishable_key_id IN (SELECT id FROM api_key WHERE title = 'Storefront')`)
	s := open(t, "blank")
	s.restoreFrom(t, from)
	if n := s.count(t, `SELECT count(*) FROM shopwright_setup WHERE name <> 'restored'`); n != 0 {
		t.Errorf("the setup of the other shop has left %d marks", n)
	}
	said, _, err := s.setup(t)
	if err != nil || !strings.Contains(said, "the shop was restored") {
		t.Fatalf("%v\n%s", err, said)
	}
	s.noSecretIn(t, "the setup's log", said)
	for what, want := range map[string]int{
		`SELECT count(*) FROM product WHERE status = 'published'`:                        12,
		`SELECT count(*) FROM image WHERE url = '` + s.url + `/static/tea.jpg'`:          1,
		`SELECT count(*) FROM "user"`:                                                    1, // both have the same address
		`SELECT count(*) FROM api_key WHERE title = 'Storefront' AND revoked_at IS NULL`: 2,
		`SELECT count(*) FROM shopwright_setup WHERE name IN ('sells', 'migrated')`:      2,
		`SELECT count(*) FROM shopwright_setup WHERE name = 'restored'`:                  0,
		`SELECT count(*) FROM publishable_api_key_sales_channel l JOIN api_key k ON k.id = publishable_key_id WHERE title = 'Storefront' AND sales_channel_id = 'sc_other'`: 2,
	} {
		if got := s.count(t, what); got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	s.startServers(t)
	if r, line := s.check(t); !r.OK || !r.Placed {
		t.Errorf("the order check: %s", line)
	}
	// Owners that the other shop doesn't know, or knows as a customer.
	s.execute(t, `INSERT INTO auth_identity (id, app_metadata) VALUES ('authid_1', '{"customer_id": "cus_1"}')`)
	s.execute(t, `INSERT INTO provider_identity (id, entity_id, provider, auth_identity_id, provider_metadata) VALUES ('provid_1', 'customer@example.com', 'emailpass', 'authid_1', '{"password": "x"}')`)
	for i, owner := range []string{"new@example.com", "customer@example.com"} {
		s.secrets["admin-email"] = []byte(owner)
		s.write(t, filepath.Join("credentials", "admin-email"), owner)
		s.addresses(t, from)
		for range 2 {
			if said, _, err := s.setup(t); err != nil {
				t.Fatalf("%s: %v\n%s", owner, err, said)
			}
		}
		if r, line := s.check(t); !r.OK || s.count(t, `SELECT count(*) FROM "user"`) != i+2 {
			t.Errorf("%s: the order check: %s", owner, line)
		}
	}
	if s.count(t, `SELECT count(*) FROM auth_identity WHERE id = 'authid_1' AND app_metadata ? 'user_id' AND app_metadata ? 'customer_id'`) != 1 {
		t.Error("the owner is no customer any more")
	}
}

// restoreFrom loads the other shop's database as the chart's restore does.
func (s *shop) restoreFrom(t *testing.T, from *shop) {
	t.Helper()
	dump := exec.CommandContext(t.Context(), "pg_dump", "--format=custom", "--compress=0", "--no-privileges",
		fmt.Sprintf("--dbname=postgres://medusa:%s@%s/medusa", from.secrets["database-password"], from.at["database:5432"]))
	dump.Env = []string{"PATH=" + postgres(t) + ":" + os.Getenv("PATH")}
	data, err := dump.Output()
	if err != nil {
		t.Fatal(err)
	}
	s.script(t, from, "load.sh", string(data))
	s.addresses(t, from)
}

func (s *shop) addresses(t *testing.T, from *shop) {
	t.Helper()
	s.write(t, "addresses.sql", s.config(t, "addresses.sql"))
	s.script(t, from, "addresses.sh", "")
}

// script runs one of the restore's.
func (s *shop) script(t *testing.T, from *shop, name, input string) {
	t.Helper()
	host, port, _ := strings.Cut(s.at["database:5432"], ":")
	s.write(t, "old-url", from.url)
	cmd := exec.CommandContext(t.Context(), "sh", s.write(t, name, s.config(t, name)))
	cmd.Stdin = strings.NewReader(input)
	cmd.Env = []string{
		"PATH=" + postgres(t) + ":" + os.Getenv("PATH"), "CREDENTIALS=" + filepath.Join(s.dir, "credentials"), "TARGET=" + s.dir, "SQL=" + filepath.Join(s.dir, "addresses.sql"),
		"DATABASE_HOST=" + host, "DATABASE_PORT=" + port, "PATIENCE=60", "SHOP_URL=" + s.url,
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}
