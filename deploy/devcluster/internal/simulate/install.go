package simulate

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/yaml"

	"shopwright.dev/shopwright/deploy/devcluster/internal/api"
)

//go:embed policy.yaml
var policy []byte

//go:embed binding.yaml
var binding []byte

// namespace holds the switches.
const namespace = "simulation"

const (
	probeInterval = 20 * time.Millisecond
	probeTimeout  = 20 * time.Second
)

// object is what this package reads and writes of pods and ConfigMaps.
type object struct {
	APIVersion string            `json:"apiVersion,omitempty"`
	Kind       string            `json:"kind,omitempty"`
	Metadata   objectMeta        `json:"metadata"`
	Data       map[string]string `json:"data,omitempty"`
	Spec       *podSpec          `json:"spec,omitempty"`
	Status     struct {
		Phase string `json:"phase,omitempty"`
	} `json:"status,omitzero"`
}

type objectMeta struct {
	Name            string            `json:"name,omitempty"`
	Labels          map[string]string `json:"labels,omitempty"`
	Annotations     map[string]string `json:"annotations,omitempty"`
	ResourceVersion string            `json:"resourceVersion,omitempty"`
	OwnerReferences []struct {
		Kind string `json:"kind"`
	} `json:"ownerReferences,omitempty"`
}

type podSpec struct {
	Containers []container `json:"containers"`
}

type container struct {
	Name  string `json:"name"`
	Image string `json:"image"`
}

// Install puts the policy that hands switches to pods in force.
func Install(ctx context.Context, c *api.Client) error {
	const admission = "/apis/admissionregistration.k8s.io/v1/"
	for _, o := range []struct {
		path     string
		manifest []byte
	}{
		{"/api/v1/namespaces/" + namespace, []byte("{apiVersion: v1, kind: Namespace, metadata: {name: " + namespace + "}}")},
		{admission + "mutatingadmissionpolicies/simulation.shopwright.dev", policy},
		{admission + "mutatingadmissionpolicybindings/simulation.shopwright.dev", binding},
	} {
		if err := c.Apply(ctx, o.path, o.manifest); err != nil {
			return fmt.Errorf("install the simulation: %w", err)
		}
	}
	// Switches for the namespace of switches itself have no effect, except to show when the policy is in force.
	revision, err := write(ctx, c, namespace, nil)
	if err != nil {
		return err
	}
	return waitInForce(ctx, c, namespace, revision)
}

// write makes switches those of the namespace target and returns their revision.
func write(ctx context.Context, c *api.Client, target string, switches map[string]string) (revision string, err error) {
	manifest, err := yaml.Marshal(object{
		APIVersion: "v1", Kind: "ConfigMap", Data: switches,
		Metadata: objectMeta{Name: target, Labels: map[string]string{"shopwright.dev/simulation": "switches"}},
	})
	if err != nil {
		return "", fmt.Errorf("encode switches: %w", err)
	}
	path := "/api/v1/namespaces/" + namespace + "/configmaps/" + target
	if err := c.Apply(ctx, path, manifest); err != nil {
		return "", fmt.Errorf("write switches: %w", err)
	}
	var written object
	if err := c.Get(ctx, path, &written); err != nil {
		return "", fmt.Errorf("read switches back: %w", err)
	}
	return written.Metadata.ResourceVersion, nil
}

// read returns the switches of the namespace target, none where none were ever set.
func read(ctx context.Context, c *api.Client, target string) (map[string]string, error) {
	var found object
	err := c.Get(ctx, "/api/v1/namespaces/"+namespace+"/configmaps/"+target, &found)
	if api.IsNotFound(err) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read switches: %w", err)
	}
	return found.Data, nil
}

// waitInForce returns when pods of the namespace target get the switches of this revision: the API server looks for
// changed policies once a second, and hears of changed switches a moment after they are written.
func waitInForce(ctx context.Context, c *api.Client, target, revision string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	probe := object{Metadata: objectMeta{Name: target}, Spec: &podSpec{Containers: []container{{"probe", "probe"}}}}
	for {
		var stamped object
		// An error may pass: the namespace is young and has no service account yet.
		err := c.Create(ctx, "/api/v1/namespaces/"+namespace+"/pods?dryRun=All", probe, &stamped)
		if err == nil && stamped.Metadata.Annotations[revisionAnnotation] == revision {
			return nil
		}
		select {
		case <-time.After(probeInterval):
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("wait for switches to be in force: %w", ctx.Err()), err)
		}
	}
}
