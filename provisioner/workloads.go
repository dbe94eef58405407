package provisioner

import (
	"slices"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// setupComponent is the component label of the job that makes a shop of an empty database.
const setupComponent = "setup"

// awaitWorkloads tells of every step, also of one that was over before anybody looked.
func awaitWorkloads(st store.Store, o observed) (action, bool) {
	a, due := watchWorkloads(st, o)
	passed := a.Do != fail && a.Step != store.StepWorkloads
	switch {
	case passed && st.Job.Step == store.StepRelease:
		return action{Do: pass, Step: store.StepWorkloads, Outcome: podsStarted(o)}, true
	case passed && st.Job.Step == store.StepWorkloads && a.Step != store.StepSetup:
		return action{Do: pass, Step: store.StepSetup, Outcome: store.Note{Code: store.SetupFinished}}, true
	default:
		return a, due
	}
}

// watchWorkloads watches workloads and setup together, so that a failed setup is told even
// while a workload is not ready.
func watchWorkloads(st store.Store, o observed) (a action, due bool) {
	ready, all := count(o.Snapshot.Workloads)
	setup := setupJob(o.Snapshot)
	if o.OldSetup != "" && setup.UID == o.OldSetup {
		setup = kube.Job{} // the one that was removed: the watch has not seen it yet
	}
	switch {
	case setup.Failed:
		return action{Do: fail, Step: store.StepSetup, Failure: setupFailed(setup, o.Snapshot)}, true
	case all > 0 && ready == all && setup.Succeeded:
		return action{}, false
	case st.Job.Step == store.StepSetup, all > 0 && ready == all, started(o.Snapshot) && (setup.Succeeded || setupRuns(o.Snapshot)):
		return action{Do: wait, Step: store.StepSetup, Note: setupProgress(setup, ready, all), Outcome: store.Note{Code: store.SetupFinished}}, true
	default:
		return action{Do: wait, Step: store.StepWorkloads, Note: store.Note{Code: store.WorkloadsComing, Facts: store.Facts{Count: ready, Of: all}}, Outcome: podsStarted(o)}, true
	}
}

func podsStarted(o observed) store.Note {
	return store.Note{Code: store.PodsStarted, Facts: store.Facts{Count: len(shopPods(o.Snapshot))}}
}

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

func setupProgress(j kube.Job, ready, all int) store.Note {
	switch {
	case j.Succeeded:
		return store.Note{Code: store.SetupDone, Facts: store.Facts{Count: ready, Of: all}}
	case j.Attempts > 0:
		return store.Note{Code: store.SetupAgain, Facts: store.Facts{Count: int(j.Attempts) + 1}}
	default:
		return store.Note{Code: store.SetupRunning}
	}
}
