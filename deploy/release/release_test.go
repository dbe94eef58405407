// Package release_test makes releases of a small program, with the script that makes ours.
package release_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const (
	root    = "../.."
	version = "1.2.3"
)

// repository has what the script needs of ours, committed.
type repository struct {
	t   *testing.T
	dir string
}

const changelog = `# Changelog

## [Unreleased]

### Added

- Not yet.

## [1.2.3] - 2026-11-30

### Added

- Tea.

### Fixed

- Tonic.

## [1.2.2] - 2026-11-29

- Water.

[1.2.3]: https://example.com/1.2.3
`

// files of the repository by their paths.
var files = map[string]string{
	".gitignore":   "/dist/\n",
	"CHANGELOG.md": changelog,
	"LICENSE":      "Do what you like.\n",
	"go.mod":       "module example.com/shop\n\ngo 1.26.0\n",
	"cmd/shopwright/main.go": `package main

import "os"

var version string

func main() { _, _ = os.Stdout.WriteString("shopwright " + version + "\n") }
`,
	"static/dist/notices.txt":               "Notices.\n",
	"charts/platform/Chart.yaml":            "apiVersion: v2\nname: shopwright\nversion: 0.0.0\nappVersion: 0.0.0\n",
	"charts/platform/values.yaml":           "a: 1\n",
	"charts/platform/templates/secret.yaml": "kind: Secret\n",
}

func newRepository(t *testing.T, name string) repository {
	t.Helper()
	r := repository{t, filepath.Join(t.TempDir(), name)}
	for path, text := range files {
		r.write(path, text)
	}
	for _, script := range []string{"release.sh", "verify.sh"} {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("deploy/release", script)
		r.write(path, string(text))
		if err := os.Chmod(filepath.Join(r.dir, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r.git("init", "--quiet")
	r.commit()
	return r
}

func (r repository) write(path, text string) {
	r.t.Helper()
	path = filepath.Join(r.dir, path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		r.t.Fatal(err)
	}
}

func (r repository) git(args ...string) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "git", args...)
	const at = "2026-11-30T12:00:00Z"
	cmd.Dir, cmd.Env = r.dir, append(os.Environ(), "GIT_AUTHOR_DATE="+at, "GIT_COMMITTER_DATE="+at, "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=m", "GIT_AUTHOR_EMAIL=m@example.com", "GIT_COMMITTER_NAME=m", "GIT_COMMITTER_EMAIL=m@example.com")
	if said, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("git %v: %v: %s", args, err, said)
	}
}

func (r repository) commit() {
	r.t.Helper()
	r.git("add", "--all")
	r.git("commit", "--quiet", "--message", "Change")
}

// run calls a script with the settings that the Makefile gives it.
func (r repository) run(script string, settings ...string) (said string, err error) {
	r.t.Helper()
	tools, err := filepath.Abs(filepath.Join(root, ".cache/bin"))
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.CommandContext(r.t.Context(), "deploy/release/"+script, version)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), append([]string{"TOOLS=" + tools, "LDFLAGS=-s -w -X main.version=" + version}, settings...)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (r repository) release() {
	r.t.Helper()
	if said, err := r.run("release.sh"); err != nil {
		r.t.Fatalf("%v: %s (make .cache/bin/helm .cache/bin/cyclonedx-gomod builds the tools)", err, said)
	}
}

func (r repository) read(name string) string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, "dist", version, name))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// extract returns the files of an archive as tar lists them.
func (r repository) extract(archive string) (dir, listed string) {
	r.t.Helper()
	dir = r.t.TempDir()
	out, err := exec.CommandContext(r.t.Context(), "tar", "--extract", "--verbose", "--verbose", "--numeric-owner", "--utc", "--gzip", "--file",
		filepath.Join(r.dir, "dist", version, archive), "--directory", dir).Output()
	if err != nil {
		r.t.Fatal(err)
	}
	return dir, string(out)
}

