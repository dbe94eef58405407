package provisioner

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// observed is what the cluster says about one store.
type observed struct {
	Namespace   kube.NamespaceState
	Foreign     bool // a namespace of that name does not bear the store's id
	Unlabelled  bool // it holds the store's objects nevertheless
	Limits      bool
	Credentials bool
	Volumes     int  // claims that may hold data
	Cleared     bool // this holder has asked the claims to go
	Release     helm.Release
	Behind      bool          // the watches do not show yet what was applied
	Unmet       store.Failure // what is lacking for a release; no title when nothing is
	Applied     bool          // by this holder, for this job: what the watches do not show is on its way
	Reset       bool          // by this holder, for this job
	OldSetup    string        // UID of the setup job that was removed then
	Snapshot    kube.Snapshot
	Notice      notice        // whether customers are told that the shop is away
	Notices     []kube.Pod    // that tell them
	Check       checkRun      // that opens the store
	Untested    bool          // the engine has no check
	Address     store.Reached // the public address, as it was last asked
	Misled      time.Duration // how long it has given wrong answers
	Emptying    time.Duration // how long the namespace has been waited for to get empty
}

// verb is one thing that can be done about a store.
type verb string

const (
	createNamespace   verb = "create namespace"
	setLimits         verb = "set limits"
	createCredentials verb = "create credentials"
	unlockRelease     verb = "unlock release"
	resetSetup        verb = "reset setup"
	showNotice        verb = "show the maintenance page"
	applyRelease      verb = "apply release"
	recordRelease     verb = "record release"
	replacePods       verb = "replace pods"
	takeNotice        verb = "take the maintenance page down"
	createCheck       verb = "create check"
	askAddress        verb = "ask address"
	wait              verb = "wait"
	pass              verb = "pass" // a step at which there is nothing to wait for any more
	complete          verb = "complete"
	fail              verb = "fail"
	uninstallRelease  verb = "uninstall release"
	deleteVolumes     verb = "delete volumes"
	deleteNamespace   verb = "delete namespace"
	archive           verb = "archive"
)

// action is what to do next, and the step of which it is a part.
type action struct {
	Do      verb
	Step    store.Step
	Message string        // what a person should know while it waits
	Failure store.Failure // when it fails
}

// emptyFor bounds how long a namespace may take to get empty before it is deleted as it
// is. Emptied first it goes in five seconds, otherwise in fifteen.
const emptyFor = 20 * time.Second

// next decides what to do about a store. It is pure: the same store and the same
// observation give the same action, and every action may be done twice.
func next(st store.Store, o observed) action {
	if st.Desired == store.Absent {
		return nextRemoval(st, o)
	}
	switch {
	case o.Unlabelled:
		return action{Do: fail, Step: store.StepNamespace, Failure: labelLost(st)}
	case o.Foreign:
		return action{Do: fail, Step: store.StepNamespace, Failure: namespaceTaken(st)}
	case o.Namespace.Phase == kube.Terminating:
		return action{Do: wait, Step: store.StepNamespace, Message: "Waiting for the old namespace to go" + blockers(o)}
	case len(lost(st.Volumes, o.Snapshot)) > 0:
		return action{Do: fail, Step: store.StepNamespace, Failure: dataLost(st, lost(st.Volumes, o.Snapshot), o.Snapshot)}
	case o.Namespace.Phase == kube.Missing:
		return action{Do: createNamespace, Step: store.StepNamespace}
	case holdsRemains(st, o):
		return nextClearing(o)
	case !o.Limits:
		return action{Do: setLimits, Step: store.StepLimits}
	case !o.Credentials && o.Volumes > 0:
		return action{Do: fail, Step: store.StepCredentials, Failure: credentialsLost(st)}
	case !o.Credentials:
		return action{Do: createCredentials, Step: store.StepCredentials}
	default:
		return nextRelease(st, o)
	}
}

// holdsRemains reports whether there is something left of the shop that a rebuild replaces. The
// first release of the rebuild is made when nothing is.
func holdsRemains(st store.Store, o observed) bool {
	there := o.Release.Status != helm.None
	begun := there && o.Release.Change == st.Job.ID
	return st.Job.Change.Kind == store.Rebuild && !begun && (there || o.Volumes > 0)
}

// nextClearing removes what is left of a shop that is rebuilt: a disk of before would not be empty,
// or would go with the next restart of its pod.
func nextClearing(o observed) action {
	switch {
	case o.Release.Status != helm.None:
		return action{Do: uninstallRelease, Step: store.StepNamespace}
	case !o.Cleared:
		return action{Do: deleteVolumes, Step: store.StepNamespace}
	default:
		return action{Do: wait, Step: store.StepNamespace, Message: leftovers(o.Snapshot)}
	}
}

