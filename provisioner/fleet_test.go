package provisioner_test

import (
	"errors"
	"log/slog"
	"testing"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/store"
)

// A store is asked for in its own cluster, and in no other one.
func TestStoresAreAskedForInTheirCluster(t *testing.T) {
	t.Parallel()
	here := provisioner.New(provisioner.Config{
		Cluster: store.Cluster{ID: "here", Name: "local"}, Engines: engine.Offered(), Log: slog.New(slog.DiscardHandler),
	})
	fleet := provisioner.NewFleet(here)
	if fleet.Of(store.Store{ClusterID: "here"}) != here {
		t.Error("a store of the cluster is asked for elsewhere")
	}
	st := store.Store{ClusterID: "another", Engine: "woocommerce"}
	elsewhere := fleet.Of(st)
	if state := elsewhere.Cluster(); state.Name == "local" || state.Link != provisioner.Unreachable || state.Problem == "" {
		t.Errorf("the cluster of another store is %+v", state)
	}
	if _, err := elsewhere.Credentials(t.Context(), st); !errors.Is(err, provisioner.ErrUnreachable) {
		t.Errorf("its credentials are read: %v", err)
	}
	if _, known := elsewhere.Snapshot(st); known {
		t.Error("its pods are known")
	}
}
