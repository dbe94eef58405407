package provisioner

import (
	"encoding/json"
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
	return store.Failure{Code: store.ImageNotPulled, Facts: store.Facts{Pod: pod.Name, Container: c.Name, Image: c.Image}}
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
	return store.Failure{Code: store.ContainerCrashing, Facts: store.Facts{
		Pod: pod.Name, Container: c.Name, Count: int(c.Restarts), ExitCode: c.Previous.ExitCode,
	}}
}

func notStarted(pod kube.Pod, c kube.Container, why string) store.Failure {
	return store.Failure{Code: store.ContainerNotStarted, Facts: store.Facts{Pod: pod.Name, Container: c.Name, Quote: why}}
}

func memoryShort(pod kube.Pod, c kube.Container) store.Failure {
	return store.Failure{Code: store.OutOfMemory, Facts: store.Facts{Pod: pod.Name, Container: c.Name, Limit: c.MemoryLimit}}
}

// databaseProblem reads in a program's last words that its database does not let it in, or
// does not answer: what MariaDB, PostgreSQL, PHP and Node.js say.
func databaseProblem(words string) (problem store.Problem, known bool) {
	for line := range strings.Lines(words) {
		for _, sign := range []struct {
			text    string
			problem store.Problem
		}{
			{"Access denied for user", store.WrongPassword},
			{"password authentication failed", store.WrongPassword},
			{"no pg_hba.conf entry", store.AccessDenied},
			{"ECONNREFUSED", store.NotResponding},
			{"Connection refused", store.NotResponding},
			{"ETIMEDOUT", store.Unreachable},
			{"timed out", store.Unreachable},
			{"getaddrinfo", store.NameNotFound},
		} {
			if strings.Contains(line, sign.text) && databaseMark.MatchString(line) {
				return sign.problem, true
			}
		}
	}
	return "", false
}

// databaseMark distinguishes messages about a database from those about another server.
var databaseMark = regexp.MustCompile(`for user|pg_hba|database|postgres|mariadb|:5432|:3306`)

func databaseRefuses(pod kube.Pod, c kube.Container, problem store.Problem) store.Failure {
	return store.Failure{Code: store.DatabaseRefuses, Facts: store.Facts{Pod: pod.Name, Container: c.Name, Problem: problem}}
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
	return store.Failure{Code: store.SetupFailed, Facts: store.Facts{Name: j.Name, Count: int(j.Attempts), Quote: j.Message}}
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
	return store.Failure{Code: store.SetupStepFailed, Facts: store.Facts{Count: int(j.Attempts), Doing: said.Failed, Quote: said.Message}}
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
			return store.Failure{Code: store.DiskNotCreated, Facts: store.Facts{Object: e.Object, Quote: e.Message}}, true
		case "FailedMount", "FailedAttachVolume":
			return store.Failure{Code: store.VolumeNotMounted, Facts: store.Facts{Object: e.Object, Quote: e.Message}}, true
		}
	}
	return store.Failure{}, false
}

// noRoom tells what no node has enough of for a pod that waits for one.
func noRoom(pod kube.Pod, after time.Duration) store.Failure {
	return store.Failure{Code: store.NoNodeForPod, Facts: store.Facts{
		Pod: pod.Name, After: after, Problem: lacking(pod.Message), Quote: pod.Message,
	}}
}

// besideAnother is what the scheduler says of a node that is none of those on which a pod must run: two pods that
// mount one disk share a node.
const besideAnother = "didn't match pod affinity rules"

// lacking parses the scheduler's message, which counts nodes by the resource they lack.
// https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/
func lacking(message string) store.Problem {
	for _, known := range []struct {
		sign    string
		problem store.Problem
	}{
		{"unbound immediate PersistentVolumeClaims", store.NoUnboundDisks},
		{besideAnother, store.NoNeighbour},
		{"volume node affinity conflict", store.NoNodeOfDisks},
		{"Insufficient memory", store.NoMemory},
		{"Insufficient cpu", store.NoCPU},
		{"Too many pods", store.NoPods},
		{"untolerated taint", store.NoUntainted},
	} {
		if strings.Contains(message, known.sign) {
			return known.problem
		}
	}
	return store.NoRoom
}
