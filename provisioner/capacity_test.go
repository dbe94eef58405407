package provisioner_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// onlyOn places the stores of all engines on one node.
func onlyOn(node string) func(*provisioner.Config) {
	return func(c *provisioner.Config) {
		c.Site.Values = map[string]map[string]any{}
		for _, e := range c.Engines.All() {
			c.Site.Values[e.Name()] = kubetest.OnNode(node)
		}
	}
}

// counted waits until the capacity is known.
func (p *platform) counted(t *testing.T) (c provisioner.Capacity) {
	t.Helper()
	kubetest.Within(t, "the nodes are counted", func() bool {
		c = p.Capacity(t.Context(), patience)
		return c.State != provisioner.CapacityUnknown
	})
	return c
}

// What nodes hold is counted on a real API server: before and after somebody else takes most of it.
func TestCapacityIsThatOfTheNodes(t *testing.T) {
	t.Parallel()
	node := kubetest.NewNode(t, "2", "8Gi")
	p := start(t, onlyOn(node))
	p.KeepCounts()
	c := p.counted(t)
	if c.State != provisioner.CapacityCounted || c.Nodes != 1 || c.Allocatable.CPU != 2000 || c.Allocatable.Memory != 8<<30 || c.Requested.CPU != 0 {
		t.Errorf("the capacity is %+v", c)
	}
	for _, r := range c.Room {
		if want := map[string]int{"woocommerce": 4, "medusa": 5}[r.Engine]; r.Stores != want || r.More || r.Label == "" {
			t.Errorf("there is room for %+v, not %d", r, want)
		}
	}
	kubetest.Occupy(t, node, "1700m", "1Gi")
	if again := p.Capacity(t.Context(), patience); !again.At.Equal(c.At) {
		t.Errorf("counted again at once: %+v", again)
	}
	p.CountAgain()
	full := p.counted(t)
	if full.Requested.CPU != 1700 || full.Requested.Memory != 1<<30 || full.Room[0].Stores != 0 || full.Room[1].Stores != 0 {
		t.Errorf("the full node is %+v", full)
	}
}

// counting counts the lists of nodes, which it forbids or lets pass.
type counting struct {
	lists   *atomic.Int64
	forbids bool
	next    http.RoundTripper
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/api/v1/nodes" {
		return c.next.RoundTrip(r)
	}
	c.lists.Add(1)
	if !c.forbids {
		return c.next.RoundTrip(r)
	}
	body := `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "nodes is forbidden"}`
	return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func watching(t *testing.T, lists *atomic.Int64, forbids bool) func(*provisioner.Config) {
	config := kubetest.Platform(t)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return counting{lists, forbids, next} })
	return connecting(to(rest.CopyConfig(config)))
}

// An account without the right says so, and stores are opened all the same.
func TestCapacityWithoutTheRight(t *testing.T) {
	t.Parallel()
	var lists atomic.Int64
	p := start(t, watching(t, &lists, true))
	if c := p.counted(t); c.State != provisioner.CapacityForbidden || len(c.Room) != 0 {
		t.Errorf("the capacity is %+v", c)
	}
	p.untilStatus(t, p.request(t, "Without nodes").ID, store.Ready)
}

// However many look, the nodes are listed once.
func TestNodesAreListedOnceForAll(t *testing.T) {
	t.Parallel()
	var lists atomic.Int64
	p := start(t, watching(t, &lists, false))
	p.KeepCounts()
	p.untilLink(t, provisioner.Connected)
	for counts := range int64(2) {
		done := make(chan provisioner.Capacity)
		for range 50 {
			go func() { done <- p.Capacity(t.Context(), patience) }()
		}
		for range 50 {
			if c := <-done; c.State != provisioner.CapacityCounted {
				t.Errorf("one of many is told %+v", c)
			}
		}
		if n := lists.Load(); n != counts+1 {
			t.Errorf("the nodes were listed %d times for %d counts", n, counts+1)
		}
		p.CountAgain()
	}
}
