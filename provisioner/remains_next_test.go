package provisioner

import (
	"testing"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/store"
)

// What is found of a store in a cluster that took the place of a lost one is left as it is.
func TestRemainsInAnotherClusterAreKept(t *testing.T) {
	t.Parallel()
	rebuilt := func(elsewhere bool) store.Store {
		return store.Store{Namespace: "store-a", Job: store.Job{ID: "job", Args: store.Args{Change: store.Change{Kind: store.Rebuild, Elsewhere: elsewhere}}}}
	}
	var released, disks, own observed
	released.Release.Status, released.Release.Change = helm.Deployed, "before"
	disks.Volumes = 2
	own.Release.Status, own.Release.Change, own.Volumes = helm.Deployed, "job", 2
	for name, o := range map[string]observed{"a release": released, "disks": disks} {
		if got, ok := clearRemains(rebuilt(true), o); !ok || got.Do != fail || got.Failure.Code != store.StillThere || got.Failure.Facts.Namespace != "store-a" {
			t.Errorf("%s in a cluster that should be empty: %+v", name, got)
		}
		if got, ok := clearRemains(rebuilt(false), o); !ok || got.Do != uninstallRelease && got.Do != deleteVolumes {
			t.Errorf("%s of a store that a person rebuilds: %+v", name, got)
		}
	}
	for name, o := range map[string]observed{"nothing": {}, "its own release": own} {
		if got, ok := clearRemains(rebuilt(true), o); ok {
			t.Errorf("%s ends the work: %+v", name, got)
		}
	}
}
