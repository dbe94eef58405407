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

// releaseName is the name of every store's Helm release, the only one in its namespace.
const releaseName = "store"

// The steps that install or upgrade a release.
const (
	unlockRelease verb = "unlock release"
	resetSetup    verb = "reset setup"
	showNotice    verb = "show the maintenance page"
	applyRelease  verb = "apply release"
	recordRelease verb = "record release"
	replacePods   verb = "replace pods"
)

func releaseActs() map[verb]act {
	return map[verb]act{
		unlockRelease: (*worker).unlockRelease, resetSetup: (*worker).resetSetup, showNotice: (*worker).showNotice,
		applyRelease: (*worker).applyRelease, recordRelease: (*worker).recordRelease, replacePods: (*worker).replacePods,
	}
}

// ensureRelease is done once the watches show what was applied.
func ensureRelease(st store.Store, o observed) (action, bool) {
	current := o.Release.Status == helm.Deployed && o.Release.Change == st.Job.ID
	switch {
	case o.Release.Status == helm.Pending:
		return action{Do: unlockRelease, Step: store.StepRelease}, true
	case st.Generation > 1 && !o.Reset && !o.Applied && stuckSince(o.Snapshot, st.Job.AskedAt):
		return action{Do: resetSetup, Step: store.StepRelease}, true
	case !current, !o.Applied && !o.Behind && (o.Reset || setupMissing(o)):
		if o.Unmet.Code != "" {
			return action{Do: fail, Step: store.StepRelease, Failure: o.Unmet}, true
		}
		if a, due := nextNotice(st, o); due {
			return a, true
		}
		return action{Do: applyRelease, Step: store.StepRelease}, true
	case st.Job.Applied != o.Release.Revision:
		return action{Do: recordRelease, Step: store.StepRelease}, true
	case o.Behind:
		return action{Do: wait, Step: store.StepWorkloads, Note: store.Note{Code: store.ChangesComing}}, true
	case slices.ContainsFunc(o.Snapshot.Pods, isOutdated):
		return action{Do: replacePods, Step: store.StepWorkloads}, true
	}
	return action{}, false
}

func isOutdated(p kube.Pod) bool { return p.Outdated }

// stuckSince reports whether something from before that time waits long, or for ever, to try again.
func stuckSince(s kube.Snapshot, before time.Time) bool {
	return stuckSetup(s, before) != "" || len(stuckPods(s, before)) > 0 || len(podless(s, before)) > 0
}

// stuckSetup returns the name of a setup job from before that time that has failed or waits to try again.
func stuckSetup(s kube.Snapshot, before time.Time) string {
	if job := setupJob(s); (job.Failed || job.LacksPods()) && isOlder(job.CreatedAt, before) {
		return job.Name
	}
	return ""
}

// isOlder reports whether created, which Kubernetes writes in whole seconds, is before the other time.
func isOlder(created, than time.Time) bool { return created.Before(than.Truncate(time.Second)) }

// stuckPods returns the names of pods from before that time that block progress. A container of theirs
// cannot be started, or they are not ready on a node without room for another pod that must run beside
// them: another node may have room for both.
func stuckPods(s kube.Snapshot, before time.Time) []string {
	crowded := slices.ContainsFunc(s.Pods, func(p kube.Pod) bool { return strings.Contains(p.Message, besideAnother) })
	var names []string
	for _, pod := range s.Pods {
		inTheWay := crowded && pod.Node != "" && pod.Ready < pod.Want && !pod.Ended
		if isOlder(pod.CreatedAt, before) && (inTheWay || slices.ContainsFunc(pod.Containers, kube.Container.Stuck)) {
			names = append(names, pod.Name)
		}
	}
	return names
}

// podless returns the workloads from before that time that lack pods.
func podless(s kube.Snapshot, before time.Time) []kube.Workload {
	return slices.DeleteFunc(slices.Clone(s.Workloads), func(w kube.Workload) bool {
		return !w.LacksPods() || !isOlder(w.CreatedAt, before)
	})
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
	if w.behind.during(o.Behind) >= patience { // something was removed since
		w.settled.marks = nil
	}
	return err
}

// observeReplaced marks the pods that this holder has already deleted, so that it does not delete them
// again. Their workload is not ready before the new pods are there.
func (w *worker) observeReplaced(o *observed) {
	for i, pod := range o.Snapshot.Pods {
		if slices.Contains(w.settled.replaced, pod.UID) {
			o.Snapshot.Pods[i].Outdated, o.Snapshot.Pods[i].Leaving = false, true // the watch may be late
		}
	}
}

