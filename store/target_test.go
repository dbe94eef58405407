package store_test

import (
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
)

func goodTarget() store.Target {
	return store.Target{
		Name: " Off  site ", Endpoint: "https://s3.example.com/ ", Bucket: "shops", Prefix: "/a/b/", Region: "eu-central-1", KeyID: "AKIA", Secret: "secret\n",
	}
}

func TestTargetIsKeptInItsUsualSpelling(t *testing.T) {
	t.Parallel()
	got, err := goodTarget().Validate()
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "Off site" || got.Address() != "https://s3.example.com/shops/a/b" || got.Secret != "secret" || got.Listed().Secret != "" {
		t.Errorf("it is kept as %+v", got)
	}
	if again, err := got.Validate(); err != nil || again != got {
		t.Errorf("kept once more it is %+v, %v", again, err)
	}
	repository := store.Repository{Target: got, StoreID: "store", Name: "store"}
	if repository.URL() != "s3:https://s3.example.com/shops/a/b/store" {
		t.Errorf("the repository is at %s", repository.URL())
	}
}

// Bundles of certificates have comments, in which a database may find what is no text.
func TestOnlyCertificatesAreKept(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	target := goodTarget()
	target.CA = "# ours\x00\n" + certificate + "\n# another\xff\n" + certificate
	got, err := target.Validate()
	if err != nil || got.CA != strings.TrimSpace(certificate+certificate) {
		t.Errorf("kept are %q, %v", got.CA, err)
	}
	if again, err := got.Validate(); err != nil || again != got {
		t.Errorf("kept once more they are %q, %v", again.CA, err)
	}
}

func TestTargetIsRefusedAtItsField(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		field  string
		change func(*store.Target)
	}{
		"no name":                    {"name", func(t *store.Target) { t.Name = " " }},
		"a long name":                {"name", func(t *store.Target) { t.Name = strings.Repeat("n", 41) }},
		"no scheme":                  {"endpoint", func(t *store.Target) { t.Endpoint = "s3.example.com" }},
		"another scheme":             {"endpoint", func(t *store.Target) { t.Endpoint = "ftp://s3.example.com" }},
		"a path":                     {"endpoint", func(t *store.Target) { t.Endpoint = "https://s3.example.com/shops" }},
		"a password in the endpoint": {"endpoint", func(t *store.Target) { t.Endpoint = "https://a:b@s3.example.com" }},
		"a line break":               {"endpoint", func(t *store.Target) { t.Endpoint = "https://s3.example.com\nx" }},
		"no bucket":                  {"bucket", func(t *store.Target) { t.Bucket = "" }},
		"capitals in the bucket":     {"bucket", func(t *store.Target) { t.Bucket = "Shops" }},
		"a way out of the prefix":    {"prefix", func(t *store.Target) { t.Prefix = "a/../../b" }},
		"an empty part":              {"prefix", func(t *store.Target) { t.Prefix = "a//b" }},
		"a space in the prefix":      {"prefix", func(t *store.Target) { t.Prefix = "a b" }},
		"a region of two words":      {"region", func(t *store.Target) { t.Region = "eu west" }},
		"no certificate":             {"ca", func(t *store.Target) { t.CA = "certificate" }},
		"a private key":              {"ca", func(t *store.Target) { t.CA = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----" }},
		"no key":                     {"key_id", func(t *store.Target) { t.KeyID = "" }},
		"a setting in the key":       {"key_id", func(t *store.Target) { t.KeyID = "a\nregion=b" }},
		"no secret":                  {"secret", func(t *store.Target) { t.Secret = "" }},
		"a setting in the secret":    {"secret", func(t *store.Target) { t.Secret = "a\nregion=b" }},
	} {
		target := goodTarget()
		c.change(&target)
		_, err := target.Validate()
		if refused, ok := errors.AsType[*store.Error](err); !ok || refused.Field != c.field {
			t.Errorf("%s is answered with %v, want it at %s", name, err, c.field)
		}
	}
}
