package provisioner

import "shopwright.dev/shopwright/store"

// Fleet finds the provisioner of a store's cluster.
type Fleet struct {
	only      *Provisioner
	elsewhere *Provisioner
}

// NewFleet returns the fleet of an installation with one cluster.
func NewFleet(only *Provisioner) *Fleet { return &Fleet{only: only, elsewhere: only.disconnected()} }

// Of returns the provisioner that works on the store. If this installation has no connection to the
// cluster of the store, that is a provisioner that never connects: requests fail with [ErrUnreachable],
// and its state says why.
func (f *Fleet) Of(st store.Store) *Provisioner {
	if st.ClusterID == f.only.cluster.record.ID {
		return f.only
	}
	return f.elsewhere
}

// disconnected returns a provisioner of the same installation for a cluster that it is not connected to.
func (p *Provisioner) disconnected() *Provisioner {
	d := New(Config{DB: p.db, Cluster: store.Cluster{Name: "Not connected"}, Engines: p.engines, Site: p.site, URLPort: p.urlPort, Log: p.log})
	d.cluster.state.Link, d.cluster.state.Problem = Unreachable, "Shopwright has no connection to the cluster of this store."
	return d
}
