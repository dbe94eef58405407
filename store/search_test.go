package store_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSearchesAreOfFoldedColumns reads the statements: a search of another column would know the
// case of ASCII only.
func TestSearchesAreOfFoldedColumns(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	searched := regexp.MustCompile(`([a-z.]+) LIKE \$`)
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range searched.FindAllStringSubmatch(string(text), -1) {
			found++
			switch column := strings.TrimLeft(match[1], "ut."); column {
			case "search", "who", "what", "kind":
			default:
				t.Errorf("%s searches %s", name, column)
			}
		}
	}
	if found < 5 {
		t.Errorf("%d searches only were found", found)
	}
}
