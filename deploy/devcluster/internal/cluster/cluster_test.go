package cluster

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"shopwright.dev/shopwright/deploy/devcluster/internal/node"
)

func listen(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

func TestChoosePorts(t *testing.T) {
	t.Parallel()
	chosen, err := choosePorts(t.Context(), 0, Ports{})
	if err != nil || free(t.Context(), chosen) != nil {
		t.Fatalf("chosen %v, error %v", chosen, err)
	}
	if again, err := choosePorts(t.Context(), 0, chosen); err != nil || again != chosen {
		t.Errorf("a cluster comes back at %v, error %v, want %v", again, err, chosen)
	}
	taken := chosen
	taken.Kwok = listen(t)
	if other, err := choosePorts(t.Context(), 0, taken); err != nil || other == taken {
		t.Errorf("with a port in use: %v, error %v", other, err)
	}
	if _, err := choosePorts(t.Context(), taken.Kwok, Ports{}); !errors.Is(err, errNoPorts) {
		t.Errorf("with a port in use that was asked for: error %v", err)
	}
}

func TestOpenSaysWhatToDo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Open(dir); !errors.Is(err, ErrNoCluster) || !strings.Contains(err.Error(), "devcluster up --state "+dir) {
		t.Errorf("error %v", err)
	}
	c, err := openOrCreate(dir)
	if err != nil {
		t.Fatal(err)
	}
	if begun, err := Open(dir); err != nil || begun.Ports != (Ports{}) {
		t.Errorf("just begun: %+v, error %v", begun, err)
	}
	c.Ports = portsFrom(20000)
	if err := c.save(); err != nil {
		t.Fatal(err)
	}
	if again, err := Open(dir); err != nil || again.Ports != c.Ports || again.Server() != "https://127.0.0.1:20000" {
		t.Errorf("opened %+v, error %v", again, err)
	}
}

func TestKubeconfig(t *testing.T) {
	t.Parallel()
	c := &Cluster{Dir: t.TempDir()}
	if err := os.Mkdir(c.PKI(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.cert("ca"), []byte("authority"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.writeKubeconfig(c.PlatformKubeconfig(), "https://127.0.0.1:1", platform, credentials{Token: "secret"}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(c.PlatformKubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	var k kubeconfig
	if err := yaml.UnmarshalStrict(raw, &k); err != nil {
		t.Fatal(err)
	}
	if k.Users[0].User.Token != "secret" || string(k.Clusters[0].Cluster.CA) != "authority" ||
		k.Contexts[0].Context.User != k.Users[0].Name || k.CurrentContext != k.Contexts[0].Name {
		t.Errorf("%s", raw)
	}
	if info, err := os.Stat(c.PlatformKubeconfig()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
}

func TestPlatformManifests(t *testing.T) {
	t.Parallel()
	role := write(t, "kind: ClusterRole\nmetadata: {name: shopwright-platform}\nrules: []\n---\nkind: ClusterRole\nmetadata: {name: shopwright-store}\n")
	policy := write(t, "kind: ValidatingAdmissionPolicy\nmetadata: {name: hold}\nspec: {expression: 'in {{ .Release.Namespace }}'}\n")
	manifests, err := platformManifests([]string{role, policy})
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, m := range manifests {
		fmt.Fprintln(&all, m.path, m.text)
	}
	for _, want := range []string{
		"/clusterroles/shopwright-platform ", "/clusterroles/shopwright-store ", "/validatingadmissionpolicies/hold ",
		"'in shopwright-system'", "kind: ClusterRole, name: shopwright-platform}",
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("no %s in %s", want, &all)
		}
	}
	for text, want := range map[string]string{
		"kind: Role\nmetadata: {name: x}\n":                      "must hold ClusterRoles",
		"kind: ClusterRole\n":                                    "must hold ClusterRoles",
		"kind: ValidatingAdmissionPolicy\nmetadata: {name: x}\n": "must hold a ClusterRole",
		"metadata: {name: {{ .Release.Name }}}\n":                "is no plain manifest",
	} {
		if _, err := platformManifests([]string{write(t, text)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "role.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStopOrderKnowsEveryComponentOnce(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]*Cluster{
		"[kwok scheduler controller-manager apiserver etcd]":                          {},
		"[kubelet proxy scheduler controller-manager apiserver etcd containerd node]": {Node: &node.Node{}},
	} {
		if got := fmt.Sprint(c.components()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	text := strings.Repeat("earlier\n", 100) + strings.Repeat("last\n", tailLines)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := tail(path), strings.TrimSpace(strings.Repeat("last\n", tailLines)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := tail(path + ".missing"); !strings.Contains(got, "no such file") {
		t.Errorf("got %q", got)
	}
}
