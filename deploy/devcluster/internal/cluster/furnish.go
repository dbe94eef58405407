package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"sigs.k8s.io/yaml"

	"shopwright.dev/shopwright/deploy/devcluster/internal/api"
	"shopwright.dev/shopwright/deploy/devcluster/internal/simulate"
)

// pollInterval is how often the cluster is asked whether it is there yet.
const pollInterval = 50 * time.Millisecond

// platform is the name of Shopwright's service account, of its binding, and part of its namespace's.
const (
	platform          = "shopwright"
	platformNamespace = "shopwright-system"
)

// tokenLifetime is how long the platform's token is good for; every `up` issues another.
const tokenLifetime = 365 * 24 * time.Hour

// manifest is an object to apply and the path it has at the API server.
type manifest struct {
	path, text string
}

// furniture is what a cluster has that Kubernetes alone does not bring: nodes, and classes of storage and ingress.
// The label on kube-system says to whoever looks that pods are simulated.
func furniture() []manifest {
	return []manifest{
		{"/api/v1/namespaces/kube-system", `
apiVersion: v1
kind: Namespace
metadata: {name: kube-system, labels: {shopwright.dev/simulated: "true"}}`},
		{"/api/v1/nodes/sim-1", node("sim-1", "a")},
		{"/api/v1/nodes/sim-2", node("sim-2", "b")},
		{"/apis/storage.k8s.io/v1/storageclasses/standard", `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: ` + simulate.Provisioner + `
reclaimPolicy: Delete
volumeBindingMode: Immediate`},
		{"/apis/networking.k8s.io/v1/ingressclasses/sim", `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sim, annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}
spec: {controller: shopwright.dev/simulated}`},
	}
}

func node(name, zone string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Node
metadata:
  name: %s
  labels:
    kubernetes.io/hostname: %s
    kubernetes.io/os: linux
    kubernetes.io/arch: amd64
    topology.kubernetes.io/zone: %s`, name, name, zone)
}

// furnish makes the cluster what tests and people expect, and returns when pods can run there.
func furnish(ctx context.Context, admin *api.Client) error {
	for _, m := range furniture() {
		if err := admin.Apply(ctx, m.path, []byte(m.text)); err != nil {
			return fmt.Errorf("furnish the cluster: %w", err)
		}
	}
	if err := simulate.Install(ctx, admin); err != nil {
		return err
	}
	return poll(ctx, "the nodes to be Ready", func(ctx context.Context) error { return nodesReady(ctx, admin) })
}

// nodeLeases is where kwok says which nodes it plays. It does not play a node whose lease another kwok holds.
const nodeLeases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"

// freeNodes takes the nodes from the kwok of an earlier run, which has ended, or the next would wait for its leases
// to run out.
func freeNodes(ctx context.Context, admin *api.Client) error {
	if err := admin.Delete(ctx, nodeLeases); err != nil {
		return fmt.Errorf("delete the leases of an earlier run's nodes: %w", err)
	}
	return nil
}

// nodesReady asks for leases too: that a node is Ready may be a word from an earlier run.
func nodesReady(ctx context.Context, admin *api.Client) error {
	var leases, nodes struct {
		Items []struct {
			Metadata struct{ Name string }
			Status   struct {
				Conditions []condition
			}
		}
	}
	if err := errors.Join(admin.Get(ctx, nodeLeases, &leases), admin.Get(ctx, "/api/v1/nodes", &nodes)); err != nil {
		return err
	}
	if len(leases.Items) < len(nodes.Items) {
		return errors.New("nobody plays the nodes")
	}
	for _, n := range nodes.Items {
		if !slices.Contains(n.Status.Conditions, condition{"Ready", "True"}) {
			return fmt.Errorf("node %s is not Ready", n.Metadata.Name)
		}
	}
	return nil
}

type condition struct{ Type, Status string }

// poll asks until check has no error. Its own error names what was waited for and what check said last.
func poll(ctx context.Context, what string, check func(context.Context) error) error {
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w (%w)", what, context.Cause(ctx), err)
		}
	}
}

// admit gives Shopwright's service account the ClusterRole in the file role, and writes the kubeconfigs that sign in
// as it. An empty role does nothing.
func (c *Cluster) admit(ctx context.Context, admin *api.Client, role string) error {
	if role == "" {
		return nil
	}
	manifests, err := platformManifests(role)
	if err != nil {
		return err
	}
	for _, m := range manifests {
		if err := admin.Apply(ctx, m.path, []byte(m.text)); err != nil {
			return fmt.Errorf("set up Shopwright's service account: %w", err)
		}
	}
	token, err := requestToken(ctx, admin)
	if err != nil {
		return err
	}
	return c.writeKubeconfig(c.PlatformKubeconfig(), c.Server(), platform, credentials{Token: token})
}

func platformManifests(role string) ([]manifest, error) {
	const rbac = "/apis/rbac.authorization.k8s.io/v1/"
	raw, name, err := readClusterRole(role)
	if err != nil {
		return nil, err
	}
	namespace := "/api/v1/namespaces/" + platformNamespace
	return []manifest{
		{namespace, "{apiVersion: v1, kind: Namespace, metadata: {name: " + platformNamespace + "}}"},
		{namespace + "/serviceaccounts/" + platform, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: " + platform + "}}"},
		{rbac + "clusterroles/" + name, raw},
		{rbac + "clusterrolebindings/" + platform, fmt.Sprintf(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: %s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %s}
subjects: [{kind: ServiceAccount, name: %s, namespace: %s}]`, platform, name, platform, platformNamespace)},
	}, nil
}

// readClusterRole reads a file that holds one ClusterRole and nothing else.
func readClusterRole(path string) (text, name string, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", "", fmt.Errorf("read the platform's role: %w", err)
	}
	var role struct {
		Kind     string
		Metadata struct{ Name string }
	}
	if err := yaml.Unmarshal(raw, &role); err != nil {
		return "", "", fmt.Errorf("%s is no plain manifest: %w", path, err)
	}
	if role.Kind != "ClusterRole" || role.Metadata.Name == "" {
		return "", "", fmt.Errorf("%s must hold one ClusterRole with a name", path)
	}
	return string(raw), role.Metadata.Name, nil
}

func requestToken(ctx context.Context, admin *api.Client) (string, error) {
	var request struct {
		Spec struct {
			ExpirationSeconds int64 `json:"expirationSeconds"`
		} `json:"spec"`
		Status struct {
			Token string `json:"token"`
		} `json:"status,omitzero"`
	}
	request.Spec.ExpirationSeconds = int64(tokenLifetime.Seconds())
	path := "/api/v1/namespaces/" + platformNamespace + "/serviceaccounts/" + platform + "/token"
	if err := admin.Create(ctx, path, request, &request); err != nil {
		return "", fmt.Errorf("request a token for Shopwright's service account: %w", err)
	}
	return request.Status.Token, nil
}
