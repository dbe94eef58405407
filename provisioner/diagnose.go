package provisioner

import (
	"encoding/json"
	"fmt"
	"regexp"
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
		if pod.Superseded() { // a change that goes back would fail because of what it goes back from
			continue
		}
		for _, c := range pod.Containers {
			if c.State.Kind != "waiting" {
				continue
			}
			switch c.State.Reason {
			case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull":
				return imageNotPulled(pod, c), true
			case "CrashLoopBackOff":
				if c.Restarts >= crashes {
					return crashing(pod, c), true
				}
			case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
				if !strings.Contains(c.State.Message, "context deadline exceeded") { // the node is busy
					return notStarted(pod, c, c.State.Message), true
				}
			}
		}
	}
	return store.Failure{}, false
}

func imageNotPulled(pod kube.Pod, c kube.Container) store.Failure {
	return store.Failure{
		Title: "An image can’t be pulled",
		Cause: fmt.Sprintf("Pod %s can’t pull the image %s for its container %s.", pod.Name, c.Image, c.Name),
		Next:  "Check that the image exists and the cluster can reach its registry, then press Retry.",
	}
}

// crashing tells a program that ends from one that is ended for its memory.
func crashing(pod kube.Pod, c kube.Container) store.Failure {
	switch c.Previous.Reason {
	case outOfMemory:
		return memoryShort(pod, c)
	case "StartError", "ContainerCannotRun":
		return notStarted(pod, c, c.Previous.Message)
	}
	if problem, known := databaseProblem(c.Previous.Message); known {
		return databaseRefuses(pod, c, problem)
	}
	return store.Failure{
		Title: "A container keeps crashing",
		Cause: fmt.Sprintf("Container %s of pod %s crashed %d times, most recently with exit code %d.", c.Name, pod.Name, c.Restarts, c.Previous.ExitCode),
		Next:  "Check its last log lines, fix the cause, then press Retry.",
	}
}

func notStarted(pod kube.Pod, c kube.Container, why string) store.Failure {
	return store.Failure{
		Title: "A container can’t start",
		Cause: fmt.Sprintf("Container %s of pod %s can’t start: %s", c.Name, pod.Name, sentence(why)),
		Next:  "Fix the cause, then press Retry.",
	}
}

func memoryShort(pod kube.Pod, c kube.Container) store.Failure {
	return store.Failure{
		Title: "A container ran out of memory",
		Cause: fmt.Sprintf("Container %s of pod %s exceeded its memory limit of %s and was killed.", c.Name, pod.Name, c.MemoryLimit),
		Next:  "Raise the limit with SHOPWRIGHT_STORE_VALUES, or find what uses the memory. Then press Retry.",
	}
}

// databaseProblem reads in a program's last words that its database does not let it in, or
// does not answer: what MariaDB, PostgreSQL, PHP and Node.js say.
func databaseProblem(words string) (problem string, known bool) {
	for line := range strings.Lines(words) {
		for _, sign := range []struct{ text, problem string }{
			{"Access denied for user", "rejects its password"},
			{"password authentication failed", "rejects its password"},
			{"no pg_hba.conf entry", "denies it access"},
			{"ECONNREFUSED", "isn’t responding"},
			{"Connection refused", "isn’t responding"},
			{"ETIMEDOUT", "is unreachable"},
			{"timed out", "is unreachable"},
			{"getaddrinfo", "can’t be found by name"},
		} {
			if strings.Contains(line, sign.text) && databaseMark.MatchString(line) {
				return sign.problem, true
			}
		}
	}
	return "", false
}

// databaseMark tells what is said of a database from what is said of another server.
var databaseMark = regexp.MustCompile(`for user|pg_hba|database|postgres|mariadb|:5432|:3306`)

func databaseRefuses(pod kube.Pod, c kube.Container, problem string) store.Failure {
	return store.Failure{
		Title: "The database rejects the shop",
		Cause: fmt.Sprintf("Container %s of pod %s exited because the shop’s database %s.", c.Name, pod.Name, problem),
		Next:  "Check that the database pod is running and that the store’s secret still has its original password. Then press Retry.",
	}
}

