package cluster

import (
	"crypto/tls"
	"fmt"
	"net/url"

	"shopwright.dev/shopwright/deploy/devcluster/internal/api"
	"shopwright.dev/shopwright/deploy/devcluster/internal/gate"
)

// GateOptions are those of the gate in front of this cluster's API server. It shows the API server's certificate, so
// that a kubeconfig for one differs from that for the other in its port alone.
func (c *Cluster) GateOptions() (gate.Options, error) {
	cert, err := tls.LoadX509KeyPair(c.cert("server"), c.key("server"))
	if err != nil {
		return gate.Options{}, fmt.Errorf("load the gate's certificate: %w", err)
	}
	roots, err := api.Roots(c.PKI())
	if err != nil {
		return gate.Options{}, err
	}
	upstream, err := url.Parse(c.Server())
	if err != nil {
		return gate.Options{}, fmt.Errorf("parse the API server's URL: %w", err)
	}
	return gate.Options{
		Address:     fmt.Sprintf("127.0.0.1:%d", c.Ports.Gate),
		ControlDir:  c.Dir,
		Upstream:    upstream,
		ServerTLS:   &tls.Config{Certificates: []tls.Certificate{cert}},
		UpstreamTLS: &tls.Config{RootCAs: roots},
	}, nil
}
