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

// settled is what a holder has seen or made so, and need not ask again in this generation.
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
	if err := w.observeRelease(ctx, conn, &o); err != nil || w.claim.Store.Change.Kind != store.Rebuild {
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
	o.Check, o.Untested, o.Address = runOf(o.Snapshot, openingRun(w.claim.Store)), w.settled.untested, w.settled.address
	unseen := o.Check.Attempt < w.settled.attempt
	switch {
	case w.unseen.during(unseen) >= patience: // somebody has removed it
		w.settled.attempt = 0
	case unseen:
		o.Check = checkRun{Name: o.Check.Name, Attempt: w.settled.attempt}
	}
	o.Misled = w.misled.during(o.Address.Outcome == store.WrongAnswer)
	if o.Check.Done && w.claim.Store.Step == store.StepCheck {
		w.outcome = o.Check.Result.Outcome()
	}
}

func (w *worker) observeNamespace(ctx context.Context, conn *connection, o *observed) error {
	if w.settled.namespace.Phase == kube.Active && (o.Snapshot.Namespace.Phase == kube.Active || !w.settled.applied) {
		o.Namespace = w.settled.namespace
		return nil
	}
	if w.claim.Store.Generation == 1 && w.claim.Store.Step == "" { // making it finds out whether it is there
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
	if o.Release.Status != helm.Deployed || o.Release.Change != w.claim.Store.Change.ID {
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
	if a.Step == st.Step && (a.Message == "" || a.Message == w.said) {
		return nil
	}
	progress := store.Progress{Step: a.Step, Finished: w.outcome, Message: a.Message}
	st, err := w.db.Advance(ctx, w.claim, progress)
	if err != nil {
		return err
	}
	if a.Step != w.claim.Store.Step {
		w.outcome = ""
	}
	w.said = a.Message
	w.hold(st)
	return nil
}

func (w *worker) hold(st store.Store) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claim.Store = st
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
	namespace, asked := w.claim.Store.Namespace, w.claim.Store.QueuedAt
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
	data, err := w.engine.Credentials(w.claim.Store.Host)
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
	if errors.Is(err, helm.ErrNoRevision) && w.claim.Store.Change.Kind == store.Repair {
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
	if w.claim.Store.Change.Kind != store.Upgrade {
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
		Namespace: st.Namespace, Name: releaseName, Chart: w.engine.Chart(), Values: values, Revision: st.Change.To,
		Change: st.Change.ID,
		Fresh:  w.settled.namespace.Fresh && w.settled.release.Status == helm.None,
	}, nil
}

// addCredentials makes those that a newer chart needs and the store does not have.
func (w *worker) addCredentials(ctx context.Context, conn *connection) error {
	if w.claim.Store.Change.Kind != store.Upgrade {
		return nil
	}
	data, err := w.engine.Credentials(w.claim.Store.Host)
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
		Number: o.Release.Revision, ChartVersion: o.Release.ChartVersion, Version: w.engine.Version(o.Release.Values), Offer: offer, Like: w.claim.Store.Change.To,
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

// observeReplaced leaves those pods alone that have been asked to go: their workload is not
// ready before there are others.
func (w *worker) observeReplaced(o *observed) {
	for i, pod := range o.Snapshot.Pods {
		if slices.Contains(w.settled.replaced, pod.UID) {
			o.Snapshot.Pods[i].Outdated = false
		}
	}
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
	spec.Images = st.Change.Images
	spec.Template, spec.Country, spec.Currency = st.Template, st.Country, st.Currency
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
	w.log.Warn("store failed", "step", w.claim.Store.Step, "title", f.Title, "cause", f.Cause, "back_to", st.Change.To)
	return !st.Wanted(), nil
}
