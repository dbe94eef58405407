//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"shopwright.dev/shopwright/views/browsertest"
)

// firstOwner is the address with which stores are created.
const firstOwner = "owner@example.com"

// setOwner types the owner's address into a form, in place of what is there.
func setOwner(b *browsertest.Browser, form, email string) {
	browsertest.Evaluate[string](b, fmt.Sprintf(`document.querySelector("%s input[name=owner_email]").value = %q`, form, email))
}

// changeOwner has the shop of somebody else from now on.
func (s *store) changeOwner(t *testing.T, b *browsertest.Browser, email string) {
	t.Helper()
	b.Visit(platformURL + s.page + "/settings")
	setOwner(b, "#main", email)
	s.press(t, b, `form[action$="/owner"] button`, "given to "+email)
	s.mustWriteTo(t, email)
}

// mustWriteTo wants WooCommerce to write to the address about orders, and its customers' replies to
// go there.
func (s *store) mustWriteTo(t *testing.T, email string) {
	t.Helper()
	said := s.php(t, `$mails = WC()->mailer()->get_emails();
		echo json_encode([$mails["WC_Email_New_Order"]->get_recipient(), $mails["WC_Email_Customer_Processing_Order"]->get_headers()]);`)
	var mail []string
	if err := json.Unmarshal([]byte(said), &mail); err != nil || len(mail) != 2 {
		t.Fatalf("%v: %s", err, said)
	}
	if mail[0] != email || !strings.Contains(mail[1], email) {
		t.Errorf("orders are told to %s, and customers get mail with\n%s", mail[0], mail[1])
	}
}