func TestRelease(t *testing.T) {
	t.Parallel()
	r := newRepository(t, "one")
	r.release()
	sums := r.read("SHA256SUMS")
	check := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "SHA256SUMS")
	check.Dir = filepath.Join(r.dir, "dist", version)
	if said, err := check.CombinedOutput(); err != nil || strings.Count(sums, "\n") != 10 {
		t.Errorf("%v: %s\n%s", err, said, sums)
	}
	for _, target := range []string{"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64"} {
		name := "shopwright_" + version + "_" + target
		dir, listed := r.extract(name + ".tar.gz")
		if strings.Count(listed, " 0/0 ") != 3 || strings.Count(listed, " 2026-11-30 12:00 ") != 3 {
			t.Errorf("%s has\n%s", name, listed)
		}
		if os, arch, _ := strings.Cut(target, "_"); os == runtime.GOOS && arch == runtime.GOARCH {
			if said, err := exec.CommandContext(t.Context(), filepath.Join(dir, name, "shopwright"), "version").Output(); err != nil || string(said) != "shopwright 1.2.3\n" {
				t.Errorf("the binary says %q, %v", said, err)
			}
		}
		wantComponents(t, r.read(name+".cdx.json"))
	}
	if notes := r.read("release-notes.md"); notes != "### Added\n\n- Tea.\n\n### Fixed\n\n- Tonic.\n" {
		t.Errorf("the notes are %q", notes)
	}
	dir, _ := r.extract("shopwright-" + version + ".tgz")
	chart, err := os.ReadFile(filepath.Join(dir, "shopwright/Chart.yaml"))
	if err != nil || !strings.Contains(string(chart), "\nversion: 1.2.3\n") || !strings.Contains(string(chart), "appVersion: 1.2.3\n") {
		t.Errorf("the chart is %s, %v", chart, err)
	}
	r.reproduce()
}

// wantComponents looks for the program and Go's standard library in a bill of materials.
func wantComponents(t *testing.T, text string) {
	t.Helper()
	var bom struct {
		BOMFormat string
		Metadata  struct {
			Component struct{ Name, Version string }
		}

		Components []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(text), &bom); err != nil {
		t.Fatal(err)
	}
	if c := bom.Metadata.Component; bom.BOMFormat != "CycloneDX" || c.Name != "example.com/shop" || c.Version != "v1.2.3" || len(bom.Components) != 1 || bom.Components[0].Name != "std" {
		t.Errorf("the bill of materials is %s", text)
	}
}

// reproduce builds the release again elsewhere, after one file was changed: it alone must differ.
func (r repository) reproduce() {
	r.t.Helper()
	chart := "shopwright-" + version + ".tgz"
	r.write(filepath.Join("dist", version, chart), "changed")
	said, err := r.run("verify.sh")
	if err == nil || strings.Count(said, "\n") != 1 || !strings.Contains(said, chart) || !strings.HasSuffix(said, " differ\n") {
		r.t.Errorf("%v: %s", err, said)
	}
}

func TestReleaseIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		harm     func(repository)
		settings []string
		sentence string
	}{
		"a changed file":         {harm: func(r repository) { r.write("LICENSE", "Don't.\n") }, sentence: "has changes that are not committed"},
		"a new file":             {harm: func(r repository) { r.write("new.go", "package x\n") }, sentence: "has changes that are not committed"},
		"no section":             {harm: func(r repository) { r.write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n- Tea.\n"); r.commit() }, sentence: `has no section "## [1.2.3]"`},
		"an empty section":       {harm: func(r repository) { r.write("CHANGELOG.md", "## [1.2.3]\n\n## [1.2.2]\n\n- Tea.\n"); r.commit() }, sentence: `has no section "## [1.2.3]"`},
		"a binary without stamp": {harm: func(repository) {}, settings: []string{"LDFLAGS=-s", "TARGETS=" + runtime.GOOS + "/" + runtime.GOARCH}, sentence: `instead of "shopwright 1.2.3"`},
		"no make":                {harm: func(repository) {}, settings: []string{"LDFLAGS="}, sentence: "Run: make release VERSION=1.2.3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t, "one")
			c.harm(r)
			if said, err := r.run("release.sh", c.settings...); err == nil || !strings.Contains(said, c.sentence) {
				t.Errorf("%v: %s", err, said)
			}
		})
	}
}

func TestVersionsThatAreNone(t *testing.T) {
	t.Parallel()
	r := newRepository(t, "one")
	for _, wrong := range []string{"", "v1.2.3", "1.2", "c3a392b-dirty", "1.2.3/.."} {
		cmd := exec.CommandContext(t.Context(), "deploy/release/release.sh", wrong)
		cmd.Dir = r.dir
		if said, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(said), "is not a version") {
			t.Errorf("%q: %v: %s", wrong, err, said)
		}
	}
	if left, err := os.ReadDir(filepath.Join(r.dir, "dist")); err == nil {
		t.Errorf("there are %v", left)
	}
}
