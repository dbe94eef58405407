// Package cluster brings one development cluster up and down: which processes it consists of, where they listen,
// what they are told, and what a fresh cluster is furnished with. All that belongs to a cluster lies in its state
// directory. How binaries are built and how pods are simulated is other packages' business.
package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"shopwright.dev/shopwright/deploy/devcluster/internal/api"
	"shopwright.dev/shopwright/deploy/devcluster/internal/node"
	"shopwright.dev/shopwright/deploy/devcluster/internal/process"
)

// stateName is the file in the state directory that holds the ports and marks the directory as ours.
const stateName = "devcluster.json"

// ErrNoCluster says that a directory is not the state directory of a cluster.
var ErrNoCluster = errors.New("there is no cluster")

// errSimulated says that something needs a real node.
var errSimulated = errors.New("the cluster's nodes are simulated")

// Cluster is a development cluster, running or not.
type Cluster struct {
	// Dir is the state directory, an absolute path.
	Dir   string
	Ports Ports
	// Node is the machine of the real node; where nodes are simulated there is none.
	Node *node.Node
}

// saved is what is kept of a cluster between runs.
type saved struct {
	Ports
	Node *node.Node `json:"node,omitempty"`
}

// Open reads the cluster in the state directory dir. The error is ErrNoCluster where none was ever brought up.
func Open(dir string) (*Cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the state directory: %w", err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, stateName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w in %s: bring one up with `devcluster up --state %s`", ErrNoCluster, dir, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read the cluster's state: %w", err)
	}
	var s saved
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("read the ports in %s: %w", filepath.Join(dir, stateName), err)
	}
	c := &Cluster{Dir: dir, Ports: s.Ports, Node: s.Node}
	if c.Node != nil {
		c.Node.Dir = c.path(nodeName)
	}
	return c, nil
}

// openOrCreate opens the cluster in dir, or begins a new one there, which has no ports yet.
func openOrCreate(dir string) (*Cluster, error) {
	c, err := Open(dir)
	if !errors.Is(err, ErrNoCluster) {
		return c, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the state directory: %w", err)
	}
	for _, d := range []string{dir, filepath.Join(dir, "logs")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("make the state directory: %w", err)
		}
	}
	c = &Cluster{Dir: dir}
	return c, c.save()
}

func (c *Cluster) save() error {
	raw, err := json.Marshal(saved{c.Ports, c.Node})
	if err != nil {
		return fmt.Errorf("encode the cluster's state: %w", err)
	}
	if err := os.WriteFile(c.path(stateName), raw, 0o600); err != nil {
		return fmt.Errorf("write the cluster's state: %w", err)
	}
	return nil
}

// Server is the API server's URL.
func (c *Cluster) Server() string {
	if c.Node != nil {
		return fmt.Sprintf("https://%s:%d", c.Node.Address(), c.Ports.APIServer)
	}
	return loopback(c.Ports.APIServer)
}

// PKI is the directory of certificates.
func (c *Cluster) PKI() string { return c.path("pki") }

// Admin signs in as cluster admin.
func (c *Cluster) Admin() (*api.Client, error) { return api.NewClient(c.Server(), c.PKI(), "admin") }

// AdminKubeconfig is the path of the cluster admin's kubeconfig.
func (c *Cluster) AdminKubeconfig() string { return c.path("admin.kubeconfig") }

// PlatformKubeconfig is the path of the kubeconfig of Shopwright's service account.
func (c *Cluster) PlatformKubeconfig() string { return c.path("platform.kubeconfig") }

func (c *Cluster) registry() process.Registry { return process.Registry(c.path("run")) }

func (c *Cluster) path(name string) string { return filepath.Join(c.Dir, name) }

func loopback(port int) string { return fmt.Sprintf("https://127.0.0.1:%d", port) }
