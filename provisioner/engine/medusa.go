package engine

import (
	"cmp"
	"io/fs"

	"shopwright.dev/shopwright/charts"
)

// Medusa is Medusa with a storefront of our own, on PostgreSQL and Valkey.
type Medusa struct{}

// Name implements Engine.
func (Medusa) Name() string { return "medusa" }

// Label implements Engine.
func (Medusa) Label() string { return "Medusa" }

// Letter implements Engine.
func (Medusa) Letter() string { return "M" }

// Description implements Engine.
func (Medusa) Description() string {
	return "An API-first shop for developers who build their own storefront."
}

// Chart implements Engine.
func (Medusa) Chart() fs.FS { return charts.Medusa() }

// Templates implements Engine.
func (e Medusa) Templates() ([]Template, error) { return ReadTemplates(charts.Shops(), e.Name()) }

// Credentials implements Engine. Medusa knows the owner by the mail address, and cannot change it.
func (Medusa) Credentials(host, ownerEmail string) (map[string][]byte, error) {
	data := map[string][]byte{
		"admin-email": []byte(cmp.Or(ownerEmail, "admin@"+host)),
		// Not a secret: every page of a shop that is built for browsers holds it.
		"publishable-key": []byte("pk_" + password()),
	}
	for _, key := range []string{"admin-password", "database-password", "cache-password", "jwt-secret", "cookie-secret"} {
		data[key] = []byte(password())
	}
	return data, nil
}

// Owner implements Engine.
func (Medusa) Owner() OwnerUse {
	return OwnerUse{Text: "Contact address only. Medusa can’t change the first admin’s sign-in address. Invite the new owner in the shop’s admin under Settings, Users."}
}

// Login implements Engine.
func (Medusa) Login(credentials map[string][]byte) (username, password string) {
	return string(credentials["admin-email"]), string(credentials["admin-password"])
}

// Values implements Engine.
func (e Medusa) Values(s Spec) (map[string]any, error) { return ReleaseValues(e, s) }

// Off implements Engine.
func (Medusa) Off(Spec) []string {
	return []string{
		"Order mail is off: Medusa doesn’t send any by default. " +
			"A developer can add a notification provider to its image, as deploy/images/README.md says.",
	}
}

// AdminURL implements Engine.
func (Medusa) AdminURL(storeURL string) string { return storeURL + "/app" }
