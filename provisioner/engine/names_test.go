package engine_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shopwright.dev/shopwright/provisioner/engine"
)

// This package and the charts name the engines. Whatever else did would have to be changed
// for another one.
func TestNothingElseNamesAnEngine(t *testing.T) {
	t.Parallel()
	root, read := filepath.Join("..", ".."), 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && name != "." || entry.Name() == "node_modules" || name == "charts" || name == "provisioner/engine"):
			return fs.SkipDir
		case entry.IsDir() || strings.HasSuffix(name, "_test.go") || !strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, ".templ"):
			return nil
		}
		read++
		wantNoEngine(t, path)
		return nil
	})
	if err != nil || read < 100 {
		t.Errorf("read %d files, %v", read, err)
	}
}

func wantNoEngine(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range engine.Offered().All() {
		if strings.Contains(strings.ToLower(string(text)), strings.ToLower(e.Name())) {
			t.Errorf("%s names %s", path, e.Label())
		}
	}
}
