package provisioner_test

import (
	"log/slog"
	"sync/atomic"
	"testing"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// brittle is an engine that panics while it is broken.
type brittle struct {
	engine.WooCommerce
	broken *atomic.Bool
}

func (b brittle) Credentials(host, ownerEmail string) (map[string][]byte, error) {
	if b.broken.Load() {
		panic("no entropy left")
	}
	return b.WooCommerce.Credentials(host, ownerEmail)
}

// A panic fails the store that was worked on, with its stack in the log, and nothing else.
func TestPanicFailsOneStore(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	broken.Store(true)
	log := &transcript{}
	p := start(t, func(c *provisioner.Config) {
		c.Engines = engine.NewRegistry(brittle{broken: &broken}, engine.Medusa{})
		c.Log = slog.New(slog.NewTextHandler(log, nil))
	})
	st := p.untilStatus(t, p.request(t, "Brittle").ID, store.Failed)
	if phrase.Failure(st.Job.Failure).Title != "Internal error" || st.Job.Step != store.StepCredentials {
		t.Errorf("failed at %s: %+v", st.Job.Step, st.Job.Failure)
	}
	if !log.has("no entropy left") || !log.has("panic_test.go") {
		t.Error("the log lacks the reason or the stack")
	}
	broken.Store(false)
	if _, err := p.db.Retry(t.Context(), p.actor, st.ID); err != nil {
		t.Fatal(err)
	}
	p.untilStatus(t, st.ID, store.Ready)
}
