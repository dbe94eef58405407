package provisioner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

func namespaceTaken(st store.Store) store.Failure {
	return store.Failure{
		Title: "The namespace is already taken",
		Cause: fmt.Sprintf("The namespace %s exists, but this store didn’t create it. Shopwright leaves it untouched.", st.Namespace),
		Next:  "Delete this store and create it again at another address, or have the namespace removed and press Retry.",
	}
}

func labelLost(st store.Store) store.Failure {
	then := "press Retry"
	if st.Desired == store.Absent {
		then = "delete the store again"
	}
	return store.Failure{
		Title: "The namespace has lost its label",
		Cause: fmt.Sprintf("The namespace %s holds this store, but its label %s is missing or names another store. Shopwright changes nothing there without it.", st.Namespace, kube.LabelStoreID),
		Next:  fmt.Sprintf("Run kubectl label --overwrite namespace %s %s=%s, then %s.", st.Namespace, kube.LabelStoreID, st.ID, then),
	}
}

func credentialsLost(st store.Store) store.Failure {
	return store.Failure{
		Title: "The credentials are missing",
		Cause: fmt.Sprintf("The secret %s/%s is missing or empty, but the store’s disks still exist. New passwords wouldn’t match them.", st.Namespace, credentialsSecret),
		Next:  "Restore the secret and press Retry, or delete the store.",
	}
}

// dataLost is about those volumes, which have gone or are going.
func dataLost(st store.Store, volumes []string, s kube.Snapshot) store.Failure {
	f := store.Failure{
		Code:  store.DataLost,
		Title: "The shop’s data is lost",
		Cause: fmt.Sprintf("These disks of the shop are missing from the namespace %s: %s. New ones would be empty.", st.Namespace, listOf(volumes)),
		Next:  "Restore them under the same names and press Retry, or press Rebuild empty to start without data.",
	}
	if going := leaving(s); slices.ContainsFunc(volumes, func(name string) bool { return slices.Contains(going, name) }) {
		f.Title = "The shop’s disks are being deleted"
		f.Cause = fmt.Sprintf("Someone deleted the volume claims of these disks in the namespace %s: %s. A disk in use is deleted when its pod stops.", st.Namespace, listOf(volumes))
		f.Next = "Back up their data now. Then restore it under the same names and press Retry, or press Rebuild empty to start without data."
	}
	return f
}

func podsRefused(e kube.Event) store.Failure {
	return store.Failure{
		Title: "The cluster rejects the shop’s pods",
		Cause: fmt.Sprintf("%s can’t create pods: %s", e.Object, sentence(e.Message)),
		Next:  "Ask the cluster’s administrator to allow them, then press Retry.",
	}
}

// timedOut names what the store still waits for.
func timedOut(st store.Store, after time.Duration, saying string, s kube.Snapshot) store.Failure {
	for _, pod := range s.Pods {
		if pod.Node == "" && pod.Message != "" && !pod.Ended {
			return noRoom(pod, after)
		}
	}
	return store.Failure{
		Title: "Timed out",
		Cause: fmt.Sprintf("After %s the store is still at the step %s: %s%s", after.Round(time.Second), st.Job.Step, sentence(saying), unready(s)),
		Next:  "Look at the pods and events for the reason. Retry continues from this step.",
	}
}

// unready says of the first pod that keeps a store waiting what it lacks.
func unready(s kube.Snapshot) string {
	for _, pod := range s.Pods {
		if pod.Finished() {
			continue
		}
		for _, c := range pod.Containers {
			switch {
			case c.State.Kind == "running" && pod.Component == setupComponent:
				return fmt.Sprintf(" The container %s of the pod %s hasn’t finished.", c.Name, pod.Name)
			case c.State.Kind == "running" && !c.Init && !c.Ready:
				return fmt.Sprintf(" The container %s of the pod %s is running but not ready.", c.Name, pod.Name)
			}
		}
	}
	return ""
}

func refused(st store.Store, err error) store.Failure {
	return store.Failure{
		Title: "The cluster denied the request",
		Cause: fmt.Sprintf("The cluster denied the request at the step %s: %s", cmp.Or(st.Job.Step, store.StepNamespace), sentence(firstLine(err))),
		Next:  "Ask the cluster’s administrator to allow it, then press Retry.",
	}
}

