package provisioner

import (
	"context"
	"strings"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// patience is how long something is watched that may be otherwise a moment later.
const patience = 10 * time.Second

// hopelessFor is how long containers that cannot start are watched before that is called a
// failure. After an image could not be pulled the kubelet pauses for 10 s, then for 20 s: a
// registry that refuses for a moment has been asked three times by then.
const hopelessFor = 45 * time.Second

// makesRoom is how long pods of before may take to go from a quota that is full.
const makesRoom = time.Minute

// condition is how long something has held without a break.
type condition struct{ began time.Time }

// during notes whether it holds now, and returns for how long it has.
func (s *condition) during(holds bool) time.Duration {
	switch {
	case !holds:
		s.began = time.Time{}
	case s.began.IsZero():
		s.began = time.Now()
	}
	return s.lasts()
}

func (s *condition) lasts() time.Duration {
	if s.began.IsZero() {
		return 0
	}
	return time.Since(s.began)
}

// judge turns a wait into a failure when waiting has no prospect.
func (w *worker) judge(ctx context.Context, conn *connection, o observed, a action) (action, error) {
	here := o.Snapshot
	if a.Step == store.StepNamespace { // what is there is on its way out, and in a terminating namespace so are our rights
		here = kube.Snapshot{}
	}
	failure, bad := hopeless(withoutPointRuns(here))
	if w.hopeless.during(bad) >= hopelessFor {
		return action{Do: fail, Step: a.Step, Failure: failure}, nil
	}
	if w.podless.during(lacksPods(here)) >= patience {
		w.podless = condition{} // the question is not asked at every turn
		refusal, refused, err := w.refusal(ctx, conn, here)
		if refused || err != nil {
			return action{Do: fail, Step: a.Step, Failure: refusal}, err
		}
	}
	if a.Step == store.StepData && o.Restore.atWork() {
		return a, nil
	}
	if !bad && w.worked > w.timeout {
		return action{Do: fail, Step: a.Step, Failure: w.overdue(ctx, conn, a.Note, here)}, nil
	}
	return a, nil
}

// overdue says why a store is not ready in time. What keeps a disk away is in events only.
func (w *worker) overdue(ctx context.Context, conn *connection, waiting store.Note, here kube.Snapshot) store.Failure {
	events, err := conn.kube.Events(ctx, w.claim.Store.Namespace)
	if err != nil {
		w.log.Warn("no events for the reason", "error", err)
	}
	if f, found := diskTrouble(events, w.claim.Store.Job.AskedAt); found {
		return f
	}
	return timedOut(w.worked, waiting, here)
}

func lacksPods(s kube.Snapshot) bool {
	for _, workload := range s.Workloads {
		if workload.LacksPods() {
			return true
		}
	}
	return setupJob(s).LacksPods()
}

// refusal looks for the reason why something has no pods: admission tells it to the
// controller that makes them, which reports it as an event and nowhere else. A quota that is
// full may only be so until the pods of before have gone.
func (w *worker) refusal(ctx context.Context, conn *connection, here kube.Snapshot) (f store.Failure, refused bool, err error) {
	events, err := conn.kube.Events(ctx, w.claim.Store.Namespace)
	if err != nil {
		return store.Failure{}, false, err
	}
	e, refused := refusalAmong(events, w.claim.Store.Job.AskedAt, here)
	full := refused && strings.Contains(e.Message, "exceeded quota")
	if w.crowded.during(full) < makesRoom && full {
		return store.Failure{}, false, nil
	}
	return podsRefused(e), refused, nil
}

// refusalAmong finds the newest refusal of a pod that something here still lacks.
func refusalAmong(events []kube.Event, asked time.Time, here kube.Snapshot) (e kube.Event, refused bool) {
	for _, e := range events {
		old := e.Last.Before(asked.Truncate(time.Second)) // as Kubernetes writes times
		if e.Warning && e.Reason == "FailedCreate" && !old && !endsByItself(e.Message) && lacks(here, e.Object) {
			return e, true
		}
	}
	return kube.Event{}, false
}

// lacks reports whether what an event is about still has not got its pods: something of an
// earlier release may have gone meanwhile.
func lacks(s kube.Snapshot, object string) bool {
	kind, name, _ := strings.Cut(object, "/")
	if kind == "job" {
		job := setupJob(s)
		return job.Name == name && job.LacksPods()
	}
	for _, w := range s.Workloads { // a ReplicaSet is called after its Deployment
		if w.LacksPods() && (name == w.Name || strings.HasPrefix(name, w.Name+"-")) {
			return true
		}
	}
	return false
}

// endsByItself tells a refusal by what each new namespace gets from the cluster's own
// controllers, which take their time when there is much to do.
func endsByItself(refusal string) bool {
	return strings.Contains(refusal, `serviceaccount "default" not found`) || strings.Contains(refusal, "status unknown for quota")
}