// setupFailed tells why the setup gave up: a container that was ended for its memory has had
// no time to say so.
func setupFailed(j kube.Job, s kube.Snapshot) store.Failure {
	pod, c := lastSetup(s)
	if c.State.Reason == outOfMemory {
		return memoryShort(pod, c)
	}
	var said report
	if err := json.Unmarshal([]byte(c.State.Message), &said); err == nil && said.Failed != "" {
		if problem, known := databaseProblem(said.Message); known {
			return databaseRefuses(pod, c, problem)
		}
		return setupStepFailed(j, said)
	}
	return store.Failure{
		Title: "Setup failed",
		Cause: fmt.Sprintf("Job %s failed after %s: %s", j.Name, plural(int(j.Attempts), "attempt"), sentence(j.Message)),
		Next:  "Check its last log lines and the events, then press Retry. Setup continues with what exists.",
	}
}

// lastSetup is the setup's container that ended badly last; an empty one when none is left.
func lastSetup(s kube.Snapshot) (last kube.Pod, ended kube.Container) {
	for _, pod := range s.Pods {
		for _, c := range pod.Containers {
			if pod.Component == setupComponent && badEnd(c.State) && !c.State.Since.Before(ended.State.Since) {
				last, ended = pod, c
			}
		}
	}
	return last, ended
}

// setupStepFailed names the step in the words of the chart's own setup.
func setupStepFailed(j kube.Job, said report) store.Failure {
	why := "."
	if said.Message != "" {
		why = ": " + sentence(said.Message)
	}
	return store.Failure{
		Title: "Setup failed",
		Cause: fmt.Sprintf("Setup failed after %s while %s%s", plural(int(j.Attempts), "attempt"), said.Failed, why),
		Next:  "Check its last log lines, then press Retry. Setup continues with what exists.",
	}
}

// diskTrouble finds among the events, newest first, why a disk cannot be made, or a volume not be
// given to a pod.
func diskTrouble(events []kube.Event, asked time.Time) (store.Failure, bool) {
	for _, e := range events {
		if !e.Warning || e.Last.Before(asked.Truncate(time.Second)) {
			continue
		}
		switch e.Reason {
		case "ProvisioningFailed":
			return store.Failure{
				Title: "A disk can’t be created",
				Cause: fmt.Sprintf("%s has no disk: %s", e.Object, sentence(e.Message)),
				Next:  "Fix what the storage class’s provisioner reports, then press Retry.",
			}, true
		case "FailedMount", "FailedAttachVolume":
			return store.Failure{
				Title: "A volume can’t be mounted",
				Cause: fmt.Sprintf("%s can’t mount a volume: %s", e.Object, sentence(e.Message)),
				Next:  "Fix what the cluster reports, for example a disk still attached to another node. Then press Retry.",
			}, true
		}
	}
	return store.Failure{}, false
}

// noRoom tells what no node has enough of for a pod that waits for one.
func noRoom(pod kube.Pod, after time.Duration) store.Failure {
	lack, next := lacking(pod.Message)
	return store.Failure{
		Title: "No node has " + lack,
		Cause: fmt.Sprintf("Pod %s is unscheduled after %s: %s", pod.Name, after.Round(time.Second), sentence(pod.Message)),
		Next:  next + " Then press Retry.",
	}
}

// besideAnother is what the scheduler says of a node that is none of those on which a pod must run: two pods that
// mount one disk share a node.
const besideAnother = "didn't match pod affinity rules"

// lacking reads the scheduler's message, which counts nodes by what each of them lacks.
// https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/
func lacking(message string) (what, next string) {
	const room = "Add a node, or free up room."
	for _, known := range []struct{ sign, what, next string }{
		{"unbound immediate PersistentVolumeClaims", "the shop’s disks", "Check the events for the reason."},
		{besideAnother, "room beside the shop’s pod", "It must run on the same node as the shop’s pod. Free up room there, or add a node with room for both."},
		{"volume node affinity conflict", "the shop’s disks", "Bring back the node that has them."},
		{"Insufficient memory", "enough memory", room},
		{"Insufficient cpu", "enough CPU", room},
		{"Too many pods", "room for another pod", room},
		{"untolerated taint", "room for ordinary pods", "Remove the taint from a node, or add a node without it."},
	} {
		if strings.Contains(message, known.sign) {
			return known.what, known.next
		}
	}
	return "room for the shop", room
}
