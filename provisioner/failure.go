package provisioner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

func namespaceTaken(st store.Store) store.Failure {
	return store.Failure{Code: store.NamespaceTaken, Facts: store.Facts{Namespace: st.Namespace}}
}

func labelLost(st store.Store) store.Failure {
	return store.Failure{Code: store.LabelLost, Facts: store.Facts{
		Namespace: st.Namespace, Label: kube.LabelStoreID, StoreID: st.ID, Going: st.Desired == store.Absent,
	}}
}

func credentialsLost(st store.Store) store.Failure {
	return store.Failure{Code: store.CredentialsLost, Facts: store.Facts{Namespace: st.Namespace, Name: credentialsSecret}}
}

// dataLost is about those volumes, which have gone or are going.
func dataLost(st store.Store, volumes []string, s kube.Snapshot) store.Failure {
	going := leaving(s)
	return store.Failure{Code: store.DataLost, Facts: store.Facts{
		Namespace: st.Namespace, Names: volumes,
		Going: slices.ContainsFunc(volumes, func(name string) bool { return slices.Contains(going, name) }),
	}}
}

func podsRefused(e kube.Event) store.Failure {
	return store.Failure{Code: store.PodsRefused, Facts: store.Facts{Object: e.Object, Quote: e.Message}}
}

// timedOut names what the store still waits for.
func timedOut(after time.Duration, waiting store.Note, s kube.Snapshot) store.Failure {
	for _, pod := range s.Pods {
		if pod.Node == "" && pod.Message != "" && !pod.Ended {
			return noRoom(pod, after)
		}
	}
	facts := unready(s)
	facts.After = after
	return store.Failure{Code: store.TimedOut, Facts: facts, Note: waiting}
}

// unready is the first pod that keeps a store waiting, and what it lacks.
func unready(s kube.Snapshot) store.Facts {
	for _, pod := range s.Pods {
		if pod.Finished() {
			continue
		}
		for _, c := range pod.Containers {
			switch {
			case c.State.Kind == "running" && pod.Component == setupComponent:
				return store.Facts{Container: c.Name, Pod: pod.Name, Problem: store.NotFinished}
			case c.State.Kind == "running" && !c.Init && !c.Ready:
				return store.Facts{Container: c.Name, Pod: pod.Name, Problem: store.NotReady}
			}
		}
	}
	return store.Facts{}
}

func refused(err error) store.Failure {
	return store.Failure{Code: store.RequestDenied, Facts: store.Facts{Quote: firstLine(err)}}
}

func notShared(missing *kube.NoOriginalError) store.Failure {
	return store.Failure{Code: store.SharedSecretGone, Facts: store.Facts{Namespace: missing.Namespace, Name: missing.Name}}
}

func revisionLost(st store.Store) store.Failure {
	return store.Failure{Code: store.RevisionLost, Facts: store.Facts{Namespace: st.Namespace, Revision: st.Job.Change.To}}
}

func releaseLocked(locked *helm.LockedError) store.Failure {
	return store.Failure{Code: store.ReleaseLocked, Facts: store.Facts{
		Name: locked.Name, Since: locked.Since, Revision: locked.Revision, Status: locked.Status,
	}}
}

// finalFailure is the failure that an error means, and whether retrying cannot help.
func finalFailure(st store.Store, err error) (f store.Failure, final bool) {
	if missing := (*kube.NoOriginalError)(nil); errors.As(err, &missing) {
		return notShared(missing), true
	}
	if errors.Is(err, helm.ErrNoRevision) {
		return revisionLost(st), true
	}
	if unrestored, known := errors.AsType[*restoreError](err); known {
		return unrestored.failure, true
	}
	return refused(err), terminal(err)
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

// firstLine is the innermost error in one line, without the operations that wrap it.
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
	f.Step, f.HelmLog = w.claim.Store.Job.Step, helmLog
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
	said := phrase.Failure(f)
	w.log.Warn("store failed", "step", f.Step, "code", f.Code, "title", said.Title, "cause", said.Cause, "back_to", st.Job.Change.To)
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