func nextRelease(st store.Store, o observed) action {
	current := o.Release.Status == helm.Deployed && o.Release.Change == st.Job.ID
	switch {
	case o.Release.Status == helm.Pending:
		return action{Do: unlockRelease, Step: store.StepRelease}
	case st.Generation > 1 && !o.Reset && !o.Applied && stuckSince(o.Snapshot, st.Job.AskedAt):
		return action{Do: resetSetup, Step: store.StepRelease}
	case !current, !o.Applied && !o.Behind && (o.Reset || setupMissing(o)):
		if o.Unmet.Title != "" {
			return action{Do: fail, Step: store.StepRelease, Failure: o.Unmet}
		}
		if a, due := nextNotice(st, o); due {
			return a
		}
		return action{Do: applyRelease, Step: store.StepRelease}
	case st.Job.Applied != o.Release.Revision:
		return action{Do: recordRelease, Step: store.StepRelease}
	case o.Behind:
		return action{Do: wait, Step: store.StepWorkloads, Message: "Waiting to see what has changed"}
	case slices.ContainsFunc(o.Snapshot.Pods, isOutdated):
		return action{Do: replacePods, Step: store.StepWorkloads}
	default:
		return nextWorkloads(st, o)
	}
}

// nextWorkloads tells of every step, also of one that was over before anybody looked.
func nextWorkloads(st store.Store, o observed) action {
	a := watchWorkloads(st, o)
	passed := a.Do != fail && a.Step != store.StepWorkloads
	switch {
	case passed && st.Job.Step == store.StepRelease:
		return action{Do: pass, Step: store.StepWorkloads}
	case passed && st.Job.Step == store.StepWorkloads && a.Step != store.StepSetup:
		return action{Do: pass, Step: store.StepSetup}
	default:
		return a
	}
}

// watchWorkloads watches workloads and setup together, so that a failed setup is told even
// while a workload is not ready.
func watchWorkloads(st store.Store, o observed) action {
	ready, all := count(o.Snapshot.Workloads)
	setup := setupJob(o.Snapshot)
	if o.OldSetup != "" && setup.UID == o.OldSetup {
		setup = kube.Job{} // the one that was removed: the watch has not seen it yet
	}
	switch {
	case setup.Failed:
		return action{Do: fail, Step: store.StepSetup, Failure: setupFailed(setup, o.Snapshot)}
	case all > 0 && ready == all && setup.Succeeded:
		return nextOpening(st, o)
	case st.Job.Step == store.StepSetup, all > 0 && ready == all, started(o.Snapshot) && (setup.Succeeded || setupRuns(o.Snapshot)):
		return action{Do: wait, Step: store.StepSetup, Message: setupProgress(setup, ready, all)}
	default:
		return action{Do: wait, Step: store.StepWorkloads, Message: fmt.Sprintf("%d of %d workloads ready", ready, all)}
	}
}

// nextOpening lets a customer in: a shop is ready when it has sold.
func nextOpening(st store.Store, o observed) action {
	switch {
	case len(leaving(o.Snapshot)) > 0:
		return action{Do: fail, Step: store.StepWorkloads, Failure: dataLost(st, leaving(o.Snapshot), o.Snapshot)}
	case len(o.Notices) > 0:
		return action{Do: takeNotice, Step: store.StepCheck}
	case !o.Untested && (o.Check.Attempt == 0 || o.Check.failed() && o.Check.Attempt < checkAttempts):
		return action{Do: createCheck, Step: store.StepCheck}
	case !o.Untested && !o.Check.Done:
		return action{Do: wait, Step: store.StepCheck, Message: "Shopping as a customer would"}
	case o.Check.failed():
		return action{Do: fail, Step: store.StepCheck, Failure: checkFailed(o.Check.Result)}
	case o.Address.Outcome == store.WrongAnswer && o.Misled >= addressPatience:
		return action{Do: fail, Step: store.StepAddress, Failure: addressWrong(o.Address)}
	case o.Address.Outcome == store.WrongAnswer, o.Address.Outcome == store.NotAsked:
		return action{Do: askAddress, Step: store.StepAddress, Message: o.Address.Message}
	default:
		return action{Do: complete, Step: store.StepReady}
	}
}

func nextRemoval(st store.Store, o observed) action {
	switch {
	case o.Unlabelled:
		return action{Do: fail, Step: store.StepUninstall, Failure: labelLost(st)}
	case o.Foreign, o.Namespace.Phase == kube.Missing: // nothing there is this store's
		return action{Do: archive, Step: store.StepGone}
	case o.Namespace.Phase == kube.Terminating:
		return action{Do: wait, Step: store.StepRemove, Message: "Waiting for the namespace to go" + blockers(o)}
	case o.Release.Status != helm.None:
		return action{Do: uninstallRelease, Step: store.StepUninstall}
	case o.Volumes > 0 && !o.Cleared:
		return action{Do: deleteVolumes, Step: store.StepVolumes}
	case !empty(o.Snapshot) && o.Emptying < emptyFor:
		return action{Do: wait, Step: store.StepVolumes, Message: leftovers(o.Snapshot)}
	default:
		return action{Do: deleteNamespace, Step: store.StepRemove}
	}
}

