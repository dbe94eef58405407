package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
)

// Advisory is a hole in versions of a shop's program that is known in public.
type Advisory struct {
	ID        string    // under which it is known, such as CVE-2025-15033
	Published time.Time // the day
	Versions  string    // that have it, as a constraint, such as >= 8.1, < 10.4.3
	Text      string    // one sentence: what somebody can do
}

// advisoriesOf are those that the version has. Where it is none, nothing is known of it.
func advisoriesOf(version string, all ...Advisory) []Advisory {
	v, err := semver.NewVersion(version)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(all, func(a Advisory) bool {
		versions, err := semver.NewConstraint(a.Versions)
		return err != nil || !versions.Check(v)
	})
}

// Advisories implements Engine, as they were known on 29 November 2026. A fixed version that an older line got later
// is told as having the hole, too.
func (WooCommerce) Advisories(version string) []Advisory {
	return advisoriesOf(version, Advisory{
		ID: "CVE-2025-15033", Published: time.Date(2025, time.December, 22, 0, 0, 0, 0, time.UTC), Versions: ">= 8.1, < 10.4.3",
		Text: "A customer with an account can read guest orders, including names, addresses and phone numbers.",
	})
}

// Version implements Engine. An image with the plugin in it bears the plugin's version.
func (WooCommerce) Version(values map[string]any) string {
	images, _ := values["images"].(map[string]any)
	wordpress, _ := images["wordpress"].(map[string]any)
	repository, _ := wordpress["repository"].(string)
	tag, _ := wordpress["tag"].(string)
	if strings.HasSuffix(repository, "woocommerce") {
		version, _, _ := strings.Cut(tag, "-")
		return version
	}
	version, _ := values["woocommerceVersion"].(string)
	return version
}

// Opens implements Engine. The plugin's version comes along with the data; that of WordPress is compared by the chart.
func (WooCommerce) Opens(string, string) bool { return true }

// Advisories implements Engine: none is known of versions that were offered.
func (Medusa) Advisories(string) []Advisory { return nil }

// Version implements Engine: the tag of our image is Medusa’s version.
func (Medusa) Version(values map[string]any) string {
	images, _ := values["images"].(map[string]any)
	medusa, _ := images["medusa"].(map[string]any)
	tag, _ := medusa["tag"].(string)
	return tag
}

// Opens implements Engine: Medusa migrates a database forwards only. What follows the version in the tag is the image's.
func (Medusa) Opens(made, here string) bool {
	before, errMade := semver.NewVersion(strings.SplitN(made, "-", 2)[0])
	now, errHere := semver.NewVersion(strings.SplitN(here, "-", 2)[0])
	return errMade != nil || errHere != nil || !before.GreaterThan(now)
}
