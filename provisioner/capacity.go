package provisioner

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"shopwright.dev/shopwright/provisioner/kube"
)

// Capacity is what the nodes of a cluster can allocate to the pods of stores, and the free part.
type Capacity struct {
	State       CapacityState
	At          time.Time // when it was counted
	Nodes       int       // on which pods of stores may be placed; the figures are of these
	Allocatable kube.Amount
	Requested   kube.Amount
	Waiting     int // pods, of anything in the cluster, that have no node yet
	Room        []Room
}

// CapacityState says whether the capacity is known.
type CapacityState string

// The states. Only a counted one has figures.
const (
	CapacityUnknown   CapacityState = "unknown" // the cluster cannot be reached, or has not been asked yet
	CapacityForbidden CapacityState = "forbidden"
	CapacityCounted   CapacityState = "counted"
)

// Room is how many more stores of an engine the nodes hold, by what its chart requests.
type Room struct {
	Engine string
	Label  string
	Stores int  // about
	More   bool // whether there is room for more than that
}

const (
	capacityAge     = 30 * time.Second // after which it is counted again when somebody looks
	capacityPause   = 20               // times what counting took, which is seconds where there are thousands of pods
	capacityTooOld  = 10 * time.Minute // to be shown
	capacityTimeout = time.Minute
)

// census counts what the nodes of a cluster hold, when somebody looks at it.
type census struct {
	wanted  chan struct{}
	counted kube.Signals

	mu    sync.Mutex
	age   time.Duration // see capacityAge
	last  Capacity
	until time.Time // the last one is recent enough
}

func newCensus() *census { return &census{wanted: make(chan struct{}, 1), age: capacityAge} }

// known is the last count, and whether it is recent enough.
func (c *census) known() (last Capacity, recent bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.last.At) > capacityTooOld {
		return Capacity{State: CapacityUnknown}, false
	}
	return c.last, now.Before(c.until)
}

func (c *census) set(counted Capacity, took time.Duration) {
	c.mu.Lock()
	c.last, c.until = counted, counted.At.Add(max(c.age, capacityPause*took))
	c.mu.Unlock()
	c.counted.Send(clusterKey)
}

// Capacity returns what the nodes hold. Where the last count is too old it is done again; the caller waits for it as
// long as the patience says, and then gets the old one.
func (p *Provisioner) Capacity(ctx context.Context, patience time.Duration) Capacity {
	if p.cluster.connection() == nil {
		return Capacity{State: CapacityUnknown}
	}
	c := p.cluster.census
	counted, cancel := c.counted.Subscribe(clusterKey)
	defer cancel()
	known, recent := c.known()
	if recent {
		return known
	}
	select {
	case c.wanted <- struct{}{}:
	default: // it is wanted already
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-counted:
	case <-limit.C:
	case <-ctx.Done():
	}
	known, _ = c.known()
	return known
}

// count counts when it is wanted, until the context is done.
func (p *Provisioner) count(ctx context.Context) {
	c := p.cluster.census
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wanted:
		}
		if _, recent := c.known(); recent {
			continue
		}
		if conn := p.cluster.connection(); conn != nil {
			began := time.Now()
			counted := p.countNodes(ctx, conn)
			c.set(counted, time.Since(began))
		}
	}
}

func (p *Provisioner) countNodes(ctx context.Context, conn *connection) Capacity {
	ctx, cancel := context.WithTimeout(ctx, capacityTimeout)
	defer cancel()
	nodes, err := conn.kube.Nodes(ctx)
	if err == nil {
		var counted Capacity
		if counted, err = p.capacityOf(nodes); err == nil {
			counted.At = time.Now()
			return counted
		}
	}
	failed := Capacity{State: CapacityUnknown, At: time.Now()}
	if apierrors.IsForbidden(err) {
		failed.State = CapacityForbidden
		return failed
	}
	p.log.Warn("can’t measure the capacity of the nodes", "error", err)
	return failed
}

// capacityOf is pure but for the engines' charts, which are rendered once.
func (p *Provisioner) capacityOf(all kube.Nodes) (Capacity, error) {
	c := Capacity{State: CapacityCounted, Waiting: len(all.Waiting)}
	var stores []storeNeed
	for _, e := range p.engines.All() {
		takes, err := p.demands.of(e, p.site)
		if err != nil {
			return Capacity{}, err
		}
		n := roomFor(all, takes.nodes)
		c.Room = append(c.Room, Room{Engine: e.Name(), Label: e.Label(), Stores: n, More: n == mostRoom})
		stores = append(stores, takes.nodes)
	}
	for _, n := range all.Nodes {
		if takesStores(n, stores) {
			c.Nodes++
			c.Allocatable, c.Requested = c.Allocatable.Plus(n.Allocatable), c.Requested.Plus(n.Requested)
		}
	}
	return c, nil
}

// takesStores reports whether a pod of some store may be placed on the node.
func takesStores(n kube.Node, stores []storeNeed) bool {
	for _, store := range stores {
		for _, pod := range store.lasting {
			if n.Admits(pod.PodNeed) {
				return true
			}
		}
	}
	return false
}
