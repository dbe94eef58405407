package node

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// cgroupRetries bounds how long the kernel may take to empty a control group after its last process has ended.
const (
	cgroupRetries  = 100
	cgroupInterval = 20 * time.Millisecond
)

// cgroup is the control group of all the node's pods, in every hierarchy that the machine has. Its name tells it from
// other nodes'.
func (n *Node) cgroup() string {
	return fmt.Sprintf("devcluster-%x", sha256.Sum256([]byte(n.Dir)))[:len("devcluster-")+8]
}

// hierarchies are where control groups are mounted, version 1 and 2 (proc_pid_mountinfo(5)).
func hierarchies() ([]string, error) {
	raw, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	var found []string
	for line := range strings.Lines(string(raw)) {
		mount, kind, _ := strings.Cut(line, " - ")
		fields := strings.Fields(mount)
		if strings.HasPrefix(kind, "cgroup") && len(fields) > 4 && strings.HasPrefix(fields[4], "/sys/fs/cgroup") {
			found = append(found, fields[4])
		}
	}
	return found, nil
}

// cgroups are the folders of the node's control group.
func (n *Node) cgroups() ([]string, error) {
	found, err := hierarchies()
	for i, hierarchy := range found {
		found[i] = filepath.Join(hierarchy, n.cgroup())
	}
	return found, err
}

func (n *Node) makeCgroups() error {
	folders, err := n.cgroups()
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // as the kernel makes them
			return fmt.Errorf("make the node's control group: %w", err)
		}
	}
	return nil
}

// removeCgroups removes the node's control groups, in which nobody is left.
func (n *Node) removeCgroups() error {
	folders, err := n.cgroups()
	for _, folder := range folders {
		err = errors.Join(err, removeTree(folder))
	}
	return err
}

// removeTree removes control groups from the bottom up: their folders are never empty and yet can be removed.
func removeTree(root string) error {
	var folders []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			folders = append(folders, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, folder := range slices.Backward(folders) {
		err = errors.Join(err, removeCgroup(folder))
	}
	return err
}

func removeCgroup(folder string) error {
	var err error
	for range cgroupRetries {
		if err = os.Remove(folder); err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		time.Sleep(cgroupInterval)
	}
	return fmt.Errorf("remove a control group: %w", err)
}
