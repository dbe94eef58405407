package main

import (
	"embed"
	"io/fs"

	"shopwright.dev/shopwright/provisioner/engine"
)

//go:embed all:chart
var embedded embed.FS

// neutral is an engine with as little in it as a store can have, so that what is measured
// is the platform and not a shop.
type neutral struct{}

// Name implements engine.Engine.
func (neutral) Name() string { return "neutral" }

// Label implements engine.Engine.
func (neutral) Label() string { return "Neutral" }

// Letter implements engine.Engine.
func (neutral) Letter() string { return "N" }

// Description implements engine.Engine.
func (neutral) Description() string { return "One web server, and a job that fills it." }

// Chart implements engine.Engine.
func (neutral) Chart() fs.FS {
	chart, err := fs.Sub(embedded, "chart")
	if err != nil {
		panic(err) // only for an invalid path, and ours is a constant
	}
	return chart
}

// Templates implements engine.Engine.
func (neutral) Templates() ([]engine.Template, error) {
	return []engine.Template{{Name: "blank", Label: "Blank", Description: "As the chart has it."}}, nil
}

// Credentials implements engine.Engine.
func (neutral) Credentials(string, string) (map[string][]byte, error) {
	return map[string][]byte{"admin-username": []byte("admin"), "admin-password": []byte("measured-not-used")}, nil
}

// Owner implements engine.Engine.
func (neutral) Owner() engine.OwnerUse { return engine.OwnerUse{} }

// Login implements engine.Engine.
func (neutral) Login(credentials map[string][]byte) (username, password string) {
	return string(credentials["admin-username"]), string(credentials["admin-password"])
}

// Values implements engine.Engine.
func (neutral) Values(s engine.Spec) (map[string]any, error) {
	return map[string]any{
		"store":       map[string]any{"id": s.StoreID, "name": s.Name},
		"host":        s.Host,
		"credentials": map[string]any{"existingSecret": s.SecretName},
	}, nil
}

// Off implements engine.Engine.
func (neutral) Off(engine.Spec) []string { return nil }

// Version implements engine.Engine.
func (neutral) Version(map[string]any) string { return "" }

// Opens implements engine.Engine.
func (neutral) Opens(string, string) bool { return true }

// Advisories implements engine.Engine.
func (neutral) Advisories(string) []engine.Advisory { return nil }

// AdminURL implements engine.Engine.
func (neutral) AdminURL(storeURL string) string { return storeURL + "/admin" }
