package provisioner

import (
	"context"
	"slices"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// changing brings a store to something else than it is, or back to it: upgrade, rollback, repair,
// rebuild, and another owner. It goes the way of opening one, and looks first at what it has.
func changing() kind {
	k := opening()
	k.observe = (*worker).observeChange
	k.next = inOrder(checkNamespace, checkData, ensureNamespace, clearRemains, ensureLimitsAndCredentials, ensureRelease, loadData, awaitWorkloads, proveSale)
	k.acts = together(k.acts, emptyActs())
	return k
}

// checkData are not replaced by empty disks, which would make an empty shop that looks well.
func checkData(st store.Store, o observed) (action, bool) {
	gone := lost(st.Volumes, o.Snapshot)
	if len(gone) == 0 {
		return action{}, false
	}
	return action{Do: fail, Step: store.StepNamespace, Failure: dataLost(st, gone, o.Snapshot)}, true
}

// lost are the volumes that the store had when it was ready and that are gone, or going.
// Empty ones in their place would make an empty shop that looks well.
func lost(volumes []string, s kube.Snapshot) (names []string) {
	for _, name := range volumes {
		if !slices.ContainsFunc(s.Volumes, func(v kube.Volume) bool { return v.Name == name && !v.Leaving }) {
			names = append(names, name)
		}
	}
	return names
}

// leaving are the volumes that are on their way out.
func leaving(s kube.Snapshot) (names []string) {
	for _, v := range s.Volumes {
		if v.Leaving {
			names = append(names, v.Name)
		}
	}
	return names
}

// clearRemains removes what is left of a shop that is rebuilt: a disk of before would not be empty,
// or would go with the next restart of its pod.
func clearRemains(st store.Store, o observed) (action, bool) {
	switch {
	case !holdsRemains(st, o):
		return action{}, false
	case st.Job.Change.Elsewhere:
		return action{Do: fail, Step: store.StepNamespace, Failure: store.Failure{Code: store.StillThere, Facts: store.Facts{Namespace: st.Namespace}}}, true
	case o.Release.Status != helm.None:
		return action{Do: uninstallRelease, Step: store.StepNamespace}, true
	case !o.Cleared:
		return action{Do: deleteVolumes, Step: store.StepNamespace}, true
	default:
		return action{Do: wait, Step: store.StepNamespace, Note: leftovers(o.Snapshot)}, true
	}
}

// holdsRemains reports whether there is something left of the shop that a rebuild replaces. The
// first release of the rebuild is made when nothing is.
func holdsRemains(st store.Store, o observed) bool {
	there := o.Release.Status != helm.None
	begun := there && o.Release.Change == st.Job.ID
	return st.Job.Change.Kind == store.Rebuild && !begun && (there || o.Volumes > 0)
}

func (w *worker) observeChange(ctx context.Context, conn *connection, o *observed) error {
	if err := w.observeOpen(ctx, conn, o); err != nil || o.Foreign || o.Namespace.Phase != kube.Active || w.claim.Store.Job.Change.Kind != store.Rebuild {
		return err
	}
	return w.observeRemains(ctx, conn, o)
}

// observeRemains counts the disks in the namespace of a store that is rebuilt, until its release
// is made. The watches need not show all yet.
func (w *worker) observeRemains(ctx context.Context, conn *connection, o *observed) (err error) {
	o.Cleared = w.settled.volumesGone
	if o.Release.Status == helm.None && !w.settled.namespace.Fresh {
		o.Volumes, err = conn.kube.Volumes(ctx, w.claim.Store.Namespace)
	}
	return err
}
