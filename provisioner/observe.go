package provisioner

import (
	"context"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// settled is what a holder has seen or made so, and need not ask again during this job.
type settled struct {
	namespace   kube.NamespaceState
	limits      bool
	credentials bool
	release     helm.Release   // once it is deployed for this change, by whomever
	marks       kube.Marks     // of what was applied, where something was there before
	untested    bool           // the release has no test
	granted     bool           // the backup or the restore has what it needs, by this holder
	data        store.Manifest // of the point that is restored
	resumed     bool           // the setup, by this holder
	attempt     int            // of the check, begun by this holder; the watch may not show it yet
	address     store.Reached
	applied     bool     // by this holder
	notice      notice   // as this holder has put it up
	taken       []string // UIDs of its pods that this holder has asked to go; the watch may not show it yet
	replaced    []string // UIDs of pods that this holder has asked to go; the watch may not show it yet
	reset       bool     // by this holder
	oldSetup    string
	uninstalled bool     // by this holder
	volumesGone bool     // or asked to go, by this holder
	retained    []string // persistent volumes that stay
}

// observe reads what the next decision needs: what is settled is not read again, and what
// the watches know costs no call.
func (w *worker) observe(ctx context.Context, conn *connection) (o observed, err error) {
	o = observed{Snapshot: conn.watcher.Snapshot(w.claim.Store.Namespace), Applied: w.settled.applied, Reset: w.settled.reset, OldSetup: w.settled.oldSetup}
	return o, kindOf(w.claim.Job.Kind).observe(w, ctx, conn, &o)
}
