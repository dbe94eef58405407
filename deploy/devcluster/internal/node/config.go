package node

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

//go:embed config
var configs embed.FS

// Settings are what the node's parts are told about the cluster.
type Settings struct {
	// PKI is the directory of certificates; ServingCert names the one that the kubelet serves with.
	PKI string
	// ProxyKubeconfig is how kube-proxy gets into the cluster.
	ProxyKubeconfig string
	// PauseImage is the image that holds a pod's namespaces.
	PauseImage string
	// DNS is the address of the cluster's name service.
	DNS string
}

// Configure writes the files that the node's parts read.
func (n *Node) Configure(s Settings) error {
	templates, err := template.ParseFS(configs, "config/*")
	if err != nil {
		return fmt.Errorf("read the node's templates: %w", err)
	}
	data := map[string]any{
		"Dir": n.Dir, "Images": n.Images, "Plugins": pluginFolder, "Cgroup": n.cgroup(), "Name": Name, "Kubelet": n.KubeletRoot(), "Settings": s,
	}
	for _, t := range templates.Templates() {
		var text bytes.Buffer
		if err := t.Execute(&text, data); err != nil {
			return fmt.Errorf("fill in %s: %w", t.Name(), err)
		}
		if err := os.MkdirAll(n.path("net"), 0o700); err != nil {
			return fmt.Errorf("make a folder for the node's network: %w", err)
		}
		path := n.path(t.Name())
		if filepath.Ext(path) == ".conflist" {
			path = filepath.Join(n.path("net"), t.Name()) // the runtime reads all that is in the folder
		}
		if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
			return fmt.Errorf("write the node's settings: %w", err)
		}
	}
	return nil
}