// blockers says all that keeps the namespace: what is left in it, and whose finalizer holds
// that, are told apart.
func blockers(o observed) string {
	if len(o.Namespace.Blockers) == 0 {
		return ""
	}
	return ": " + strings.Join(o.Namespace.Blockers, "; ")
}

// lost are the volumes that the store had when it was ready and that are gone, or going.
// Empty ones in their place would make an empty shop that looks well.
func lost(volumes []string, s kube.Snapshot) (names []string) {
	for _, name := range volumes {
		if !slices.ContainsFunc(s.Volumes, func(v kube.Volume) bool { return v.Name == name && !v.Leaving }) {
			names = append(names, name)
		}
	}
	return names
}

// leaving are the volumes that are on their way out.
func leaving(s kube.Snapshot) (names []string) {
	for _, v := range s.Volumes {
		if v.Leaving {
			names = append(names, v.Name)
		}
	}
	return names
}

func isOutdated(p kube.Pod) bool { return p.Outdated }

func count(workloads []kube.Workload) (ready, all int) {
	for _, w := range workloads {
		if w.Done() {
			ready++
		}
	}
	return ready, len(workloads)
}

func setupJob(s kube.Snapshot) kube.Job {
	for _, job := range s.Jobs {
		if job.Component == setupComponent {
			return job
		}
	}
	return kube.Job{}
}

// setupMissing tells of a release whose setup was removed, by a retry that was interrupted.
func setupMissing(o observed) bool { return setupJob(o.Snapshot).Name == "" }

// setupRuns reports whether the setup has got what it waits for.
func setupRuns(s kube.Snapshot) bool {
	return slices.ContainsFunc(s.Pods, func(p kube.Pod) bool {
		return p.Component == setupComponent && p.Phase == "Running"
	})
}

// started reports whether every workload has its pod at work, ready or not: a shop that is
// not filled yet is not ready, and waits for the setup in turn.
func started(s kube.Snapshot) bool {
	pods := 0
	for _, pod := range s.Pods {
		if !isShop(pod) {
			continue
		}
		if !atWork(pod) {
			return false
		}
		pods++
	}
	return pods >= len(s.Workloads)
}

// atWork reports whether the pod's containers run, or one before them, which may be what
// waits for the setup.
func atWork(p kube.Pod) bool {
	running := func(c kube.Container) bool { return c.State.Kind == "running" }
	return slices.ContainsFunc(p.Containers, func(c kube.Container) bool { return c.Init && running(c) }) ||
		!slices.ContainsFunc(p.Containers, func(c kube.Container) bool { return !c.Init && !running(c) })
}

func setupProgress(j kube.Job, ready, all int) string {
	switch {
	case j.Succeeded:
		return fmt.Sprintf("Filled; %d of %d workloads ready", ready, all)
	case j.Attempts > 0:
		return fmt.Sprintf("Attempt %d", j.Attempts+1)
	default:
		return "Filling the shop"
	}
}

// stuckSince reports whether something from before that time would wait long, or for ever,
// before it tries again.
func stuckSince(s kube.Snapshot, before time.Time) bool {
	return stuckSetup(s, before) != "" || len(stuckPods(s, before)) > 0 || len(podless(s, before)) > 0
}

// stuckSetup is the name of a setup job that was made before that time and gave up, or
// waits for its next try.
func stuckSetup(s kube.Snapshot, before time.Time) string {
	if job := setupJob(s); (job.Failed || job.LacksPods()) && isOlder(job.CreatedAt, before) {
		return job.Name
	}
	return ""
}

// isOlder compares what Kubernetes writes in whole seconds.
func isOlder(created, than time.Time) bool { return created.Before(than.Truncate(time.Second)) }

// stuckPods are those made before that time with a container that cannot be started, and those that are not ready
// on a node where another has no room that must run beside them: elsewhere there may be room for both.
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

// podless are the workloads made before that time that have not got their pods.
func podless(s kube.Snapshot, before time.Time) []kube.Workload {
	return slices.DeleteFunc(slices.Clone(s.Workloads), func(w kube.Workload) bool {
		return !w.LacksPods() || !isOlder(w.CreatedAt, before)
	})
}

func empty(s kube.Snapshot) bool { return len(s.Pods)+len(s.Volumes) == 0 }

func leftovers(s kube.Snapshot) string {
	return fmt.Sprintf("Waiting for %s and %s to go", plural(len(s.Pods), "pod"), plural(len(s.Volumes), "disk"))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
