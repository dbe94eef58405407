package build

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// target is one binary: a package compiled in a module of its own.
type target struct {
	name    string // of the binary
	title   string // for people
	dir     string // of the module
	pkg     string
	ldflags string
}

// targets lists the binaries of a cluster with such nodes. The versions they report are those in their go.mod.
func targets(source string, nodes Nodes) ([]target, error) {
	controlPlane := target{
		name: "controlplane", title: "the Kubernetes control plane",
		dir: filepath.Join(source, "controlplane"), pkg: ".",
	}
	version, err := moduleVersion(controlPlane.dir, "k8s.io/kubernetes")
	if err != nil {
		return nil, err
	}
	controlPlane.ldflags = kubernetesLDFlags(version)
	if nodes == Simulated {
		return []target{controlPlane, {
			name: "kwok", title: "the simulated nodes",
			dir: filepath.Join(source, "kwok"), pkg: "sigs.k8s.io/kwok/cmd/kwok", ldflags: "-s -w",
		}}, nil
	}
	node := target{name: "node", title: "the Kubernetes node", dir: filepath.Join(source, "node"), pkg: "."}
	version, err = moduleVersion(node.dir, "k8s.io/kubernetes")
	if err != nil {
		return nil, err
	}
	node.ldflags = kubernetesLDFlags(version)
	addons := filepath.Join(source, "addons")
	return []target{
		controlPlane, node,
		{name: addonsName, title: "names, volumes and ingress", dir: addons, pkg: ".", ldflags: "-s -w"},
		{name: pauseName, title: "what holds a pod together", dir: addons, pkg: "./pause", ldflags: "-s -w"},
	}, nil
}

// kubernetesLDFlags makes the components say which Kubernetes they are. Without it the API server reports v0.0.0,
// and clients such as Helm refuse charts that ask for a newer one.
func kubernetesLDFlags(version string) string {
	major, minor, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ = strings.Cut(minor, ".")
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for _, value := range []string{
			"gitVersion=" + version, "gitMajor=" + major, "gitMinor=" + minor, "gitTreeState=clean",
			"gitCommit=" + strings.Repeat("0", 40), "buildDate=1970-01-01T00:00:00Z",
		} {
			flags = append(flags, "-X", pkg+"."+value)
		}
	}
	return strings.Join(flags, " ")
}

// moduleVersion reads from dir/go.mod which version of module it requires.
func moduleVersion(dir, module string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return "", fmt.Errorf("read the control plane's module: %w", err)
	}
	requirement := regexp.MustCompile(`(?m)^(?:require)?\s+` + regexp.QuoteMeta(module) + ` (v\S+)`)
	match := requirement.FindSubmatch(raw)
	if match == nil {
		return "", fmt.Errorf("%s/go.mod does not require %s", dir, module)
	}
	return string(match[1]), nil
}

// flags are the arguments of go list and go build alike: those that decide what the compiler makes must be the
// same, or go list would count packages that go build has.
func (t target) flags() []string {
	return []string{"-trimpath", "-buildvcs=false", "-ldflags", t.ldflags}
}

// stamp is a digest of all that makes the binary: the module's files and the flags.
func (t target) stamp() (string, error) {
	digest := sha256.New()
	fmt.Fprintln(digest, t.pkg, t.flags())
	module := os.DirFS(t.dir)
	err := fs.WalkDir(module, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(module, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(digest, "%s %d\n%s", path, len(raw), raw)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("read the module in %s: %w", t.dir, err)
	}
	return fmt.Sprintf("%x\n", digest.Sum(nil)), nil
}
