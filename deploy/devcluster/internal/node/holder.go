package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"shopwright.dev/shopwright/deploy/devcluster/internal/process"
)

// Holder is how to start the process that holds the node's namespaces: this program, which calls Hold in it.
func (n *Node) Holder(name, log string, args ...string) process.Command {
	return process.Command{
		Name: name, Path: "/proc/self/exe", Args: append(args, n.Dir), Log: log,
		Env:        []string{mark + "=" + n.Dir},
		Namespaces: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS,
	}
}

// Hold makes a machine of the namespaces that it has been started in, and stays until ctx ends. It says in the file
// that Held looks for when the machine is ready.
func Hold(ctx context.Context, dir string) error {
	if err := furnish(dir); err != nil {
		return err
	}
	if err := os.WriteFile(heldFile(dir), nil, 0o600); err != nil {
		return fmt.Errorf("say that the node is ready: %w", err)
	}
	<-ctx.Done()
	return nil
}

func heldFile(dir string) string { return filepath.Join(dir, "held") }

// Held returns an error as long as the holder is not ready.
func (n *Node) Held() error {
	_, err := os.Stat(heldFile(n.Dir))
	return err
}

func furnish(dir string) error {
	if err := syscall.Sethostname([]byte(Name)); err != nil {
		return fmt.Errorf("name the node: %w", err)
	}
	// What is mounted here must not show on the machine, and what a pod mounts must show to the kubelet.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("part the node's mounts from the machine's: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("share mounts within the node: %w", err)
	}
	for _, folder := range hidden() {
		if err := unix.Mount("tmpfs", folder, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
			return fmt.Errorf("give the node a %s of its own: %w", folder, err)
		}
	}
	if err := coverKernelSettings(dir); err != nil {
		return err
	}
	return setNetwork()
}

// coverKernelSettings puts files in front of the settings that the kubelet insists on and that are the whole
// machine's: it finds what it wants, and the machine keeps its own.
func coverKernelSettings(dir string) error {
	for setting, value := range map[string]string{
		"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
		"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
	} {
		cover := filepath.Join(dir, "settings", strings.ReplaceAll(setting, "/", "."))
		if err := os.MkdirAll(filepath.Dir(cover), 0o700); err != nil {
			return fmt.Errorf("make a folder for the kernel's settings: %w", err)
		}
		if err := os.WriteFile(cover, []byte(value+"\n"), 0o600); err != nil {
			return fmt.Errorf("cover the kernel's settings: %w", err)
		}
		if err := unix.Mount(cover, filepath.Join("/proc/sys", setting), "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("cover the kernel's setting %s: %w", setting, err)
		}
	}
	return nil
}

// setNetwork makes settings that belong to the network namespace.
func setNetwork() error {
	for _, setting := range []string{"ipv4/ip_forward", "bridge/bridge-nf-call-iptables", "ipv4/conf/all/route_localnet"} {
		if err := os.WriteFile(filepath.Join("/proc/sys/net", setting), []byte("1"), 0); err != nil {
			return fmt.Errorf("let the node pass packets on: %w", err)
		}
	}
	return nil
}
