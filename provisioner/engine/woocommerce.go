package engine

import (
	"io/fs"

	"shopwright.dev/shopwright/charts"
)

// WooCommerce is WordPress with the WooCommerce plugin, on MariaDB.
type WooCommerce struct{}

// Name implements Engine.
func (WooCommerce) Name() string { return "woocommerce" }

// Label implements Engine.
func (WooCommerce) Label() string { return "WooCommerce" }

// Letter implements Engine.
func (WooCommerce) Letter() string { return "W" }

// Description implements Engine.
func (WooCommerce) Description() string {
	return "WordPress with a shop: pages, themes and plugins for everything."
}

// Chart implements Engine.
func (WooCommerce) Chart() fs.FS { return charts.WooCommerce() }

// Templates implements Engine.
func (e WooCommerce) Templates() ([]Template, error) { return ReadTemplates(charts.Shops(), e.Name()) }

// Credentials implements Engine. The owner's address is a value of the release, as it may change:
// the one here is that of a shop whose owner has none.
func (WooCommerce) Credentials(host, _ string) (map[string][]byte, error) {
	data := map[string][]byte{
		"admin-username": []byte("admin"),
		"admin-email":    []byte("admin@" + host),
	}
	for _, key := range []string{
		"admin-password", "database-password", "database-root-password", "rest-key", "rest-secret",
		"auth-key", "secure-auth-key", "logged-in-key", "nonce-key",
		"auth-salt", "secure-auth-salt", "logged-in-salt", "nonce-salt",
	} {
		data[key] = []byte(password())
	}
	return data, nil
}

// Owner implements Engine.
func (WooCommerce) Owner() OwnerUse {
	return OwnerUse{InShop: true, Text: "Receives mail about orders and stock, and customers’ replies. Addresses set in the shop itself stay."}
}

// Login implements Engine.
func (WooCommerce) Login(credentials map[string][]byte) (username, password string) {
	return string(credentials["admin-username"]), string(credentials["admin-password"])
}

// Values implements Engine.
func (e WooCommerce) Values(s Spec) (map[string]any, error) { return ReleaseValues(e, s) }

// Off implements Engine.
func (e WooCommerce) Off(s Spec) []string {
	if values, err := e.Values(s); err != nil || sendsMail(values) {
		return nil
	}
	return []string{
		"Order mail is off: this installation has no mail server for shops. " +
			"An administrator can set SHOPWRIGHT_STORE_SMTP_SECRET. Until then, a plugin in the shop can send it.",
	}
}

// AdminURL implements Engine.
func (WooCommerce) AdminURL(storeURL string) string { return storeURL + "/wp-admin/" }
