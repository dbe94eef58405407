package engine_test

import (
	"testing"

	"github.com/Masterminds/semver/v3"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
	"shopwright.dev/shopwright/provisioner/helm"
)

func TestKnownHoles(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]int{"8.0.3": 0, "8.1.0": 1, "10.3.4": 1, "10.4.2": 1, "10.4.3": 0, "11.0.1": 0, "": 0, "next": 0} {
		if got := (engine.WooCommerce{}).Advisories(version); len(got) != want {
			t.Errorf("WooCommerce %s: %+v", version, got)
		}
	}
}

// What is offered has no hole that we know of, and says which version it is.
func TestOfferedVersionsHaveNoKnownHole(t *testing.T) {
	t.Parallel()
	for _, e := range engine.Offered().All() {
		values := chartDefaults(t, e)
		version := e.Version(values)
		if _, err := semver.NewVersion(version); err != nil {
			t.Errorf("%s offers the version %q: %v", e.Name(), version, err)
		}
		if holes := e.Advisories(version); len(holes) > 0 {
			t.Errorf("%s %s has %+v", e.Name(), version, holes)
		}
		for _, hole := range e.Advisories("10.3.4") {
			if _, err := semver.NewConstraint(hole.Versions); err != nil || hole.ID == "" || hole.Text == "" || hole.Published.IsZero() {
				t.Errorf("%s: %+v: %v", e.Name(), hole, err)
			}
		}
	}
}

// An image with the plugin in it bears its version, whatever the chart would install.
func TestVersionOfAnImageWithThePlugin(t *testing.T) {
	t.Parallel()
	values := map[string]any{
		"woocommerceVersion": "11.0.1",
		"images":             map[string]any{"wordpress": map[string]any{"repository": "shopwright/woocommerce", "tag": "10.3.4-1"}},
	}
	if got := (engine.WooCommerce{}).Version(values); got != "10.3.4" {
		t.Errorf("the version is %s", got)
	}
}

// chartDefaults are the values of the chart itself.
func chartDefaults(t *testing.T, e engine.Engine) map[string]any {
	t.Helper()
	described, err := helm.Describe(e.Chart(), enginetest.Request(t, e, enginetest.Spec("production")).Values)
	if err != nil {
		t.Fatal(err)
	}
	return described.Values
}

// A database is migrated forwards only. What an image is told apart by doesn't count.
func TestNewerDataAreNotOpened(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		made, here string
		want       bool
	}{
		{"2.21.2-4", "2.21.2-3", true}, {"2.21.2", "2.22.0-1", true}, {"2.22.0-1", "2.21.2-4", false}, {"2.21.10", "2.21.9", false}, {"", "2.21.2", true}, {"2.21.2", "", true}, {"latest", "2.21.2", true},
	} {
		if got := (engine.Medusa{}).Opens(c.made, c.here); got != c.want {
			t.Errorf("%s opens data of %s: %t", c.here, c.made, got)
		}
	}
}