func (w *worker) unlockRelease(ctx context.Context, conn *connection, _ observed) (store.Note, error) {
	return store.Note{}, conn.helm.Unlock(ctx, w.claim.Store.Namespace, releaseName)
}

// resetSetup removes or restarts what would wait long, or for ever, to try again.
func (w *worker) resetSetup(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	namespace, asked := w.claim.Store.Namespace, w.claim.Store.Job.AskedAt
	if name := stuckSetup(o.Snapshot, asked); name != "" {
		if err := conn.kube.DeleteJob(ctx, namespace, name); err != nil {
			return store.Note{}, err
		}
		w.settled.oldSetup = setupJob(o.Snapshot).UID
	}
	if err := conn.kube.DeletePods(ctx, namespace, stuckPods(o.Snapshot, asked)); err != nil {
		return store.Note{}, err
	}
	for _, workload := range podless(o.Snapshot, asked) {
		if err := conn.kube.Nudge(ctx, namespace, workload); err != nil {
			return store.Note{}, err
		}
	}
	w.settled.reset = true
	return store.Note{}, nil
}

// applyRelease installs the chart or upgrades the release to it. Helm does not wait for readiness: the
// call returns when the API server has accepted the objects, and the watches show the rest.
func (w *worker) applyRelease(ctx context.Context, conn *connection, _ observed) (store.Note, error) {
	request, err := w.releaseRequest()
	if err != nil {
		return store.Note{}, err
	}
	if err := w.shareSecrets(ctx, conn); err != nil {
		return store.Note{}, err
	}
	if err := w.addCredentials(ctx, conn); err != nil {
		return store.Note{}, err
	}
	if err := w.growClaims(ctx, conn, request); err != nil {
		return store.Note{}, err
	}
	release, err := conn.helm.Apply(ctx, request)
	if errors.Is(err, helm.ErrNoRevision) && w.claim.Store.Job.Change.Kind == store.Repair {
		request.Revision = 0 // the release was removed, and its history with it
		release, err = conn.helm.Apply(ctx, request)
	}
	if err != nil {
		return store.Note{}, err
	}
	w.locked = condition{}
	w.settled.release, w.settled.applied, w.settled.marks = release, true, nil
	return store.Note{}, nil
}

// growClaims enlarges volume claims before anything else of an upgrade: if the cluster refuses, nothing
// has changed.
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

// releaseRequest returns the Helm request for the store's present change.
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

// addCredentials creates the credentials that a newer chart needs and the store lacks.
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

// recordRelease records the revision that is in place.
func (w *worker) recordRelease(ctx context.Context, _ *connection, o observed) (store.Note, error) {
	_, offer, err := w.offered(w.engine, w.claim.Store)
	if err != nil {
		return store.Note{}, err
	}
	released := store.Released{
		Number: o.Release.Revision, ChartVersion: o.Release.ChartVersion, Version: w.engine.Version(o.Release.Values), Offer: offer, Like: w.claim.Store.Job.Change.To,
	}
	if released.Like >= released.Number { // the history was lost, and the offered chart was applied
		released.Like = 0
	}
	st, err := w.db.RecordRelease(ctx, w.claim, released)
	if err != nil {
		return store.Note{}, err
	}
	w.hold(st)
	return store.Note{Code: store.ReleaseApplied, Facts: store.Facts{
		Engine: w.engine.Name(), Chart: o.Release.ChartVersion, Count: o.Release.Objects,
	}}, nil
}

// replacePods deletes outdated pods of stateful sets with the update strategy OnDelete, which no
// controller replaces.
func (w *worker) replacePods(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	for _, pod := range o.Snapshot.Pods {
		if !isOutdated(pod) {
			continue
		}
		if err := conn.kube.ReplacePod(ctx, w.claim.Store.Namespace, pod); err != nil {
			return store.Note{}, err
		}
		w.settled.replaced = append(w.settled.replaced, pod.UID)
	}
	return store.Note{}, nil
}

// spec returns what the chart of the store is rendered from.
func (p *Provisioner) spec(st store.Store) engine.Spec {
	spec := p.site
	spec.StoreID, spec.Name, spec.Host, spec.URL, spec.SecretName = st.ID, st.Name, st.Host, p.storeURL(st), credentialsSecret
	spec.Images, spec.Restoring = st.Job.Change.Images, st.Origin.Pending()
	spec.Drill = st.IsDrill()
	spec.Template, spec.Country, spec.Currency, spec.OwnerEmail = st.Template, st.Country, st.Currency, st.OwnerEmail
	return spec
}
