package cluster

import (
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

// kubeconfig is one way into a cluster.
type kubeconfig struct {
	APIVersion     string         `json:"apiVersion"`
	Kind           string         `json:"kind"`
	Clusters       []namedCluster `json:"clusters"`
	Users          []namedUser    `json:"users"`
	Contexts       []namedContext `json:"contexts"`
	CurrentContext string         `json:"current-context"`
}

type namedCluster struct {
	Name    string `json:"name"`
	Cluster struct {
		Server string `json:"server"`
		CA     []byte `json:"certificate-authority-data"`
	} `json:"cluster"`
}

type namedUser struct {
	Name string      `json:"name"`
	User credentials `json:"user"`
}

// credentials are a client certificate with its key, or a token.
type credentials struct {
	Certificate []byte `json:"client-certificate-data,omitempty"`
	Key         []byte `json:"client-key-data,omitempty"`
	Token       string `json:"token,omitempty"`
}

type namedContext struct {
	Name    string `json:"name"`
	Context struct {
		Cluster string `json:"cluster"`
		User    string `json:"user"`
	} `json:"context"`
}

// writeKubeconfig writes to path how user gets into the cluster at server.
func (c *Cluster) writeKubeconfig(path, server, user string, as credentials) error {
	ca, err := os.ReadFile(c.cert("ca"))
	if err != nil {
		return fmt.Errorf("read the certificate authority: %w", err)
	}
	const name = "devcluster"
	k := kubeconfig{
		APIVersion: "v1", Kind: "Config", CurrentContext: name,
		Clusters: []namedCluster{{Name: name}}, Users: []namedUser{{user, as}}, Contexts: []namedContext{{Name: name}},
	}
	k.Clusters[0].Cluster.Server, k.Clusters[0].Cluster.CA = server, ca
	k.Contexts[0].Context.Cluster, k.Contexts[0].Context.User = name, user
	raw, err := yaml.Marshal(k)
	if err != nil {
		return fmt.Errorf("encode the kubeconfig of %s: %w", user, err)
	}
	return replaceFile(path, raw)
}

// replaceFile never shows half a file to somebody who watches it.
func replaceFile(path string, raw []byte) error {
	if err := os.WriteFile(path+".new", raw, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// writeComponentKubeconfigs lets those in whose user is a client certificate.
func (c *Cluster) writeComponentKubeconfigs() error {
	for _, user := range []string{"admin", controllerManagerName, schedulerName, kwokName, kubeletName, proxyName} {
		cert, err := os.ReadFile(c.cert(user))
		if err != nil {
			return fmt.Errorf("read the certificate of %s: %w", user, err)
		}
		key, err := os.ReadFile(c.key(user))
		if err != nil {
			return fmt.Errorf("read the key of %s: %w", user, err)
		}
		as := credentials{Certificate: cert, Key: key}
		if err := c.writeKubeconfig(c.kubeconfigPath(user), c.Server(), user, as); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) kubeconfigPath(user string) string { return c.path(user + ".kubeconfig") }
