package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports are where a cluster's processes listen on the loopback address.
type Ports struct {
	APIServer int `json:"apiServer"`
	Etcd      int `json:"etcd"`
	EtcdPeer  int `json:"etcdPeer"`
	Kwok      int `json:"kwok"`
}

// nodePorts are where the processes listen that have a machine of their own.
var nodePorts = Ports{APIServer: 6443, Etcd: 2379, EtcdPeer: 2380}

// portCount is how many ports in a row a cluster takes.
const portCount = 4

// Ports that nobody asked for come from this range. It lies below those that Linux gives to outgoing connections, so
// that a port which is free when it is chosen is free when it is used, a moment later.
const (
	lowestPort  = 20000
	highestPort = 32000
	attempts    = 100
)

var errNoPorts = errors.New("no free ports")

func portsFrom(base int) Ports {
	return Ports{APIServer: base, Etcd: base + 1, EtcdPeer: base + 2, Kwok: base + 3}
}

func (p Ports) all() []int { return []int{p.APIServer, p.Etcd, p.EtcdPeer, p.Kwok} }

// choosePorts returns the ports from base on, or, when base is 0, those that the cluster had before if they are
// still free, or else others.
func choosePorts(ctx context.Context, base int, before Ports) (Ports, error) {
	if base != 0 {
		return wanted(ctx, portsFrom(base))
	}
	if before != (Ports{}) && free(ctx, before) == nil {
		return before, nil
	}
	for range attempts {
		block := rand.IntN((highestPort - lowestPort) / portCount) //nolint:gosec // to be guessed does no harm
		p := portsFrom(lowestPort + block*portCount)
		if free(ctx, p) == nil {
			return p, nil
		}
	}
	return Ports{}, fmt.Errorf("%w between %d and %d", errNoPorts, lowestPort, highestPort)
}

func wanted(ctx context.Context, p Ports) (Ports, error) {
	if err := free(ctx, p); err != nil {
		return Ports{}, fmt.Errorf("%w: a cluster takes four ports from %d on; choose others with --port, or any with --port 0: %w",
			errNoPorts, p.APIServer, err)
	}
	return p, nil
}

// free reports which of the ports cannot be listened on.
func free(ctx context.Context, p Ports) error {
	for _, port := range p.all() {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return err
		}
		listener.Close()
	}
	return nil
}
