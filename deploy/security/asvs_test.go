// Package security_test holds the table of OWASP ASVS 5.0 against what it names.
package security_test

import (
	"encoding/csv"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// row is one requirement.
type row struct{ number, level, status, where string }

func readTable(t *testing.T) (rows []row) {
	t.Helper()
	file, err := os.Open("asvs.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records[1:] {
		rows = append(rows, row{r[0], r[1], r[2], r[3]})
	}
	return rows
}

// The requirements of levels 1 and 2 are all there, and none fails.
func TestASVSTableIsWhole(t *testing.T) {
	t.Parallel()
	chapters, levels, seen := map[string]int{}, map[string]int{}, map[string]bool{}
	for _, r := range readTable(t) {
		chapter, _, _ := strings.Cut(r.number, ".")
		chapters[chapter]++
		levels[r.level]++
		if seen[r.number] {
			t.Errorf("%s is there twice", r.number)
		}
		seen[r.number] = true
		if !slices.Contains([]string{"holds", "does not apply", "deployment"}, r.status) || r.where == "" {
			t.Errorf("%s is %q because of %q", r.number, r.status, r.where)
		}
	}
	want := map[string]int{
		"1": 27, "2": 11, "3": 19, "4": 10, "5": 9, "6": 35, "7": 18, "8": 7, "9": 7, "10": 29, "11": 14, "12": 9, "13": 13, "14": 9, "15": 13, "16": 16, "17": 7,
	}
	if !maps.Equal(chapters, want) || len(seen) != 253 || levels["1"] != 70 || levels["2"] != 183 {
		t.Errorf("there are %d requirements, by level %v, by chapter %v", len(seen), levels, chapters)
	}
}

var testName = regexp.MustCompile(`^(.+)\.((?:Test|Fuzz)\w+)$`)

// Every test, file and section that the table names exists.
func TestASVSTableNamesWhatThereIs(t *testing.T) {
	t.Parallel()
	for _, r := range readTable(t) {
		if r.status != "holds" {
			continue
		}
		for reference := range strings.SplitSeq(r.where, "; ") {
			if problem := check(t, reference); problem != "" {
				t.Errorf("%s: %s: %s", r.number, reference, problem)
			}
		}
	}
}

func check(t *testing.T, reference string) (problem string) {
	t.Helper()
	if test := testName.FindStringSubmatch(reference); test != nil {
		if !hasTest(t, test[1], test[2]) {
			return "there is no such test"
		}
		return ""
	}
	path, section, _ := strings.Cut(reference, "#")
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return err.Error()
	}
	if section != "" && !strings.Contains(string(text), "\n## "+section+"\n") {
		return "there is no such section"
	}
	return ""
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
