package provisioner

import (
	"fmt"
	"strings"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// crashes is how often a container may end before it is said to crash in a loop: a program
// that cannot reach its database yet often ends once or twice.
const crashes = 3

// outOfMemory is Kubernetes' reason for a container that took more memory than its limit.
const outOfMemory = "OOMKilled"

// hopeless finds what keeps a pod from ever getting ready without a person.
func hopeless(s kube.Snapshot) (store.Failure, bool) {
	for _, pod := range s.Pods {
		for _, c := range pod.Containers {
			if c.State.Kind != "waiting" {
				continue
			}
			switch c.State.Reason {
			case "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull":
				return imageNotPulled(pod, c), true
			case "CrashLoopBackOff":
				if c.Restarts >= crashes {
					return crashing(pod, c), true
				}
			case "CreateContainerConfigError":
				return notStarted(pod, c), true
			}
		}
	}
	return store.Failure{}, false
}

func imageNotPulled(pod kube.Pod, c kube.Container) store.Failure {
	return store.Failure{
		Title: "An image cannot be pulled",
		Cause: fmt.Sprintf("The pod %s cannot get the image %s for its container %s.", pod.Name, c.Image, c.Name),
		Next:  "Check that the image exists and that the cluster can reach its registry, then press Retry.",
	}
}

// crashing tells a program that ends from one that is ended for its memory.
func crashing(pod kube.Pod, c kube.Container) store.Failure {
	if c.Previous.Reason == outOfMemory {
		return memoryShort(pod, c)
	}
	return store.Failure{
		Title: "A container keeps crashing",
		Cause: fmt.Sprintf("The container %s of the pod %s ended %d times, the last time with exit code %d.", c.Name, pod.Name, c.Restarts, c.Previous.ExitCode),
		Next:  "Look at what it wrote last, mend the cause, then press Retry.",
	}
}

func notStarted(pod kube.Pod, c kube.Container) store.Failure {
	return store.Failure{
		Title: "A container cannot be started",
		Cause: fmt.Sprintf("The container %s of the pod %s cannot be started: %s", c.Name, pod.Name, sentence(c.State.Message)),
		Next:  "Mend the cause, then press Retry.",
	}
}

func memoryShort(pod kube.Pod, c kube.Container) store.Failure {
	return store.Failure{
		Title: "A container ran out of memory",
		Cause: fmt.Sprintf("The container %s of the pod %s took more than its limit of %s and was ended.", c.Name, pod.Name, c.MemoryLimit),
		Next:  "Give it more memory with SHOPWRIGHT_STORE_VALUES, or find what takes so much; then press Retry.",
	}
}

// setupFailed tells why the setup gave up: a container that was ended for its memory has had
// no time to say so.
func setupFailed(j kube.Job, s kube.Snapshot) store.Failure {
	for _, pod := range s.Pods {
		for _, c := range pod.Containers {
			if pod.Component == setupComponent && c.State.Reason == outOfMemory {
				return memoryShort(pod, c)
			}
		}
	}
	return store.Failure{
		Title: "Setting up the shop failed",
		Cause: fmt.Sprintf("The job %s gave up after %s: %s", j.Name, plural(int(j.Attempts), "attempt"), sentence(j.Message)),
		Next:  "Look at its last words and at the events for the reason, then press Retry: the setup runs again on what is there.",
	}
}

// noRoom tells what no node has enough of for a pod that waits for one.
func noRoom(pod kube.Pod, after time.Duration) store.Failure {
	lack, next := lacking(pod.Message)
	return store.Failure{
		Title: "No node has " + lack,
		Cause: fmt.Sprintf("After %s the pod %s still has no node: %s", after.Round(time.Second), pod.Name, sentence(pod.Message)),
		Next:  next + " Then press Retry.",
	}
}

// lacking reads the scheduler's message, which counts nodes by what each of them lacks.
// https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/
func lacking(message string) (what, next string) {
	const room = "Add a node, or free some room."
	for _, known := range []struct{ sign, what, next string }{
		{"unbound immediate PersistentVolumeClaims", "the shop’s disks", "See in the events why they are not made."},
		{"volume node affinity conflict", "the shop’s disks", "Bring back the node that they are on."},
		{"Insufficient memory", "enough memory", room},
		{"Insufficient cpu", "enough CPU", room},
		{"Too many pods", "room for another pod", room},
		{"untolerated taint", "room for ordinary pods", "Take the taint off a node, or add one without."},
	} {
		if strings.Contains(message, known.sign) {
			return known.what, known.next
		}
	}
	return "room for the shop", room
}
