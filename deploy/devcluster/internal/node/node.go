// Package node is the machine under a real node: namespaces of its own on this machine for everything that runs on
// it, a cable into them, and the settings of what runs there. Nothing of the machine is changed but for the cable and
// the control groups, which Clear takes away. Which Kubernetes runs on it is others' business. It needs root.
package node

import (
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"

	"shopwright.dev/shopwright/deploy/devcluster/internal/process"
)

// Name is the node's, in Kubernetes and as its host name.
const Name = "node-1"

// mark is the variable in the environment of everything that runs on a node but its pods: it names the folder.
const mark = "SHOPWRIGHT_DEVCLUSTER_NODE"

// Node is a machine within this one.
type Node struct {
	// Dir is the folder of all that it writes, an absolute path.
	Dir string `json:"-"`
	// Images is the folder of the container runtime, with all images and what pods write beside their volumes.
	Images string `json:"images"`
	// Network is which of the networks 198.18.N.0/30 leads to it.
	Network int `json:"network"`
}

func (n *Node) path(name string) string { return filepath.Join(n.Dir, name) }

// Volumes is the folder of the pods' volumes.
func (n *Node) Volumes() string { return n.path("volumes") }

// KubeletConfig and ProxyConfig are the files that Configure writes for Kubernetes' parts.
func (n *Node) KubeletConfig() string { return n.path("kubelet.yaml") }

// ProxyConfig is kube-proxy's.
func (n *Node) ProxyConfig() string { return n.path("proxy.yaml") }

// KubeletRoot is where the kubelet keeps the pods' files.
func (n *Node) KubeletRoot() string { return n.path("kubelet") }

// Containerd is how to start the container runtime; it has to be taken inside.
func (n *Node) Containerd(name, log string) process.Command {
	return process.Command{Name: name, Path: "containerd", Args: []string{"--config", n.path("containerd.toml")}, Log: log}
}

// Inside makes a command one that runs on the node whose holder is the process pid.
func (n *Node) Inside(pid int, command process.Command) process.Command {
	command.Args = append(enter(pid), append([]string{command.Path}, command.Args...)...)
	command.Path = "nsenter"
	command.Env = append(command.Env, mark+"="+n.Dir)
	return command
}

// Run runs a program on the node to its end, with in as its standard input, and returns what it printed.
func (n *Node) Run(ctx context.Context, pid int, in io.Reader, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "nsenter", append(enter(pid), append([]string{program}, args...)...)...)
	cmd.Stdin = in
	return cmd.CombinedOutput()
}

func enter(pid int) []string {
	return []string{"--target", strconv.Itoa(pid), "--mount", "--net", "--uts", "--"}
}
