package engine_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"shopwright.dev/shopwright/provisioner/engine"
)

// Whoever installs a chart by hand finds every value in its README.
func TestREADMEsNameEveryValue(t *testing.T) {
	t.Parallel()
	for _, e := range engine.Offered().All() {
		var values map[string]any
		text, err := os.ReadFile("../../charts/" + e.Name() + "/values.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, &values); err != nil {
			t.Fatal(err)
		}
		readme, err := os.ReadFile("../../charts/" + e.Name() + "/README.md")
		if err != nil {
			t.Fatal(err)
		}
		_, table, _ := strings.Cut(string(readme), "## Values")
		told := map[string]bool{}
		for line := range strings.Lines(table) {
			prefix := ""
			cells := strings.Split(line, "|")
			if len(cells) < 2 {
				continue
			}
			for _, name := range regexp.MustCompile("`([a-zA-Z.]+)`").FindAllStringSubmatch(cells[1], -1) {
				full := name[1]
				if strings.HasPrefix(full, ".") { // the rest of the one before it
					full = prefix + full
				}
				told[full] = true
				prefix = full[:max(strings.LastIndex(full, "."), 0)]
			}
		}
		for _, name := range leaves("", values) {
			if !isTold(told, name) {
				t.Errorf("charts/%s/README.md does not tell of %s", e.Name(), name)
			}
		}
	}
}

// isTold reports whether the value, or a block that it is in, is told of.
func isTold(told map[string]bool, name string) bool {
	for name != "" {
		if told[name] {
			return true
		}
		name = name[:max(strings.LastIndex(name, "."), 0)]
	}
	return false
}

func leaves(prefix string, values map[string]any) (names []string) {
	for key, value := range values {
		name := strings.TrimPrefix(prefix+"."+key, ".")
		if inner, ok := value.(map[string]any); ok && len(inner) > 0 {
			names = append(names, leaves(name, inner)...)
			continue
		}
		names = append(names, name)
	}
	return names
}

// The image with the plugin in it, the chart and what people are told to name are of one version.
func TestVersionsOfWooCommerceAgree(t *testing.T) {
	t.Parallel()
	find := func(path, pattern string) string {
		text, err := os.ReadFile("../../" + path)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindStringSubmatch(string(text))
		if found == nil {
			t.Fatalf("%s has no %s", path, pattern)
		}
		return found[1]
	}
	want := find("charts/woocommerce/values.yaml", `(?m)^woocommerceVersion: (\S+)$`)
	for path, pattern := range map[string]string{
		"deploy/images/woocommerce/Dockerfile": `(?m)^ARG WOOCOMMERCE=(\S+)$`,
		"deploy/images/README.md":              `shopwright/woocommerce, tag: (\S+)-1}`,
	} {
		if got := find(path, pattern); got != want {
			t.Errorf("%s has %s, the chart %s", path, got, want)
		}
	}
	wordpress := find("charts/woocommerce/values.yaml", `(?s)repository: library/wordpress\n    tag: (\S+)`)
	if got := find("deploy/images/woocommerce/Dockerfile", `(?m)^FROM wordpress:(\S+)$`); got != wordpress {
		t.Errorf("the image is made from wordpress:%s, the chart runs %s", got, wordpress)
	}
}
