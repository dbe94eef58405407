package enginetest

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/helm"
)

// Combination is one way in which an installation may have its stores.
type Combination struct {
	Name   string
	Engine engine.Engine
	Spec   engine.Spec
}

// Combinations are all ways that differ in what the charts decide on: environment,
// certificates and classes. Half of them have a mail server.
func Combinations() (all []Combination) {
	for _, e := range engine.Offered().All() {
		for _, environment := range Environments() {
			for _, tls := range certificates() {
				for _, ingress := range []string{"", "traefik"} {
					for _, storage := range []string{"", "fast"} {
						spec := Spec(environment)
						spec.TLS, spec.IngressClass, spec.StorageClass = tls, ingress, storage
						if storage != "" { // with which it has nothing to do
							spec.SMTP = engine.SMTP{SecretName: "smtp", Port: 465, CIDR: "10.0.3.0/24"}
						}
						name := []string{e.Name(), environment, string(tls.Mode), cmp.Or(ingress, "any ingress"), cmp.Or(storage, "any storage")}
						all = append(all, Combination{Name: strings.Join(name, "/"), Engine: e, Spec: spec})
					}
				}
			}
		}
	}
	return all
}

func certificates() []engine.TLS {
	return []engine.TLS{
		{Mode: engine.TLSNone},
		{Mode: engine.TLSSecret, SecretName: "wildcard-tls"},
		{Mode: engine.TLSCertManager, Issuer: "letsencrypt"},
		{Mode: engine.TLSExternal},
	}
}

// Lint checks the chart with these values as `helm lint --strict` does: nothing may be worse
// than a remark.
func Lint(t testing.TB, request helm.Request) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), request.Name)
	if err := os.CopyFS(folder, request.Chart); err != nil {
		t.Fatal(err)
	}
	version, err := chartutil.ParseKubeVersion(KubeVersion)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range lint.AllWithKubeVersion(folder, request.Values, request.Namespace, version).Messages {
		if m.Severity > support.InfoSev {
			t.Errorf("lint: %s", m)
		}
	}
}
