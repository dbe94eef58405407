package provisioner_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// mistaken is an engine whose chart has an object that no API server takes.
type mistaken struct{ engine.WooCommerce }

// Chart implements engine.Engine.
func (mistaken) Chart() fs.FS {
	const ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: mistaken}\nspec: {rules: [{host: not a host}]}\n"
	return fstest.MapFS{
		"Chart.yaml":             {Data: []byte("apiVersion: v2\nname: mistaken\nversion: 1.0.0\n")},
		"templates/ingress.yaml": {Data: []byte(ingress)},
	}
}

func TestRefusedChartFailsWithHelmsLastLines(t *testing.T) {
	t.Parallel()
	p := start(t, func(c *provisioner.Config) { c.Engines = engine.NewRegistry(mistaken{}) })
	st := p.untilStatus(t, p.request(t, "Mistaken").ID, store.Failed)
	if st.Job.Failure.Step != store.StepRelease || !strings.Contains(phrase.Failure(st.Job.Failure).Cause, "Ingress") {
		t.Errorf("failed with %+v", st.Job.Failure)
	}
	if !slices.Contains(st.Job.Failure.HelmLog, "creating 1 resource(s)") {
		t.Errorf("Helm’s last lines are %q", st.Job.Failure.HelmLog)
	}
}
