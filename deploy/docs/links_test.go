// Package docs_test checks the links of the documentation.
package docs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const root = "../.."

// pages are all Markdown files of the repository, without those that builds leave behind.
func pages(t *testing.T) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", ".cache", ".data", "bin", "dist", "node_modules", ".medusa"}, entry.Name()):
			return fs.SkipDir
		case entry.Type().IsRegular() && filepath.Ext(path) == ".md":
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every relative link leads to a file of the repository, and every anchor to a heading.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	all := pages(t)
	checked := 0
	for _, page := range all {
		for _, target := range links(read(t, page)) {
			if problem := check(page, target); problem != nil {
				t.Errorf("%s: %s: %v", page, target, problem)
			}
			checked++
		}
	}
	if checked < 100 { // far fewer means that links are no longer recognised
		t.Errorf("only %d links were found", checked)
	}
	for _, page := range []string{
		"README.md", "CHANGELOG.md", ".github/SECURITY.md", "charts/medusa/README.md", "charts/woocommerce/README.md", "charts/platform/README.md",
		"deploy/docs/configuration.md", "deploy/docs/operations.md", "deploy/docs/security.md", "deploy/docs/upgrades.md", "deploy/docs/api.md", "deploy/docs/cli.md",
	} {
		if !slices.Contains(all, filepath.Join(root, page)) {
			t.Errorf("%s is not among the pages", page)
		}
	}
}

// A newcomer begins with the README, so it leads to every page of the documentation.
func TestREADMELeadsToEveryPage(t *testing.T) {
	t.Parallel()
	beside, err := filepath.Glob("*.md")
	if err != nil || len(beside) == 0 {
		t.Fatalf("there are %d pages, %v", len(beside), err)
	}
	named := links(read(t, filepath.Join(root, "README.md")))
	for _, page := range beside {
		if !slices.ContainsFunc(named, func(target string) bool {
			path, _, _ := strings.Cut(target, "#")
			return path == "deploy/docs/"+page
		}) {
			t.Errorf("README.md has no link to %s", page)
		}
	}
}

// Each page begins with the list of its sections.
func TestPagesListTheirSections(t *testing.T) {
	t.Parallel()
	beside, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range beside {
		text := read(t, page)
		intro, _, _ := strings.Cut(text, "\n## ")
		var listed []string
		for _, target := range links(intro) {
			if anchor, ok := strings.CutPrefix(target, "#"); ok {
				listed = append(listed, anchor)
			}
		}
		if sections := anchors(text, "## "); !slices.Equal(listed, sections) {
			t.Errorf("%s lists %q, its sections are %q", page, listed, sections)
		}
	}
}

func check(page, target string) error {
	to, err := url.Parse(target)
	switch {
	case err != nil:
		return err
	case to.Scheme == "https" && to.Host != "", to.Scheme == "mailto":
		return nil // external: this test makes no requests
	case to.Scheme != "" || to.Host != "":
		return errors.New("links are relative or https")
	case filepath.IsAbs(to.Path):
		return errors.New("a path from the root leads out of the repository")
	}
	path := page
	if to.Path != "" {
		path = filepath.Join(filepath.Dir(page), to.Path)
	}
	if inside, err := filepath.Rel(root, path); err != nil || !filepath.IsLocal(inside) {
		return errors.New("it leads out of the repository")
	}
	info, err := os.Stat(path)
	if err != nil || to.Fragment == "" {
		return err
	}
	if info.IsDir() || filepath.Ext(path) != ".md" {
		return errors.New("only pages have anchors")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if there := anchors(string(text), "#"); !slices.Contains(there, to.Fragment) {
		return fmt.Errorf("there is no such section in %s, but %q", path, there)
	}
	return nil
}

var (
	codeSpan  = regexp.MustCompile("(`+).*?(`+)")
	inline    = regexp.MustCompile(`\]\(<?([^()\s<>]*(?:\([^()]*\)[^()\s<>]*)*)>?(?:\s+"[^"]*")?\)`)
	reference = regexp.MustCompile(`^\s{0,3}\[[^\]]+\]:\s+(\S+)`)
)

// links are the targets of the links and images of a page, outside of code.
func links(text string) (targets []string) {
	prose(text, func(line string) {
		if found := reference.FindStringSubmatch(line); found != nil {
			targets = append(targets, found[1])
		}
		for _, found := range inline.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, "code"), -1) {
			targets = append(targets, found[1])
		}
	})
	return targets
}

// anchors are those that GitHub gives to the headings that begin with the prefix.
func anchors(text, prefix string) (names []string) {
	seen := map[string]int{}
	prose(text, func(line string) {
		title := strings.TrimLeft(line, "#")
		if level := len(line) - len(title); level == 0 || level > 6 || !strings.HasPrefix(title, " ") {
			return
		}
		name := anchor(title)
		times := seen[name]
		seen[name]++
		if times > 0 {
			name = fmt.Sprintf("%s-%d", name, times)
		}
		if strings.HasPrefix(line, prefix) {
			names = append(names, name)
		}
	})
	return names
}

func anchor(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsNumber(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(title))
}

// prose calls visit with each line that is not in a block of code.
func prose(text string, visit func(line string)) {
	fence, mayIndent := "", true // code that is indented follows an empty line, or more of it
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		start := strings.TrimSpace(line)
		indented := strings.HasPrefix(line, "    ") && mayIndent
		mayIndent = start == "" || indented
		switch {
		case fence != "":
			if strings.HasPrefix(start, fence) && strings.Trim(start, fence[:1]) == "" {
				fence = ""
			}
		case strings.HasPrefix(start, "```"), strings.HasPrefix(start, "~~~"):
			fence = start[:3]
		case !indented:
			visit(line)
		}
	}
}

// What is read as a link, and as the anchor of a heading.
func TestReadingPages(t *testing.T) {
	t.Parallel()
	const page = "# One: two & `three`\n\n[a](x.md), ![b](y(1).png \"c\") and `[no](n.md)` [d](<#one>)\n\n## Twice\n## Twice\n" +
		"```sh\n# no heading\n[no](n.md)\n```\n\n    [no](n.md)\n    # no heading\n[e]: z.md\n- item [f](w.md#g),\n    [`code`](v.md)\n"
	if got, want := links(page), []string{"x.md", "y(1).png", "#one", "z.md", "w.md#g", "v.md"}; !slices.Equal(got, want) {
		t.Errorf("the links are %q, want %q", got, want)
	}
	if got, want := anchors(page, "#"), []string{"one-two--three", "twice", "twice-1"}; !slices.Equal(got, want) {
		t.Errorf("the anchors are %q, want %q", got, want)
	}
	here := filepath.Join(root, "deploy/docs/api.md")
	for target, good := range map[string]bool{
		"#errors": true, "#nothing": false, "cli.md#exit-codes": true, "cli.md#errors": false, "nothing.md": false, "../systemd": true,
		"../systemd#top": false, "../../../x": false, "/README.md": false, "http://example.com": false, "https://example.com/x#y": true,
	} {
		if err := check(here, target); (err == nil) != good {
			t.Errorf("%s: %v", target, err)
		}
	}
}
