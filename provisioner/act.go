package provisioner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// releaseName is that of every store's Helm release: it is alone in its namespace.
const releaseName = "store"

// credentialsSecret is the Secret that holds a store's passwords, made before its release.
const credentialsSecret = "store-credentials"

// setupComponent is the component label of the job that makes a shop of an empty database.
const setupComponent = "setup"

// act records where the work stands, then does the one thing that is to be done. What is to
// be waited for is left to the caller.
func (w *worker) act(ctx context.Context, conn *connection, o observed, a action) (done bool, err error) {
	switch a.Do {
	case complete:
		err := w.complete(ctx, conn, o)
		return err == nil, err
	case archive:
		_, err := w.db.Archive(ctx, w.claim, w.outcome)
		return err == nil, err
	}
	if err := w.advance(ctx, a); err != nil {
		return false, err
	}
	switch a.Do {
	case fail:
		return w.giveUp(ctx, a.Failure)
	case wait, pass:
		w.waitFor(o, a)
		return false, nil
	}
	outcome, err := w.do(ctx, conn, o, a.Do)
	if err != nil {
		return false, err
	}
	w.outcome, w.failures = outcome, 0
	return false, nil
}

// waitFor remembers what a wait will have come to when it is over.
func (w *worker) waitFor(o observed, a action) {
	w.failures = 0
	switch a.Step {
	case store.StepWorkloads:
		w.outcome = plural(len(shopPods(o.Snapshot)), "pod") + " started"
	case store.StepSetup:
		w.outcome = "The shop is filled"
	case store.StepVolumes:
		w.outcome = w.gone()
		w.emptying.during(true)
	case store.StepRemove:
		w.outcome = "Nothing is left in the cluster"
	}
}

// gone says what is left of a store's disks where its storage class keeps them.
func (w *worker) gone() string {
	if len(w.settled.retained) == 0 {
		return "Pods and disks are gone"
	}
	return "Pods are gone. The storage class keeps the disks, with all orders and customers on them: " + strings.Join(w.settled.retained, ", ")
}

// advance records the step of the action, or what is new about it.
func (w *worker) advance(ctx context.Context, a action) error {
	st := w.claim.Store
	if a.Step == st.Job.Step && (a.Message == "" || a.Message == w.said) {
		return nil
	}
	progress := store.Progress{Step: a.Step, Finished: w.outcome, Message: a.Message}
	st, err := w.db.Advance(ctx, w.claim, progress)
	if err != nil {
		return err
	}
	if a.Step != w.claim.Store.Job.Step {
		w.outcome = ""
	}
	w.said = a.Message
	w.hold(st)
	return nil
}

func (w *worker) hold(st store.Store) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claim = w.claim.On(st)
}

// do changes the cluster and says what came of it.
func (w *worker) do(ctx context.Context, conn *connection, o observed, do verb) (outcome string, err error) {
	owner := w.owner()
	switch do {
	case createNamespace:
		return "Made; it admits restricted pods only", w.createNamespace(ctx, conn)
	case setLimits:
		err = conn.kube.SetLimits(ctx, owner, limitsOf(w.plan))
		w.settled.limits = err == nil
		return PlanSummary(w.plan), err
	case createCredentials:
		return w.createCredentials(ctx, conn)
	case unlockRelease:
		return "", conn.helm.Unlock(ctx, owner.Namespace, releaseName)
	case resetSetup:
		return "", w.resetSetup(ctx, conn, o)
	case applyRelease:
		return "", w.applyRelease(ctx, conn)
	case showNotice:
		return "", w.showNotice(ctx, conn)
	case takeNotice:
		return "", w.takeNotice(ctx, conn, o.Notices)
	case recordRelease:
		return w.recordRelease(ctx, o)
	case replacePods:
		return "", w.replacePods(ctx, conn, o)
	case createCheck:
		return w.createCheck(ctx, conn, o)
	case askAddress:
		return w.askAddress(ctx)
	case uninstallRelease:
		if err := conn.kube.DeletePods(ctx, owner.Namespace, checkPods(o.Snapshot, "")); err != nil {
			return "", err
		}
		err = conn.helm.Uninstall(ctx, owner.Namespace, releaseName)
		w.settled.uninstalled = err == nil
		return "The shop is stopped", err
	case deleteVolumes:
		err = conn.kube.DeleteVolumes(ctx, owner.Namespace)
		w.settled.volumesGone = err == nil
		return plural(o.Volumes, "disk") + " removed", err
	case deleteNamespace:
		w.settled.namespace = kube.NamespaceState{} // the watch shows it as it was for a moment
		return "", conn.kube.DeleteNamespace(ctx, owner.Namespace, o.Namespace.UID)
	default:
		return "", fmt.Errorf("nobody knows how to %s", do)
	}
}

