package provisioner

import (
	"context"
	"errors"
	"fmt"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// credentialsSecret is the Secret that holds a store's passwords, made before its release.
const credentialsSecret = "store-credentials"

// The steps that prepare a store's namespace.
const (
	createNamespace   verb = "create namespace"
	setLimits         verb = "set limits"
	createCredentials verb = "create credentials"
)

// namespaceActs are the acts that prepare a store's namespace.
func namespaceActs() map[verb]act {
	return map[verb]act{
		createNamespace: (*worker).createNamespace, setLimits: (*worker).setLimits, createCredentials: (*worker).createCredentials,
	}
}

// checkNamespace fails if the namespace is not the store's, and waits while it is terminating.
func checkNamespace(st store.Store, o observed) (action, bool) {
	switch {
	case o.Unlabelled:
		return action{Do: fail, Step: store.StepNamespace, Failure: labelLost(st)}, true
	case o.Foreign:
		return action{Do: fail, Step: store.StepNamespace, Failure: namespaceTaken(st)}, true
	case o.Namespace.Phase == kube.Terminating:
		return action{Do: wait, Step: store.StepNamespace, Note: store.Note{Code: store.NamespaceGoing, Facts: store.Facts{Names: o.Namespace.Blockers}}}, true
	}
	return action{}, false
}

func ensureNamespace(_ store.Store, o observed) (action, bool) {
	return action{Do: createNamespace, Step: store.StepNamespace}, o.Namespace.Phase == kube.Missing
}

// ensureLimitsAndCredentials never creates credentials beside existing volumes: their data was made with
// other ones.
func ensureLimitsAndCredentials(st store.Store, o observed) (action, bool) {
	switch {
	case !o.Limits:
		return action{Do: setLimits, Step: store.StepLimits}, true
	case !o.Credentials && o.Volumes > 0:
		return action{Do: fail, Step: store.StepCredentials, Failure: credentialsLost(st)}, true
	case !o.Credentials:
		return action{Do: createCredentials, Step: store.StepCredentials}, true
	}
	return action{}, false
}

func (w *worker) observeNamespace(ctx context.Context, conn *connection, o *observed) error {
	if w.settled.namespace.Phase == kube.Active && (o.Snapshot.Namespace.Phase == kube.Active || !w.settled.applied) {
		o.Namespace = w.settled.namespace
		return nil
	}
	if w.claim.Store.Generation == 1 && w.claim.Store.Job.Step == "" { // creating it shows whether it exists
		o.Namespace = kube.NamespaceState{Phase: kube.Missing}
		return nil
	}
	state, err := conn.kube.Namespace(ctx, w.owner())
	if errors.Is(err, kube.ErrForeign) {
		return w.observeForeign(ctx, conn, o)
	}
	if state.Phase != kube.Active { // its contents are gone or being deleted
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

// observeParts sends no request for a namespace that this holder has created: it contains only what the
// holder put there.
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

func (w *worker) createNamespace(ctx context.Context, conn *connection, _ observed) (came store.Note, err error) {
	if w.settled.namespace, err = conn.kube.CreateNamespace(ctx, w.owner()); err != nil {
		return store.Note{}, err
	}
	_, err = w.bindRole(ctx, conn)
	return store.Note{Code: store.NamespaceCreated}, err
}

func (w *worker) setLimits(ctx context.Context, conn *connection, _ observed) (store.Note, error) {
	err := conn.kube.SetLimits(ctx, w.owner(), limitsOf(w.plan))
	w.settled.limits = err == nil
	return store.Note{Code: store.LimitsSet, Facts: store.Facts{Figures: w.plan.Figures()}}, err
}

func (w *worker) createCredentials(ctx context.Context, conn *connection, _ observed) (store.Note, error) {
	data, err := w.engine.Credentials(w.claim.Store.Host, w.claim.Store.OwnerEmail)
	if err != nil {
		return store.Note{}, fmt.Errorf("make credentials: %w", err)
	}
	err = conn.kube.CreateSecret(ctx, w.owner(), credentialsSecret, data)
	w.settled.credentials = err == nil
	return store.Note{Code: store.CredentialsStored}, err
}
