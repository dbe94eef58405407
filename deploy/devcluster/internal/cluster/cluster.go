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
	"shopwright.dev/shopwright/deploy/devcluster/internal/process"
)

// stateName is the file in the state directory that holds the ports and marks the directory as ours.
const stateName = "devcluster.json"

// ErrNoCluster says that a directory is not the state directory of a cluster.
var ErrNoCluster = errors.New("there is no cluster")

// Cluster is a development cluster, running or not.
type Cluster struct {
	// Dir is the state directory, an absolute path.
	Dir   string
	Ports Ports
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
	c := &Cluster{Dir: dir}
	if err := json.Unmarshal(raw, &c.Ports); err != nil {
		return nil, fmt.Errorf("read the ports in %s: %w", filepath.Join(dir, stateName), err)
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
	raw, err := json.Marshal(c.Ports)
	if err != nil {
		return fmt.Errorf("encode the cluster's state: %w", err)
	}
	if err := os.WriteFile(c.path(stateName), raw, 0o600); err != nil {
		return fmt.Errorf("write the cluster's state: %w", err)
	}
	return nil
}

// Server is the API server's URL.
func (c *Cluster) Server() string { return loopback(c.Ports.APIServer) }

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