func (w *worker) createNamespace(ctx context.Context, conn *connection) (err error) {
	if w.settled.namespace, err = conn.kube.CreateNamespace(ctx, w.owner()); err != nil {
		return err
	}
	_, err = w.bindRole(ctx, conn)
	return err
}

// resetSetup removes what would wait long, or for ever, before it tries again.
func (w *worker) resetSetup(ctx context.Context, conn *connection, o observed) error {
	namespace, asked := w.claim.Store.Namespace, w.claim.Store.Job.AskedAt
	if name := stuckSetup(o.Snapshot, asked); name != "" {
		if err := conn.kube.DeleteJob(ctx, namespace, name); err != nil {
			return err
		}
		w.settled.oldSetup = setupJob(o.Snapshot).UID
	}
	if err := conn.kube.DeletePods(ctx, namespace, stuckPods(o.Snapshot, asked)); err != nil {
		return err
	}
	for _, workload := range podless(o.Snapshot, asked) {
		if err := conn.kube.Nudge(ctx, namespace, workload); err != nil {
			return err
		}
	}
	w.settled.reset = true
	return nil
}

func (w *worker) createCredentials(ctx context.Context, conn *connection) (string, error) {
	data, err := w.engine.Credentials(w.claim.Store.Host, w.claim.Store.OwnerEmail)
	if err != nil {
		return "", fmt.Errorf("make credentials: %w", err)
	}
	err = conn.kube.CreateSecret(ctx, w.owner(), credentialsSecret, data)
	w.settled.credentials = err == nil
	return "Kept in the namespace only", err
}

// applyRelease installs the chart, or brings what is there up to it. Helm's call takes no
// longer than the API server takes to accept the objects: readiness is watched, not waited
// for by Helm.
func (w *worker) applyRelease(ctx context.Context, conn *connection) error {
	request, err := w.releaseRequest()
	if err != nil {
		return err
	}
	if err := w.shareSecrets(ctx, conn); err != nil {
		return err
	}
	if err := w.addCredentials(ctx, conn); err != nil {
		return err
	}
	if err := w.growClaims(ctx, conn, request); err != nil {
		return err
	}
	release, err := conn.helm.Apply(ctx, request)
	if errors.Is(err, helm.ErrNoRevision) && w.claim.Store.Job.Change.Kind == store.Repair {
		request.Revision = 0 // the release was removed, and its history with it
		release, err = conn.helm.Apply(ctx, request)
	}
	if err != nil {
		return err
	}
	w.locked = spell{}
	w.settled.release, w.settled.applied, w.settled.marks = release, true, nil
	return nil
}

// growClaims makes disks larger that are to be, before anything else of an upgrade: where the
// cluster refuses that, nothing has changed.
func (w *worker) growClaims(ctx context.Context, conn *connection, request helm.Request) error {
	if w.claim.Store.Job.Change.Kind != store.Upgrade {
		return nil
	}
	state, err := conn.helm.Preview(ctx, request)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(state.Growth)) {
		if err := conn.kube.GrowClaim(ctx, request.Namespace, name, state.Growth[name]); err != nil {
			return err
		}
	}
	return nil
}

// releaseRequest is for what the store is being brought to.
func (w *worker) releaseRequest() (helm.Request, error) {
	st := w.claim.Store
	values, err := w.engine.Values(w.spec(st))
	if err != nil {
		return helm.Request{}, fmt.Errorf("make values: %w", err)
	}
	return helm.Request{
		Namespace: st.Namespace, Name: releaseName, Chart: w.engine.Chart(), Values: values, Revision: st.Job.Change.To,
		Over: engine.OwnerValues(st.OwnerEmail), Change: st.Job.ID,
		Fresh: w.settled.namespace.Fresh && w.settled.release.Status == helm.None,
	}, nil
}

// addCredentials makes those that a newer chart needs and the store does not have.
func (w *worker) addCredentials(ctx context.Context, conn *connection) error {
	if w.claim.Store.Job.Change.Kind != store.Upgrade {
		return nil
	}
	data, err := w.engine.Credentials(w.claim.Store.Host, w.claim.Store.OwnerEmail)
	if err != nil {
		return fmt.Errorf("make credentials: %w", err)
	}
	return conn.kube.AddToSecret(ctx, w.claim.Store.Namespace, credentialsSecret, data)
}

