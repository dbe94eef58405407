package provisioner

import (
	"context"
	"errors"
	"slices"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// settled is what a holder has seen or made so, and need not ask again during this job.
type settled struct {
	namespace   kube.NamespaceState
	limits      bool
	credentials bool
	release     helm.Release // once it is deployed for this change, by whomever
	marks       kube.Marks   // of what was applied, where something was there before
	untested    bool         // the release has no test
	attempt     int          // of the check, begun by this holder; the watch may not show it yet
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
	w.observeNotice(&o, o.Snapshot)
	if w.claim.Store.Desired != store.Absent {
		o.Snapshot = withoutScheduled(o.Snapshot)
	}
	w.observeReplaced(&o)
	o.Emptying = w.emptying.lasts()
	w.observeOpening(&o)
	if w.claim.Store.Desired == store.Absent {
		if disks := conn.watcher.Retained(w.claim.Store.Namespace); len(disks) > len(w.settled.retained) {
			w.settled.retained = disks // fewer later, as the claims go
		}
		return w.observeRemoval(ctx, conn, o)
	}
	if err := w.observeNamespace(ctx, conn, &o); err != nil || o.Foreign || o.Namespace.Phase != kube.Active {
		return o, err
	}
	if err := w.observeParts(ctx, conn, &o); err != nil {
		return o, err
	}
	if !w.settled.applied {
		if o.Unmet, err = w.unmet(conn); err != nil {
			return o, err
		}
	}
	if err := w.observeRelease(ctx, conn, &o); err != nil || w.claim.Store.Job.Change.Kind != store.Rebuild {
		return o, err
	}
	return o, w.observeRemains(ctx, conn, &o)
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

// observeOpening reads what the last steps of opening a store depend on.
func (w *worker) observeOpening(o *observed) {
	o.Check, o.Untested, o.Address = runOf(o.Snapshot, runOfJob(w.claim.Store.Job)), w.settled.untested, w.settled.address
	unseen := o.Check.Attempt < w.settled.attempt
	switch {
	case w.unseen.during(unseen) >= patience: // somebody has removed it
		w.settled.attempt = 0
	case unseen:
		o.Check = checkRun{Name: o.Check.Name, Attempt: w.settled.attempt}
	}
	o.Misled = w.misled.during(o.Address.Outcome == store.WrongAnswer)
	if o.Check.Done && w.claim.Store.Job.Step == store.StepCheck {
		w.outcome = o.Check.Result.Outcome()
	}
}

func (w *worker) observeNamespace(ctx context.Context, conn *connection, o *observed) error {
	if w.settled.namespace.Phase == kube.Active && (o.Snapshot.Namespace.Phase == kube.Active || !w.settled.applied) {
		o.Namespace = w.settled.namespace
		return nil
	}
	if w.claim.Store.Generation == 1 && w.claim.Store.Job.Step == "" { // making it finds out whether it is there
		o.Namespace = kube.NamespaceState{Phase: kube.Missing}
		return nil
	}
	state, err := conn.kube.Namespace(ctx, w.owner())
	if errors.Is(err, kube.ErrForeign) {
		return w.observeForeign(ctx, conn, o)
	}
	if state.Phase != kube.Active { // what was in it is gone or going
		w.settled = settled{}
	}
	o.Namespace, w.settled.namespace = state, state
	return err
}

// observeForeign finds out whether a namespace that does not bear the store's id is the store's
// nevertheless: somebody may have removed the label.
func (w *worker) observeForeign(ctx context.Context, conn *connection, o *observed) (err error) {
	o.Foreign, o.Unlabelled = true, conn.watcher.Holds(w.owner())
	if !o.Unlabelled {
		o.Unlabelled, err = conn.kube.OwnsSecret(ctx, w.owner(), credentialsSecret)
	}
	return err
}

// observeParts asks for nothing in a namespace that this holder has made: what is there is
// what it put there.
func (w *worker) observeParts(ctx context.Context, conn *connection, o *observed) (err error) {
	namespace := w.claim.Store.Namespace
	if w.settled.namespace.Fresh {
		o.Limits, o.Credentials = w.settled.limits, w.settled.credentials
		return nil
	}
	if !w.settled.limits {
		if w.settled.limits, err = conn.kube.HasLimits(ctx, namespace, limitsOf(w.plan)); err != nil {
			return err
		}
	}
	if !w.settled.credentials {
		if w.settled.credentials, err = conn.kube.HasSecret(ctx, namespace, credentialsSecret); err != nil {
			return err
		}
	}
	o.Limits, o.Credentials = w.settled.limits, w.settled.credentials
	if !o.Credentials {
		o.Volumes, err = conn.kube.Volumes(ctx, namespace)
	}
	return err
}

func (w *worker) observeRelease(ctx context.Context, conn *connection, o *observed) (err error) {
	namespace := w.claim.Store.Namespace
	if o.Release = w.settled.release; o.Release.Status == helm.None && !w.settled.namespace.Fresh {
		if o.Release, err = conn.helm.Release(ctx, namespace, releaseName); err != nil {
			return err
		}
	}
	if o.Release.Status != helm.Deployed || o.Release.Change != w.claim.Store.Job.ID {
		return nil
	}
	w.settled.release = o.Release
	if w.settled.marks == nil && !w.settled.namespace.Fresh {
		w.settled.marks, err = conn.kube.Marks(ctx, namespace)
	}
	o.Behind = !conn.watcher.Shows(namespace, w.settled.marks)
	if w.behind.during(o.Behind) >= patience { // somebody has removed something since
		w.settled.marks = nil
	}
	return err
}

// observeRemoval asks for what has not been asked to go yet. The rest is watched.
func (w *worker) observeRemoval(ctx context.Context, conn *connection, o observed) (observed, error) {
	if err := w.observeLeaving(ctx, conn, &o); err != nil || o.Foreign || o.Namespace.Phase != kube.Active {
		return o, err
	}
	o.Cleared = w.settled.volumesGone
	if w.settled.volumesGone {
		return o, nil
	}
	if !w.settled.uninstalled {
		release, err := conn.helm.Release(ctx, w.claim.Store.Namespace, releaseName)
		if o.Release = release; err != nil || release.Status != helm.None {
			return o, err
		}
	}
	var err error
	o.Volumes, err = conn.kube.Volumes(ctx, w.claim.Store.Namespace)
	w.settled.volumesGone = err == nil && o.Volumes == 0
	return o, err
}

// observeLeaving asks for the namespace until the watch shows the same, and when the watch
// shows something else again.
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

// observeReplaced leaves those pods alone that have been asked to go: their workload is not
// ready before there are others.
func (w *worker) observeReplaced(o *observed) {
	for i, pod := range o.Snapshot.Pods {
		if slices.Contains(w.settled.replaced, pod.UID) {
			o.Snapshot.Pods[i].Outdated = false
		}
	}
}
