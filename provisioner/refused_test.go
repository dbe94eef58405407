package provisioner_test

import (
	"context"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// mistaken is an engine whose chart has an object that no API server takes.
type mistaken struct{ engine.WooCommerce }

// Chart implements engine.Engine.
func (mistaken) Chart() fs.FS {
	const ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: mistaken}\nspec: {rules: [{host: not a host}]}\n"
	return fstest.MapFS{
		"Chart.yaml":             {Data: []byte("apiVersion: v2\nname: mistaken\nversion: 1.0.0\n")},
		"templates/ingress.yaml": {Data: []byte(ingress)},
	}
}

func TestRefusedChartFailsWithHelmsLastLines(t *testing.T) {
	t.Parallel()
	config := kubetest.Platform(t)
	db := storetest.SQLite(t)
	p := &platform{db: db, admin: kubetest.Admin(t), mark: strings.ToLower(uuid.NewString()[24:])}
	p.actor, p.team = storetest.Actor(t, db, "mara")
	p.Provisioner = provisioner.New(provisioner.Config{
		DB: db, Cluster: storetest.Cluster(t, db), Engines: engine.NewRegistry(mistaken{}), Timeout: time.Minute,
		Connect: func(context.Context, func(provisioner.Progress)) (*rest.Config, error) { return config, nil },
		Site:    engine.Spec{Environment: "local", TLS: engine.TLS{Mode: engine.TLSNone}},
		Holder:  uuid.NewString(), Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Concurrency: store.Concurrency{Global: 8},
	})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { p.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })

	st := p.untilStatus(t, p.request(t, "Mistaken").ID, store.Failed)
	if st.Failure.Step != store.StepRelease || !strings.Contains(st.Failure.Cause, "Ingress") {
		t.Errorf("failed with %+v", st.Failure)
	}
	if !slices.Contains(st.Failure.HelmLog, "creating 1 resource(s)") {
		t.Errorf("Helm’s last lines are %q", st.Failure.HelmLog)
	}
}
