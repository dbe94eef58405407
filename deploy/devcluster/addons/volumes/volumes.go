// Package volumes makes a folder on the node for each claim, and removes it with the claim's volume.
package volumes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// Provisioner is what a storage class names to have its volumes from here.
const Provisioner = "shopwright.dev/folder"

// folders provisions folders below a directory that has the same path in this pod and on the node.
type folders string

// Run serves claims until ctx ends.
func Run(ctx context.Context, directory string) error {
	config, err := rest.InClusterConfig()
	if err != nil {
		return fmt.Errorf("find the API server: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client of the API server: %w", err)
	}
	provisioner := controller.NewProvisionController(ctx, client, Provisioner, folders(directory),
		controller.LeaderElection(false))
	provisioner.Run(ctx)
	return nil
}

// Provision makes the folder. Everyone may write into it: the kubelet does not give folders of the node to the group
// that a pod asks for.
func (f folders) Provision(_ context.Context, o controller.ProvisionOptions) (*core.PersistentVolume, controller.ProvisioningState, error) {
	path := filepath.Join(string(f), o.PVName)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("make the folder of a volume: %w", err)
	}
	if err := os.Chmod(path, 0o777); err != nil { //nolint:gosec // said above
		return nil, controller.ProvisioningFinished, fmt.Errorf("open the folder of a volume: %w", err)
	}
	kind := core.HostPathDirectory
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: o.PVName},
		Spec: core.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *o.StorageClass.ReclaimPolicy,
			AccessModes:                   o.PVC.Spec.AccessModes,
			Capacity:                      core.ResourceList{core.ResourceStorage: o.PVC.Spec.Resources.Requests[core.ResourceStorage]},
			PersistentVolumeSource:        core.PersistentVolumeSource{HostPath: &core.HostPathVolumeSource{Path: path, Type: &kind}},
			NodeAffinity:                  on(o.SelectedNodeName),
		},
	}, controller.ProvisioningFinished, nil
}

// on keeps the volume's pods on the node that has the folder.
func on(node string) *core.VolumeNodeAffinity {
	return &core.VolumeNodeAffinity{Required: &core.NodeSelector{NodeSelectorTerms: []core.NodeSelectorTerm{{
		MatchExpressions: []core.NodeSelectorRequirement{
			{Key: core.LabelHostname, Operator: core.NodeSelectorOpIn, Values: []string{node}},
		},
	}}}}
}

// Delete removes the folder with all that is in it.
func (f folders) Delete(_ context.Context, volume *core.PersistentVolume) error {
	if err := os.RemoveAll(filepath.Join(string(f), volume.Name)); err != nil {
		return fmt.Errorf("remove the folder of a volume: %w", err)
	}
	return nil
}
