package provisioner

import (
	"slices"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// setupComponent is the component label of the job that sets up a shop in an empty database.
const setupComponent = "setup"

// awaitWorkloads reports every step, also one that had ended before it was observed.
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

// watchWorkloads looks at workloads and setup together, so that a failed setup is reported even while a
// workload is not ready.
func watchWorkloads(st store.Store, o observed) (a action, due bool) {
	ready, all := count(o.Snapshot.Workloads)
	setup := setupJob(o.Snapshot)
	if o.OldSetup != "" && setup.UID == o.OldSetup {
		setup = kube.Job{} // it was deleted, which the watch does not show yet
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

// setupMissing reports whether there is no setup job, as after a retry that was interrupted.
func setupMissing(o observed) bool { return setupJob(o.Snapshot).Name == "" }

// setupRuns reports whether the setup pod runs, which means that it no longer waits for anything.
func setupRuns(s kube.Snapshot) bool {
	return slices.ContainsFunc(s.Pods, func(p kube.Pod) bool {
		return p.Component == setupComponent && p.Phase == "Running"
	})
}

// started reports whether all pods of the shop run, and are at least as many as its workloads. They need
// not be ready: before the setup a shop is not ready, and waits for the setup in turn.
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

// atWork reports whether the pod's containers run, or one of its init containers does, which may wait for
// the setup.
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
