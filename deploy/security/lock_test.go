package security_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// manifest is what npm's package.json and an entry of its package-lock.json have in common.
type manifest struct {
	Name                 string                             `json:"name"`
	Version              string                             `json:"version"`
	Dependencies         map[string]string                  `json:"dependencies"`
	DevDependencies      map[string]string                  `json:"devDependencies"`
	OptionalDependencies map[string]string                  `json:"optionalDependencies"`
	PeerDependencies     map[string]string                  `json:"peerDependencies"`
	PeerDependenciesMeta map[string]struct{ Optional bool } `json:"peerDependenciesMeta"`
}

// locked is an entry of package-lock.json.
type locked struct {
	manifest
	Resolved  string `json:"resolved"`
	Integrity string `json:"integrity"`
	InBundle  bool   `json:"inBundle"`
}

// needs are the names of the packages that must be in the lock for it to be whole on every platform.
func (m manifest) needs() (names []string) {
	for _, some := range []map[string]string{m.Dependencies, m.DevDependencies, m.OptionalDependencies} {
		names = slices.AppendSeq(names, maps.Keys(some))
	}
	for name := range m.PeerDependencies {
		if !m.PeerDependenciesMeta[name].Optional {
			names = append(names, name)
		}
	}
	return names
}

// files calls visit for each file of the source, and leaves out what builds and runs leave behind.
func files(t *testing.T, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", ".cache", ".data", "bin", "node_modules", ".medusa"}, entry.Name()):
			return fs.SkipDir
		case entry.Type().IsRegular():
			visit(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func decode(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// Each package.json with dependencies has a lock that agrees with it, that is whole on every platform, and that names
// no registry: the same source holds the same code whenever and wherever it is built.
func TestDependenciesFromNPMAreLocked(t *testing.T) {
	t.Parallel()
	checked := 0
	files(t, func(path string) {
		if filepath.Base(path) != "package.json" {
			return
		}
		var project manifest
		decode(t, path, &project)
		if len(project.needs()) > 0 {
			checked++
			checkLock(t, filepath.Dir(path), project)
		}
	})
	if checked < 2 {
		t.Errorf("only %d projects have dependencies", checked)
	}
}

func checkLock(t *testing.T, folder string, project manifest) {
	t.Helper()
	var lock struct{ Packages map[string]locked }
	decode(t, filepath.Join(folder, "package-lock.json"), &lock)
	of := lock.Packages[""].manifest
	if of.Name != project.Name || of.Version != project.Version || !maps.Equal(of.Dependencies, project.Dependencies) ||
		!maps.Equal(of.DevDependencies, project.DevDependencies) || !maps.Equal(of.OptionalDependencies, project.OptionalDependencies) {
		t.Errorf("%s: the lock is of another package.json; run npm install --package-lock-only", folder)
	}
	for place, entry := range lock.Packages {
		if entry.Resolved != "" {
			t.Errorf("%s: %s is locked to %s", folder, place, entry.Resolved)
		}
		if entry.Integrity == "" && !entry.InBundle && place != "" {
			t.Errorf("%s: %s has no checksum", folder, place)
		}
		for _, name := range entry.needs() {
			if !isLocked(lock.Packages, place, name) {
				t.Errorf("%s: %s, which %q needs, is not locked; run npm install --package-lock-only where there is no node_modules", folder, name, place)
			}
		}
	}
	if rc, err := os.ReadFile(filepath.Join(folder, ".npmrc")); err != nil || !strings.Contains(string(rc), "omit-lockfile-registry-resolved=true") {
		t.Errorf("%s: .npmrc does not keep the registry out of the lock: %q, %v", folder, rc, err)
	}
}

// isLocked reports whether Node.js finds the package from where another one is.
func isLocked(packages map[string]locked, from, name string) bool {
	for {
		if _, there := packages[path.Join(from, "node_modules", name)]; there {
			return true
		}
		if from == "" {
			return false
		}
		from = strings.TrimSuffix(from[:strings.LastIndex(from, "node_modules")], "/")
	}
}

// What is built takes npm's packages from the locks: npm install changes them.
func TestBuildsInstallWhatIsLocked(t *testing.T) {
	t.Parallel()
	install := regexp.MustCompile(`\bnpm("?,? ?--prefix \S+)?"?,? "?(install|i|add|update)\b`)
	files(t, func(path string) {
		name := filepath.Base(path)
		if name != "Makefile" && name != "Dockerfile" && filepath.Ext(name) != ".sh" && !strings.HasSuffix(path, "images/e2e/build_test.go") {
			return
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if found := install.Find(text); found != nil {
			t.Errorf("%s: %s instead of npm ci", path, found)
		}
	})
}