// recordRelease writes down the revision that is in place.
func (w *worker) recordRelease(ctx context.Context, o observed) (string, error) {
	_, offer, err := w.offered(w.engine, w.claim.Store)
	if err != nil {
		return "", err
	}
	released := store.Released{
		Number: o.Release.Revision, ChartVersion: o.Release.ChartVersion, Version: w.engine.Version(o.Release.Values), Offer: offer, Like: w.claim.Store.Job.Change.To,
	}
	if released.Like >= released.Number { // the history was lost, and the release was made of what is offered
		released.Like = 0
	}
	st, err := w.db.RecordRelease(ctx, w.claim, released)
	if err != nil {
		return "", err
	}
	w.hold(st)
	return fmt.Sprintf("Chart %s %s, %s", w.engine.Name(), o.Release.ChartVersion, plural(o.Release.Objects, "object")), nil
}

// replacePods removes those of which nobody else makes others after an upgrade.
func (w *worker) replacePods(ctx context.Context, conn *connection, o observed) error {
	for _, pod := range o.Snapshot.Pods {
		if !isOutdated(pod) {
			continue
		}
		if err := conn.kube.ReplacePod(ctx, w.claim.Store.Namespace, pod); err != nil {
			return err
		}
		w.settled.replaced = append(w.settled.replaced, pod.UID)
	}
	return nil
}

// spec is what the store is made of.
func (p *Provisioner) spec(st store.Store) engine.Spec {
	spec := p.site
	spec.StoreID, spec.Name, spec.Host, spec.URL, spec.SecretName = st.ID, st.Name, st.Host, p.storeURL(st), credentialsSecret
	spec.Images = st.Job.Change.Images
	spec.Template, spec.Country, spec.Currency, spec.OwnerEmail = st.Template, st.Country, st.Currency, st.OwnerEmail
	return spec
}

func (w *worker) complete(ctx context.Context, conn *connection, o observed) error {
	url := w.storeURL(w.claim.Store)
	opened := store.Opened{Finished: w.outcome, URL: url, AdminURL: w.engine.AdminURL(url)}
	opened.Check, opened.Next = o.Check.Result, w.nextCheck(true)
	opened.Check.Address = o.Address
	opened.Volumes = o.Release.Claims
	st, err := w.db.Complete(ctx, w.claim, opened)
	if err != nil {
		return err
	}
	w.log.Info("store is ready", "worked", w.worked.Round(time.Millisecond))
	if err := w.prune(ctx, conn, st); err != nil {
		w.log.Warn("old revisions are deleted after the next change", "error", err)
	}
	return nil
}

// prune deletes from the cluster the revisions that the database does not list as kept. It comes
// after they have been marked there, so that no revision is offered that is gone.
func (w *worker) prune(ctx context.Context, conn *connection, st store.Store) error {
	revisions, err := w.db.Revisions(ctx, st.ID)
	if err != nil {
		return err
	}
	var keep []int
	for _, r := range revisions {
		if r.Kept {
			keep = append(keep, r.Number)
		}
	}
	if len(keep) == st.Revision { // all there can be
		return nil
	}
	return conn.helm.Prune(ctx, st.Namespace, releaseName, keep)
}

// giveUp records a failure with all that explains it. done is false when the store goes back
// to what it was, which is work for this holder.
func (w *worker) giveUp(ctx context.Context, f store.Failure, helmLog ...string) (done bool, err error) {
	f.HelmLog = helmLog
	if conn := w.cluster.connection(); conn != nil {
		events, err := w.Events(ctx, w.claim.Store)
		if err != nil {
			w.log.Warn("no events for the evidence", "error", err)
		}
		snapshot := withoutScheduled(conn.watcher.Snapshot(w.claim.Store.Namespace))
		f.Evidence, f.LastWords = evidence(snapshot, events), w.lastWords(ctx, w.claim.Store, snapshot)
	}
	st, err := w.db.Fail(ctx, w.claim, f)
	if err != nil {
		return false, err
	}
	w.log.Warn("store failed", "step", w.claim.Store.Job.Step, "title", f.Title, "cause", f.Cause, "back_to", st.Job.Change.To)
	if st.Wanted() {
		return false, nil
	}
	if conn := w.cluster.connection(); conn != nil {
		if err := w.reopen(ctx, conn); err != nil {
			w.log.Warn("the maintenance page stays until the next check", "error", err)
		}
	}
	return true, nil
}
