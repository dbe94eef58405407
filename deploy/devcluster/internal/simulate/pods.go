package simulate

import "time"

// usualDelay is how long a simulated pod takes to start, and a job to run, unless a switch says otherwise.
const usualDelay = 300 * time.Millisecond

// What pod stages ask for, in jq.
const (
	podPhase   = `.status.phase`
	podDeleted = `.metadata.deletionTimestamp`
	podReady   = `[.status.conditions[]? | select(.type == "Ready")] | any(.status == "True")`
	// podFailure is the failure that the pod shows: what its switch says, and "image-pull" without any switch when
	// an image's name contains "does-not-exist".
	podFailure = `if [.spec.containers[].image, (.spec.initContainers // [])[].image] | any(contains("does-not-exist"))` +
		` then "image-pull" else .metadata.annotations["` + failAnnotation + `"] // "" end`
	startDelay  = `.metadata.annotations["` + startDelayAnnotation + `"] // "" | select(. != "")`
	jobDuration = `.metadata.annotations["` + jobDurationAnnotation + `"] // "" | select(. != "")`
	// crashDelay starts a container that crashes again after some time, as a kubelet's back-off does.
	crashDelay = `if .status.containerStatuses // [] | any(.state.waiting.reason == "CrashLoopBackOff")` +
		` then "20s" else ` + startDelay + ` end`
)

// podStages compare what a pod should be, its annotations, with what it is, so that a switch takes effect on a pod
// that lives as well as on one that is made later. At most one of them matches a pod at any time.
func podStages() []stage {
	return []stage{
		podBecomesReady(), podCompletes(), podFails(), podCannotPull(), podCrashes(), podNeverReady(),
		newStage("Pod", "pod-delete", delay{}, []requirement{require(podDeleted, "Exists")}, step{Delete: true}),
	}
}

// livingPod is a stage for pods in one of the phases that are not being deleted.
func livingPod(name string, wait delay, phases []string, when []requirement, steps ...step) stage {
	living := []requirement{require(podDeleted, "DoesNotExist"), require(podPhase, "In", phases...)}
	return newStage("Pod", name, wait, append(living, when...), steps...)
}

// podBecomesReady is for a healthy pod, and for one whose failure has been switched off.
func podBecomesReady() stage {
	when := []requirement{
		require(podReady, "In", "false"),
		require(podFailure, "NotIn", string(ImagePull), string(CrashLoop), string(NeverReady)),
	}
	status := setStatus(ready, containers(
		"ready: true", "started: true", "restartCount: {{ $restarts }}",
		"state: {running: {startedAt: {{ $now | Quote }}}}",
	), initContainers, address, "phase: Running")
	return livingPod("pod-ready", delayFrom(startDelay), []string{"Pending", "Running"}, when,
		append(startEvents(), status)...)
}

// podCompletes is for a pod that runs to its end: of a Job, or of a Helm hook. What it leaves as its termination
// message says that nothing was done.
func podCompletes() stage {
	when := []requirement{
		require(podReady, "In", "true"),
		require(".spec.restartPolicy", "NotIn", "Always"),
		require(podFailure, "NotIn", string(JobFailed), string(CrashLoop), string(NeverReady)),
	}
	return livingPod("pod-complete", delayFrom(jobDuration), []string{"Running"}, when,
		setStatus(completed, containers(
			"ready: false", "started: false", "restartCount: {{ $restarts }}",
			"state: {terminated: {exitCode: 0, reason: Completed, message: '{\"simulated\":true}', "+startAndFinish+"}}",
		), "phase: Succeeded"))
}

func podFails() stage {
	when := []requirement{require(podReady, "In", "true"), require(podFailure, "In", string(JobFailed))}
	return livingPod("pod-job-failed", delayFrom(jobDuration), []string{"Running"}, when,
		setStatus(failed, containers(
			"ready: false", "started: false", "restartCount: {{ $restarts }}",
			"state: {terminated: {exitCode: 1, reason: Error, message: simulated failure, "+startAndFinish+"}}",
		), "phase: Failed"))
}

// podCannotPull leaves a pod Pending.
func podCannotPull() stage {
	when := []requirement{
		require(".status.containerStatuses", "DoesNotExist"),
		require(podFailure, "In", string(ImagePull)),
	}
	const notFound = `rpc error: code = NotFound desc = failed to pull and unpack image %q: ` +
		`failed to resolve reference %q: %s: not found`
	return livingPod("pod-image-pull", delayFrom(startDelay), []string{"Pending"}, when,
		event("pulling", "Normal", "Pulling", `printf "Pulling image %q" .image`),
		event("pull-failed", "Warning", "Failed", "printf `Failed to pull image %q: "+notFound+"` .image .image .image .image"),
		event("failed", "Warning", "Failed", `"Error: ErrImagePull"`),
		event("back-off", "Normal", "BackOff", `printf "Back-off pulling image %q" .image`),
		event("backed-off", "Warning", "Failed", `"Error: ImagePullBackOff"`),
		setStatus(unready, containers(
			"ready: false", "started: false", "restartCount: 0",
			"{{ $message := printf `Back-off pulling image %q: ErrImagePull: "+notFound+"` .image .image .image .image }}",
			"state: {waiting: {reason: ImagePullBackOff, message: {{ $message | Quote }}}}",
		), address, "phase: Pending"))
}

// podCrashes counts a restart each time it is played.
func podCrashes() stage {
	when := []requirement{require(podFailure, "In", string(CrashLoop))}
	const pod = "pod=%s_%s(%s)` .name $.metadata.name $.metadata.namespace $.metadata.uid"
	backOff := event("back-off", "Warning", "BackOff", "printf `Back-off restarting failed container %s in pod %s_%s(%s)`"+
		" .name $.metadata.name $.metadata.namespace $.metadata.uid")
	status := setStatus(unready, containers(
		"ready: false", "started: false", "restartCount: {{ add1 $restarts }}",
		"{{ $message := printf `back-off 20s restarting failed container=%s "+pod+" }}",
		"state: {waiting: {reason: CrashLoopBackOff, message: {{ $message | Quote }}}}",
		"lastState: {terminated: {exitCode: 1, reason: Error, "+startAndFinish+"}}",
	), initContainers, address, "phase: Running")
	return livingPod("pod-crash-loop", delayFrom(crashDelay), []string{"Pending", "Running"}, when,
		append(startEvents(), backOff, status)...)
}

// podNeverReady runs, but its readiness probe never passes. A job's pod runs for ever.
func podNeverReady() stage {
	const there = `[.status.containerStatuses[]? | select(.state.running != null and .ready == false)] | length > 0`
	when := []requirement{require(podFailure, "In", string(NeverReady)), require(there, "In", "false")}
	unhealthy := event("unhealthy", "Warning", "Unhealthy", `"Readiness probe failed: HTTP probe failed with statuscode: 503"`)
	status := setStatus(unready, containers(
		"ready: false", "started: true", "restartCount: {{ $restarts }}",
		"state: {running: {startedAt: {{ $now | Quote }}}}",
	), initContainers, address, "phase: Running")
	return livingPod("pod-never-ready", delayFrom(startDelay), []string{"Pending", "Running"}, when,
		append(startEvents(), unhealthy, status)...)
}
