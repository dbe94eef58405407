package main_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// TestEndsInOrder sends SIGTERM in the middle of the work, with a stream open: the program
// hands over and is out well within the grace period.
func TestEndsInOrder(t *testing.T) {
	t.Parallel()
	slug := "term-" + strings.ToLower(uuid.NewString()[24:])
	kubetest.Simulate(t, "store-"+slug, "start-delay=10m")
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.start()
	page := p.create("Ended", slug)
	p.until(page, "at work", at("Workloads"))
	stream, err := p.client.Get(p.url + "/events?view=stores")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	began := time.Now()
	if code := p.stop(); code != 0 {
		t.Errorf("the program ended with %d", code)
	}
	if took := time.Since(began); took > 9*time.Second {
		t.Errorf("it took %s to end", took)
	}
	kubetest.Simulate(t, "store-"+slug, "start-delay=none")
	p.start()
	p.untilReady(page)
	p.post(page+"/delete", url.Values{"confirm": {"Ended"}})
	p.untilGone(page)
}
