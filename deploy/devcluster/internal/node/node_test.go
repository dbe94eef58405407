package node

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"shopwright.dev/shopwright/deploy/devcluster/internal/process"
)

func TestConfigureFillsInEverything(t *testing.T) {
	t.Parallel()
	n := &Node{Dir: t.TempDir(), Images: "/images", Network: 7}
	if err := n.Configure(Settings{PKI: "/pki", ProxyKubeconfig: "/proxy", PauseImage: "pause:1", DNS: "10.96.0.10"}); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"containerd.toml": `root = "/images"`, "kubelet.yaml": "cgroupRoot: /" + n.cgroup(), "proxy.yaml": "{kubeconfig: /proxy}",
		"net/bridge.conflist": "10.244.0.0/24", "resolv.conf": "nameserver",
	} {
		raw, err := os.ReadFile(n.path(file))
		if err != nil || !strings.Contains(string(raw), want) || strings.Contains(string(raw), "{{") {
			t.Errorf("%s: error %v\n%s", file, err, raw)
		}
		if filepath.Ext(file) == ".yaml" {
			var any map[string]any
			if err := yaml.Unmarshal(raw, &any); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

func TestNodesDoNotShare(t *testing.T) {
	t.Parallel()
	one, other := &Node{Dir: "/one"}, &Node{Dir: "/other", Network: 1}
	if one.cgroup() == other.cgroup() {
		t.Errorf("both have the control group %s", one.cgroup())
	}
	if got := other.Address().String(); got != "198.18.1.2" {
		t.Errorf("address %s", got)
	}
	taken := []net.Addr{&net.IPNet{IP: net.IPv4(198, 18, 0, 1), Mask: net.CIDRMask(30, 32)}}
	if !one.among(taken) || other.among(taken) {
		t.Errorf("with %v taken: %t and %t", taken, one.among(taken), other.among(taken))
	}
}

func TestOnlyTheNodesOwnProcessesAreIts(t *testing.T) {
	t.Parallel()
	n := &Node{Dir: filepath.Join(t.TempDir(), "node")}
	for dir, want := range map[string]bool{n.Dir: true, n.Dir + "2": false, filepath.Dir(n.Dir): false} {
		child, err := process.Start(process.Command{
			Name: "sleeper", Path: "/bin/sleep", Args: []string{"600"}, Env: []string{mark + "=" + dir}, Log: filepath.Join(t.TempDir(), "log"),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = process.Kill(child.Process) })
		// For a moment a new process has no environment.
		for raw := []byte(nil); len(raw) == 0 && child.Alive(); {
			raw, _ = os.ReadFile(fmt.Sprintf("/proc/%d/environ", child.PID))
		}
		if got := n.isOurs(child.PID); got != want {
			t.Errorf("a process of %s is ours: %t", dir, got)
		}
	}
}

func TestCheckNamesTheStatesPlace(t *testing.T) {
	t.Parallel()
	if err := Check("/run/node"); err == nil || !strings.Contains(err.Error(), "cannot be in /run") {
		t.Errorf("error %v", err)
	}
}

func TestCheckNamesAllPackages(t *testing.T) {
	t.Setenv("PATH", "")
	const sentence = "apt-get install --no-install-recommends containerd runc"
	if err := Check(t.TempDir()); err == nil || !strings.Contains(err.Error(), sentence) || !strings.Contains(err.Error(), "iptables conntrack util-linux") {
		t.Errorf("without any program: %v", err)
	}
}
