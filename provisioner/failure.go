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
		Title: "The namespace is somebody else’s",
		Cause: fmt.Sprintf("The cluster has a namespace %s that this store did not make. It is left untouched.", st.Namespace),
		Next:  "Delete this store and create it again under another address, or have the namespace removed and press Retry.",
	}
}

func labelLost(st store.Store) store.Failure {
	then := "press Retry"
	if st.Desired == store.Absent {
		then = "delete the store again"
	}
	return store.Failure{
		Title: "The namespace has lost its label",
		Cause: fmt.Sprintf("The namespace %s holds this store, but its label %s is missing or names another store. Without it Shopwright changes nothing there.", st.Namespace, kube.LabelStoreID),
		Next:  fmt.Sprintf("Run kubectl label --overwrite namespace %s %s=%s, then %s.", st.Namespace, kube.LabelStoreID, st.ID, then),
	}
}

func credentialsLost(st store.Store) store.Failure {
	return store.Failure{
		Title: "The credentials are gone",
		Cause: fmt.Sprintf("The secret %s/%s is missing or empty, but the store’s disks are still there. New passwords would not open them.", st.Namespace, credentialsSecret),
		Next:  "Put the secret back and press Retry, or delete the store.",
	}
}

// dataLost is about those volumes, which have gone or are going.
func dataLost(st store.Store, volumes []string, s kube.Snapshot) store.Failure {
	f := store.Failure{
		Code:  store.DataLost,
		Title: "The shop’s data are lost",
		Cause: fmt.Sprintf("Of the disks that the shop had in the namespace %s these are gone: %s. New ones would be empty.", st.Namespace, listOf(volumes)),
		Next:  "Restore them under the same names and press Retry, or rebuild the shop, which starts empty.",
	}
	if going := leaving(s); slices.ContainsFunc(volumes, func(name string) bool { return slices.Contains(going, name) }) {
		f.Title = "The shop’s disks are being deleted"
		f.Cause = fmt.Sprintf("In the namespace %s somebody has deleted the volume claims of these disks: %s. A disk that a pod uses goes when the pod ends.", st.Namespace, listOf(volumes))
		f.Next = "Save what is on them now. Then restore it under the same names and press Retry, or rebuild the shop, which starts empty."
	}
	return f
}

func podsRefused(e kube.Event) store.Failure {
	return store.Failure{
		Title: "The cluster refuses the shop’s pods",
		Cause: fmt.Sprintf("%s gets no pods: %s", e.Object, sentence(e.Message)),
		Next:  "Have the cluster’s administrator allow them, then press Retry.",
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
		Title: "It took too long",
		Cause: fmt.Sprintf("After %s of work the store still stands at %s: %s%s", after.Round(time.Second), st.Job.Step, sentence(saying), unready(s)),
		Next:  "Look at the pods and events for the reason. Retry goes on from where it stands.",
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
				return fmt.Sprintf(" The container %s of the pod %s has not come to its end.", c.Name, pod.Name)
			case c.State.Kind == "running" && !c.Init && !c.Ready:
				return fmt.Sprintf(" The container %s of the pod %s runs, but does not get ready.", c.Name, pod.Name)
			}
		}
	}
	return ""
}

func refused(st store.Store, err error) store.Failure {
	return store.Failure{
		Title: "The cluster refused",
		Cause: fmt.Sprintf("At %s the cluster said no: %s", cmp.Or(st.Job.Step, store.StepNamespace), sentence(firstLine(err))),
		Next:  "Have the cluster’s administrator allow it, then press Retry.",
	}
}

func notShared(missing *kube.NoOriginalError) store.Failure {
	return store.Failure{
		Title: "A secret that stores share is missing",
		Cause: fmt.Sprintf("Every store gets a copy of the secret %s/%s, which the cluster does not have.", missing.Namespace, missing.Name),
		Next:  "Make it, or name another one in the settings and start again; then press Retry.",
	}
}

func panicked() store.Failure {
	return store.Failure{
		Title: "Internal error",
		Cause: "Shopwright met an error of its own while it worked on this store. Its log has the details.",
		Next:  "Press Retry. If it fails again, report the log entry “the work on the store panicked”.",
	}
}

func revisionGone(st store.Store) store.Failure {
	return store.Failure{
		Title: "The revision is not remembered any more",
		Cause: fmt.Sprintf("The namespace %s has no release secret of revision %d.", st.Namespace, st.Job.Change.To),
		Next:  "Roll back to another revision, or upgrade to the chart that is offered now.",
	}
}

func releaseLocked(locked *helm.LockedError) store.Failure {
	return store.Failure{
		Title: "Somebody else is working on the release",
		Cause: fmt.Sprintf("Another Helm action on the release %s was begun at %s and has not ended: its revision %d is %s. It came back each time that Shopwright went on.",
			locked.Name, locked.Since.UTC().Format("15:04:05 MST"), locked.Revision, locked.Status),
		Next: "Find out who runs Helm on this store and let that end, then press Retry.",
	}
}

// verdict is what it means that trying again cannot help, if it cannot.
func verdict(st store.Store, err error) (f store.Failure, final bool) {
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
