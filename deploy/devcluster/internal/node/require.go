package node

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// pluginFolder is where Debian's containernetworking-plugins are.
const pluginFolder = "/usr/lib/cni"

// Check reports all that a real node needs and this machine lacks.
func Check(dir string) error {
	var missing []error
	if os.Geteuid() != 0 {
		missing = append(missing, errors.New("it needs root"))
	}
	missing = append(missing, checkPlace(dir))
	if packages := missingPackages(); len(packages) > 0 {
		missing = append(missing, fmt.Errorf("these packages of Debian's are missing: %[1]s; install them with: "+
			"apt-get install --no-install-recommends %[1]s", strings.Join(packages, " ")))
	}
	missing = append(missing, checkKernel()...)
	if err := errors.Join(missing...); err != nil {
		return fmt.Errorf("a real node cannot run here:\n%w", err)
	}
	return nil
}

// hidden are the folders that a node has of its own, empty. What lies in them on this machine it does not see.
func hidden() []string { return []string{"/run", "/var/lib", "/var/log"} }

func checkPlace(dir string) error {
	for _, folder := range append(hidden(), "/var/run") {
		if strings.HasPrefix(dir+"/", folder+"/") {
			return fmt.Errorf("its state cannot be in %s, of which a node has one of its own", folder)
		}
	}
	return nil
}

// missingPackages are those of which a program is not there.
func missingPackages() []string {
	needed := []struct{ pkg, program string }{
		{"containerd", "containerd"},
		{"runc", "runc"},
		{"containernetworking-plugins", filepath.Join(pluginFolder, "bridge")},
		{"iptables", "iptables"},
		{"conntrack", "conntrack"},
		{"util-linux", "nsenter"},
	}
	var packages []string
	for _, n := range needed {
		if _, err := exec.LookPath(n.program); err != nil {
			packages = append(packages, n.pkg)
		}
	}
	return packages
}

// checkKernel does not load modules, which would change the machine.
func checkKernel() []error {
	var missing []error
	if raw, err := os.ReadFile("/proc/filesystems"); err != nil || !strings.Contains(string(raw), "\toverlay\n") {
		missing = append(missing, errors.New("the kernel has no overlay file system; load it with: modprobe overlay"))
	}
	if _, err := os.Stat("/proc/sys/net/bridge/bridge-nf-call-iptables"); err != nil {
		missing = append(missing, errors.New("the kernel does not filter on bridges; load it with: modprobe br_netfilter"))
	}
	if controllers, err := hierarchies(); err != nil || len(controllers) == 0 {
		missing = append(missing, errors.New("no control groups are mounted in /sys/fs/cgroup"))
	}
	return missing
}
