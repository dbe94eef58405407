package node

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"shopwright.dev/shopwright/deploy/devcluster/internal/process"
)

// podGrace is how long the processes of pods may take to end: databases write down what they have.
const podGrace = 10 * time.Second

// Prepare makes what a node needs on this machine before its holder starts.
func (n *Node) Prepare() error {
	if err := os.RemoveAll(heldFile(n.Dir)); err != nil {
		return fmt.Errorf("prepare the node: %w", err)
	}
	for _, folder := range []string{n.Dir, n.Images, n.Volumes(), n.KubeletRoot(), n.path("plugins"), n.path("logs"), n.path("tmp")} {
		if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // pods of any user go through these
			return fmt.Errorf("prepare the node: %w", err)
		}
	}
	return n.makeCgroups()
}

// Clear ends whatever runs on the node, also what an earlier run has left, and takes all of it off this machine but
// for the folder. Kubernetes' parts must have ended, or they would start the pods again.
func (n *Node) Clear() error {
	pods, err := process.All(n.isPod)
	if err != nil {
		return err
	}
	if err := process.Stop(podGrace, pods...); err != nil {
		return err
	}
	// Once more: what a shim started meanwhile.
	return errors.Join(n.end(n.isOurs), n.end(n.isPod), n.disconnect(), n.removeCgroups())
}

func (n *Node) end(which func(int) bool) error {
	found, err := process.All(which)
	if err != nil {
		return err
	}
	return process.Kill(found...)
}

// isPod reports whether a process is in the node's control groups.
func (n *Node) isPod(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	return err == nil && strings.Contains(string(raw), ":/"+n.cgroup()+"/")
}

// isOurs reports whether a process bears the node's mark: the holder, the runtime and what watches over containers.
func (n *Node) isOurs(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && bytes.Contains(append([]byte{0}, raw...), []byte("\x00"+mark+"="+n.Dir+"\x00"))
}
