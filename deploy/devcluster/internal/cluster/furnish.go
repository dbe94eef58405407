package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"shopwright.dev/shopwright/deploy/devcluster/internal/api"
	"shopwright.dev/shopwright/deploy/devcluster/internal/simulate"
)

// pollInterval is how often the cluster is asked whether it is there yet.
const pollInterval = 50 * time.Millisecond

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
		{"/api/v1/nodes/sim-1", simulatedNode("sim-1", "a")},
		{"/api/v1/nodes/sim-2", simulatedNode("sim-2", "b")},
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

func simulatedNode(name, zone string) string {
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
