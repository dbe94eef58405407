package engine_test

import (
	"os"
	"strings"
	"testing"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

const (
	firstOwner  = "mara+shop@example.com"
	secondOwner = "noor@example.org"
	noOwner     = "admin@shop.localhost" // of the credentials
)

// addresses are all that the shop holds of its owner, one a line.
func (s site) addresses(t *testing.T) string {
	t.Helper()
	var all []string
	for _, file := range []string{
		"options/admin_email", "options/woocommerce_email_from_address", "options/woocommerce_stock_email_recipient",
		"options/woocommerce_new_order_settings", "options/woocommerce_failed_order_settings", "users.json",
	} {
		text, err := os.ReadFile(s.path(file))
		if err == nil {
			all = append(all, string(text))
		} else if !strings.HasSuffix(file, "_settings") {
			t.Fatal(err)
		}
	}
	return strings.Join(all, "\n")
}

// belongsTo runs the setup of a shop with that owner; of none when the address is empty.
func (s site) belongsTo(t *testing.T, email string) {
	t.Helper()
	if output, err := s.run(t, "SHOP_EMAIL="+email); err != nil {
		t.Fatalf("with %q: %v: %s", email, err, output)
	}
}

// A shop writes to its owner, and to another one from then on.
func TestShopWritesToItsOwner(t *testing.T) {
	t.Parallel()
	for _, owners := range [][]string{{firstOwner, secondOwner, firstOwner, ""}, {"", firstOwner}, {"", ""}} {
		s, want := newSite(t, unchanged), noOwner
		for _, email := range owners {
			if email != "" { // nothing replaces an address
				want = email
			}
			s.belongsTo(t, email)
			if got := s.addresses(t); strings.Count(got, want) != 4 || strings.Count(got, "@") != 4 {
				t.Errorf("owners %q: with %q the shop has\n%s", owners, email, got)
			}
		}
	}
}

// What the merchant has set is not what was written last, and stays.
func TestAnotherOwnerReplacesNoChoiceOfTheMerchant(t *testing.T) {
	t.Parallel()
	const mine = "orders@example.net"
	files := map[string]string{
		"options/admin_email": mine, "options/woocommerce_email_from_address": mine, "options/woocommerce_stock_email_recipient": mine,
		"options/woocommerce_new_order_settings": `{"enabled":"yes","recipient":"` + mine + `"}`, "users.json": `{"1":{"login":"admin","email":"` + mine + `"}}`,
	}
	for file, text := range files {
		s := newSite(t, unchanged)
		s.belongsTo(t, firstOwner)
		s.write(t, file, text)
		s.write(t, "options/woocommerce_failed_order_settings", `{"enabled":"no","recipient":"`+firstOwner+`"}`)
		s.belongsTo(t, secondOwner)
		if got := s.read(t, file); got != text {
			t.Errorf("%s of the merchant is now %s", file, got)
		}
		want := 5
		if strings.HasSuffix(file, "new_order_settings") {
			want = 6
		}
		if got := s.addresses(t); strings.Count(got, secondOwner) != want-1 || strings.Count(got, "@") != want || !strings.Contains(got, `"enabled":"no"`) {
			t.Errorf("with the merchant's %s the shop has\n%s", file, got)
		}
	}
}

// An address that a customer has signed up with is no reason to fail: that user keeps it, and the
// owner's user gets the next one.
func TestOwnerWhoIsACustomerAlready(t *testing.T) {
	t.Parallel()
	s := newSite(t, unchanged)
	s.belongsTo(t, firstOwner)
	s.write(t, "users.json", `{"1":{"login":"admin","email":"`+firstOwner+`"},"2":{"login":"noor","email":"`+secondOwner+`"}}`)
	s.belongsTo(t, secondOwner)
	if got := s.addresses(t); strings.Count(got, secondOwner) != 4 || !strings.Contains(got, `"login":"admin","email":"`+firstOwner) {
		t.Errorf("the shop has\n%s", got)
	}
	for _, email := range []string{firstOwner, secondOwner, "ona@example.net"} {
		s.belongsTo(t, email)
	}
	if got := s.read(t, "users.json"); got != `{"1":{"login":"admin","email":"ona@example.net"},"2":{"login":"noor","email":"`+secondOwner+`"}}` {
		t.Errorf("the users are %s", got)
	}
}

// The address is a value of charts that write to the owner, and makes the setup another job.
func TestOwnersAddressIsAValue(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, email := range []string{"", firstOwner, secondOwner} {
		spec := enginetest.Spec("local")
		spec.OwnerEmail = email
		job, got := setupJob(t, enginetest.Objects(t, enginetest.Request(t, engine.WooCommerce{}, spec))), ""
		for _, env := range job.Spec.Template.Spec.Containers[0].Env {
			if env.Name == "SHOP_EMAIL" {
				got = env.Value
			}
		}
		if names[job.Name] = true; got != email {
			t.Errorf("the setup is told of %q, want %q", got, email)
		}
		enginetest.Objects(t, enginetest.Request(t, engine.Medusa{}, spec)) // which has no such value
	}
	if len(names) != 3 {
		t.Errorf("the jobs are %v", names)
	}
}

// Medusa's owner signs in with the address; WooCommerce's with a name.
func TestOwnersSignInName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		engine      engine.Engine
		email, want string
	}{
		{engine.Medusa{}, firstOwner, firstOwner}, {engine.Medusa{}, "", noOwner}, {engine.WooCommerce{}, firstOwner, "admin"},
	} {
		credentials, err := c.engine.Credentials("shop.localhost", c.email)
		if err != nil {
			t.Fatal(err)
		}
		if name, _ := c.engine.Login(credentials); name != c.want {
			t.Errorf("%s: the owner %q signs in as %q, want %q", c.engine.Name(), c.email, name, c.want)
		}
	}
}
