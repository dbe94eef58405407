package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// A setting that a recipe or the chart names and the program does not know would do nothing.
func TestRecipesNameSettingsThatThereAre(t *testing.T) {
	t.Parallel()
	_, printed := call(t, nil, "config")
	var known []string
	for line := range strings.Lines(printed) {
		name, _, _ := strings.Cut(line, "=")
		known = append(known, name)
	}
	known = append(known, "SHOPWRIGHT_IMAGE") // of the compose file itself
	named := regexp.MustCompile(`SHOPWRIGHT_[A-Z_]*[A-Z]`)
	recipes(t, func(path string, text []byte) {
		for _, name := range named.FindAllString(string(text), -1) {
			if !slices.Contains(known, name) {
				t.Errorf("%s: there is no setting %s", path, name)
			}
		}
	}, "../../deploy/kind", "../../deploy/k3d", "../../deploy/k3s", "../../deploy/systemd", "../../deploy/compose", "../../charts/platform")
}

func TestRecipesAreYAML(t *testing.T) {
	t.Parallel()
	recipes(t, func(path string, text []byte) {
		var parsed map[string]any
		if err := yaml.UnmarshalStrict(text, &parsed); filepath.Ext(path) == ".yaml" && err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}, "../../deploy/kind", "../../deploy/k3s", "../../deploy/compose")
}

func recipes(t *testing.T, check func(path string, text []byte), folders ...string) {
	t.Helper()
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			check(path, text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
