package provisioner

import (
	"context"
	"errors"
	"time"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// The steps that remove a store.
const (
	uninstallRelease verb = "uninstall release"
	deleteVolumes    verb = "delete volumes"
	deleteNamespace  verb = "delete namespace"
	archive          verb = "archive"
)

// removing removes everything of a store from its cluster.
func removing() kind {
	acts := emptyActs()
	acts[deleteNamespace] = (*worker).deleteNamespace
	return kind{
		wanted: (*worker).wantsWork, observe: (*worker).observeRemoval, next: nextRemoval, acts: acts,
		ends:    map[verb]act{archive: (*worker).archive},
		recover: (*worker).recover,
	}
}

// emptyActs are the acts that empty a namespace.
func emptyActs() map[verb]act {
	return map[verb]act{uninstallRelease: (*worker).uninstallRelease, deleteVolumes: (*worker).deleteVolumes}
}

// emptyFor limits how long a namespace may take to become empty before it is deleted as it is. Once empty
// it goes in five seconds, otherwise in fifteen.
const emptyFor = 20 * time.Second

func nextRemoval(st store.Store, o observed) action {
	switch {
	case o.Unlabelled:
		return action{Do: fail, Step: store.StepUninstall, Failure: labelLost(st)}
	case o.Foreign, o.Namespace.Phase == kube.Missing: // nothing there is this store's
		return action{Do: archive, Step: store.StepGone}
	case o.Namespace.Phase == kube.Terminating:
		return action{Do: wait, Step: store.StepRemove, Note: store.Note{Code: store.RemovalGoing, Facts: store.Facts{Names: o.Namespace.Blockers}}, Outcome: store.Note{Code: store.NothingLeft}}
	case o.Release.Status != helm.None:
		return action{Do: uninstallRelease, Step: store.StepUninstall}
	case o.Volumes > 0 && !o.Cleared:
		return action{Do: deleteVolumes, Step: store.StepVolumes}
	case !empty(o.Snapshot) && o.Emptying < emptyFor:
		return action{Do: wait, Step: store.StepVolumes, Note: leftovers(o.Snapshot), Outcome: gone(o)}
	default:
		return action{Do: deleteNamespace, Step: store.StepRemove}
	}
}

// gone reports the disks that remain where the storage class retains them.
func gone(o observed) store.Note {
	if len(o.Retained) == 0 {
		return store.Note{Code: store.ShopGone}
	}
	return store.Note{Code: store.DisksKept, Facts: store.Facts{Names: o.Retained}}
}

func empty(s kube.Snapshot) bool { return len(s.Pods)+len(s.Volumes) == 0 }

func leftovers(s kube.Snapshot) store.Note {
	return store.Note{Code: store.RemainsGoing, Facts: store.Facts{Count: len(s.Pods), Disks: len(s.Volumes)}}
}

// observeRemoval sends requests only about things whose deletion was not requested yet. The watches show
// the rest.
func (w *worker) observeRemoval(ctx context.Context, conn *connection, o *observed) (err error) {
	o.Emptying = w.emptying.during(w.claim.Job.Step == store.StepVolumes)
	if disks := conn.watcher.Retained(w.claim.Store.Namespace); len(disks) > len(w.settled.retained) {
		w.settled.retained = disks // it returns fewer later, as claims are deleted
	}
	o.Retained = w.settled.retained
	if err := w.observeLeaving(ctx, conn, o); err != nil || o.Foreign || o.Namespace.Phase != kube.Active {
		return err
	}
	o.Cleared = w.settled.volumesGone
	if w.settled.volumesGone {
		return nil
	}
	if !w.settled.uninstalled {
		o.Release, err = conn.helm.Release(ctx, w.claim.Store.Namespace, releaseName)
		if err != nil || o.Release.Status != helm.None {
			return err
		}
	}
	o.Volumes, err = conn.kube.Volumes(ctx, w.claim.Store.Namespace)
	w.settled.volumesGone = err == nil && o.Volumes == 0
	return err
}

// observeLeaving reads the namespace until the watch shows the same state, and again when the watch shows
// another one.
func (w *worker) observeLeaving(ctx context.Context, conn *connection, o *observed) error {
	if w.settled.namespace.Phase != "" && w.settled.namespace.Same(o.Snapshot.Namespace) {
		o.Namespace = o.Snapshot.Namespace
		return nil
	}
	state, err := conn.kube.Namespace(ctx, w.owner())
	if errors.Is(err, kube.ErrForeign) {
		return w.observeForeign(ctx, conn, o)
	}
	o.Namespace, w.settled.namespace = state, state
	return err
}

func (w *worker) uninstallRelease(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	namespace := w.claim.Store.Namespace
	if err := conn.kube.DeletePods(ctx, namespace, checkPods(o.Snapshot, "")); err != nil {
		return store.Note{}, err
	}
	err := conn.helm.Uninstall(ctx, namespace, releaseName)
	w.settled.uninstalled = err == nil
	return store.Note{Code: store.ShopStopped}, err
}

func (w *worker) deleteVolumes(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	err := conn.kube.DeleteVolumes(ctx, w.claim.Store.Namespace)
	w.settled.volumesGone = err == nil
	return store.Note{Code: store.DisksRemoved, Facts: store.Facts{Disks: o.Volumes}}, err
}

func (w *worker) deleteNamespace(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	w.settled.namespace = kube.NamespaceState{} // for a moment the watch shows the old state
	return store.Note{}, conn.kube.DeleteNamespace(ctx, w.claim.Store.Namespace, o.Namespace.UID)
}

func (w *worker) archive(ctx context.Context, _ *connection, _ observed) (store.Note, error) {
	_, err := w.db.Archive(ctx, w.claim, w.outcome)
	return store.Note{}, err
}
