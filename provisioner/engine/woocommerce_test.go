package engine_test

import (
	"testing"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/helm"
)

func render(t *testing.T, environment string) string {
	t.Helper()
	e := engine.WooCommerce{}
	values, err := e.Values(engine.Spec{
		StoreID: "0193-x", Name: "Shop: \"A\" & 'B'", Host: "shop.localhost", URL: "http://shop.localhost:8081", SecretName: "store-credentials",
		Environment: environment, TLS: engine.TLS{Mode: engine.TLSNone},
	})
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := helm.Render(helm.Request{Namespace: "store-shop", Name: "store", Chart: e.Chart(), Values: values}, "1.37.0")
	if err != nil {
		t.Fatal(err)
	}
	return manifest
}

func TestWooCommerceRenders(t *testing.T) {
	t.Parallel()
	for _, environment := range []string{"local", "production"} {
		t.Log(render(t, environment))
	}
}
