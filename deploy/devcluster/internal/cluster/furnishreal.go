package cluster

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"strings"
	"text/template"

	"sigs.k8s.io/yaml"

	"shopwright.dev/shopwright/deploy/devcluster/internal/api"
)

//go:embed real
var realManifests embed.FS

// Domain is the domain below which, within a cluster with a real node, every name leads to the Ingresses.
const Domain = "devcluster.test"

// furnishReal makes a cluster whose node is real what people expect: names, volumes and Ingresses. It returns when
// they work.
func (c *Cluster) furnishReal(ctx context.Context, admin *api.Client, use images) error {
	manifests, err := c.realFurniture(use)
	if err != nil {
		return err
	}
	for _, m := range manifests {
		if err := admin.Apply(ctx, m.path, []byte(m.text)); err != nil {
			return fmt.Errorf("furnish the cluster: %w", err)
		}
	}
	return poll(ctx, "the cluster's own pods", func(ctx context.Context) error { return addonsReady(ctx, admin) })
}

func (c *Cluster) realFurniture(use images) ([]manifest, error) {
	templates, err := template.ParseFS(realManifests, "real/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("read the cluster's furniture: %w", err)
	}
	holder, err := c.registry().Running(nodeName)
	if err != nil {
		return nil, err
	}
	data := map[string]any{
		// Other pods at every start: what is said of those before may be a word from an earlier run.
		"Run":   fmt.Sprint(holder),
		"Image": use.Addons, "Address": c.Node.Address(), "Volumes": c.Node.Volumes(), "DNS": dnsAddress, "Domain": Domain,
	}
	var manifests []manifest
	for _, t := range templates.Templates() {
		var text bytes.Buffer
		if err := t.Execute(&text, data); err != nil {
			return nil, fmt.Errorf("fill in %s: %w", t.Name(), err)
		}
		for document := range strings.SplitSeq(text.String(), "\n---\n") {
			m, err := newManifest(document)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.Name(), err)
			}
			manifests = append(manifests, m)
		}
	}
	return manifests, nil
}

// kindPaths are where the API server keeps objects: the group's path, and the kind's name in it.
var kindPaths = map[string][2]string{
	"ClusterRole":        {"/apis/rbac.authorization.k8s.io/v1", "clusterroles"},
	"ClusterRoleBinding": {"/apis/rbac.authorization.k8s.io/v1", "clusterrolebindings"},
	"ConfigMap":          {"/api/v1", "configmaps"},
	"Deployment":         {"/apis/apps/v1", "deployments"},
	"IngressClass":       {"/apis/networking.k8s.io/v1", "ingressclasses"},
	"Namespace":          {"/api/v1", "namespaces"},
	"Service":            {"/api/v1", "services"},
	"ServiceAccount":     {"/api/v1", "serviceaccounts"},
	"StorageClass":       {"/apis/storage.k8s.io/v1", "storageclasses"},
}

func newManifest(document string) (manifest, error) {
	var object struct {
		Kind     string
		Metadata struct{ Name, Namespace string }
	}
	if err := yaml.Unmarshal([]byte(document), &object); err != nil {
		return manifest{}, err
	}
	at, known := kindPaths[object.Kind]
	if !known {
		return manifest{}, fmt.Errorf("there is no path for the kind %q", object.Kind)
	}
	namespace := ""
	if object.Metadata.Namespace != "" {
		namespace = "/namespaces/" + object.Metadata.Namespace
	}
	return manifest{at[0] + namespace + "/" + at[1] + "/" + object.Metadata.Name, document}, nil
}

func addonsReady(ctx context.Context, admin *api.Client) error {
	var deployments struct {
		Items []struct {
			Metadata struct {
				Name       string
				Generation int
			}
			Status struct{ ObservedGeneration, AvailableReplicas, UpdatedReplicas, Replicas int }
		}
	}
	if err := admin.Get(ctx, "/apis/apps/v1/namespaces/kube-system/deployments", &deployments); err != nil {
		return err
	}
	for _, d := range deployments.Items {
		seen := d.Status.ObservedGeneration == d.Metadata.Generation
		if !seen || d.Status.AvailableReplicas == 0 || d.Status.UpdatedReplicas != d.Status.Replicas {
			return fmt.Errorf("%s is not available", d.Metadata.Name)
		}
	}
	return nil
}