func notShared(missing *kube.NoOriginalError) store.Failure {
	return store.Failure{
		Title: "A shared secret is missing",
		Cause: fmt.Sprintf("Every store gets a copy of the secret %s/%s, but the cluster doesn’t have it.", missing.Namespace, missing.Name),
		Next:  "Create it, or name another one in the settings and restart Shopwright. Then press Retry.",
	}
}

func panicked() store.Failure {
	return store.Failure{
		Title: "Internal error",
		Cause: "Shopwright hit an internal error while working on this store. Its log has the details.",
		Next:  "Press Retry. If it fails again, report the log entry “the work on the store panicked”.",
	}
}

func revisionGone(st store.Store) store.Failure {
	return store.Failure{
		Title: "The revision no longer exists",
		Cause: fmt.Sprintf("The namespace %s has no release secret for revision %d.", st.Namespace, st.Job.Change.To),
		Next:  "Roll back to another revision, or upgrade to the current chart.",
	}
}

func releaseLocked(locked *helm.LockedError) store.Failure {
	return store.Failure{
		Title: "Another process is changing the release",
		Cause: fmt.Sprintf("Another Helm operation on the release %s started at %s and hasn’t finished: its revision %d is %s. It started again each time Shopwright continued.",
			locked.Name, locked.Since.UTC().Format("15:04:05 MST"), locked.Revision, locked.Status),
		Next: "Find who runs Helm on this store and stop it, then press Retry.",
	}
}

// finalFailure is the failure that an error means, and whether retrying cannot help.
func finalFailure(st store.Store, err error) (f store.Failure, final bool) {
	if missing := (*kube.NoOriginalError)(nil); errors.As(err, &missing) {
		return notShared(missing), true
	}
	if errors.Is(err, helm.ErrNoRevision) {
		return revisionGone(st), true
	}
	return refused(st, err), terminal(err)
}

// evidence are the observations that explain a failure: what the waiting containers and the
// failed jobs say, then the newest warnings. Of a job the event may come after the failure.
func evidence(s kube.Snapshot, events []kube.Event) []store.Evidence {
	const most = 8
	var all []store.Evidence
	for _, pod := range s.Pods {
		for _, c := range pod.Containers {
			if c.State.Kind == "waiting" && c.State.Reason != "" {
				all = append(all, store.Evidence{Object: "pod/" + pod.Name, Reason: c.State.Reason, Message: c.State.Message})
			}
		}
	}
	for _, job := range s.Jobs {
		if job.Failed {
			all = append(all, store.Evidence{Object: "job/" + job.Name, Reason: job.Reason, Message: job.Message})
		}
	}
	direct := all
	for _, e := range events {
		told := slices.ContainsFunc(direct, func(o store.Evidence) bool { return o.Object == e.Object && o.Reason == e.Reason })
		if e.Warning && !told {
			all = append(all, store.Evidence{Object: e.Object, Reason: e.Reason, Message: e.Message, Count: e.Count, Last: e.Last})
		}
	}
	return all[:min(len(all), most)]
}

// terminal reports whether trying again cannot help: the API server understood and said no.
func terminal(err error) bool {
	if apierrors.IsForbidden(err) { // a namespace on its way out forbids new objects for a while
		return !apierrors.HasStatusCause(err, "NamespaceTerminating")
	}
	return apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsMethodNotSupported(err) ||
		apierrors.IsRequestEntityTooLargeError(err)
}

// sentence makes one of a message: without the line breaks, with a full stop.
func sentence(s string) string {
	s = strings.TrimRight(strings.Join(strings.Fields(s), " "), ".")
	if s == "" {
		s = "no reason was given"
	}
	return s + "."
}

// firstLine is the innermost error in one line: what is wrong, without how we came there.
func firstLine(err error) string {
	text := err.Error()
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		text = status.Status().Message
	}
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// giveUp records a failure with all that explains it. done is false when the store goes back
// to what it was, which is work for this holder.
func (w *worker) giveUp(ctx context.Context, f store.Failure, helmLog ...string) (done bool, err error) {
	f.HelmLog = helmLog
	if conn := w.cluster.connection(); conn != nil {
		events, err := w.Events(ctx, w.claim.Store)
		if err != nil {
			w.log.Warn("no events for the failure", "error", err)
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
