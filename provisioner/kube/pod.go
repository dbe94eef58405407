package kube

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Pod is a pod as a person wants to see it.
type Pod struct {
	Name       string
	UID        string
	Component  string
	Phase      string // as kubectl shows it: Running, Pending, Completed, Terminating, …
	Ready      int
	Want       int // containers that should be ready
	Restarts   int32
	Node       string
	CreatedAt  time.Time
	Message    string // why it cannot be scheduled, and the like
	Ended      bool   // all that it was to do is over, well or not
	Leaving    bool   // on its way out
	Check      string // the run of a check that it is, empty for other pods
	Run        string // the job of ours for which it makes or loads a restore point; empty for other pods
	Outdated   bool   // of an older template, and nobody replaces it before it is deleted
	Unobserved bool   // its controller has not looked at the present template yet
	Containers []Container
}

// Container is one container of a pod.
type Container struct {
	Name  string
	Init  bool
	Image string
	// MemoryLimit is what it may take, as its chart says it; empty for no limit.
	MemoryLimit string
	Ready       bool
	Restarts    int32
	State       State
	Previous    State // how it ended the last time; empty kind if it never did
}

// State is what a container does.
type State struct {
	Kind     string // running, waiting or terminated
	Reason   string
	Message  string
	ExitCode int32
	Since    time.Time
}

// Stuck reports whether the container waits for something other than its turn.
func (c Container) Stuck() bool {
	switch c.State.Reason {
	case "", "ContainerCreating", "PodInitializing":
		return false
	}
	return c.State.Kind == "waiting"
}

// HasLog reports whether the container has written a log, or has before its last restart.
func (c Container) HasLog(previous bool) bool {
	if previous {
		return c.Previous.Kind != ""
	}
	return c.State.Kind == "running" || c.State.Kind == "terminated" || c.Previous.Kind != ""
}

// Finished reports whether all that the pod was to do is done.
func (p Pod) Finished() bool { return p.Phase == "Completed" }

// PodOf reads a pod of the API.
func PodOf(p *corev1.Pod) Pod {
	pod := Pod{
		Name: p.Name, UID: string(p.UID), Component: p.Labels[LabelComponent], Phase: phaseOf(p), Node: p.Spec.NodeName,
		CreatedAt: p.CreationTimestamp.Time, Message: p.Status.Message, Want: len(p.Spec.Containers), Leaving: p.DeletionTimestamp != nil,
	}
	pod.Ended = p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
	pod.Check, pod.Run = p.Annotations[annotationCheck], p.Annotations[annotationRun]
	for _, condition := range p.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			pod.Message = condition.Message
		}
	}
	pod.add(p.Spec.InitContainers, p.Status.InitContainerStatuses, true)
	pod.add(p.Spec.Containers, p.Status.ContainerStatuses, false)
	return pod
}

// podAmong is the pod with what its workload tells of it.
func podAmong(p *corev1.Pod, workloads []Workload) Pod {
	pod := PodOf(p)
	owner := metav1.GetControllerOf(p)
	if owner == nil {
		return pod
	}
	for _, w := range workloads {
		if w.Kind == owner.Kind && w.Name == owner.Name {
			pod.Unobserved = w.unobserved
			pod.Outdated = !pod.Leaving && w.replaces != "" && w.replaces != p.Labels[appsv1.ControllerRevisionHashLabelKey]
		}
	}
	return pod
}

// Superseded reports whether what becomes of the pod says nothing about the present template of its workload.
func (p Pod) Superseded() bool { return p.Leaving || p.Outdated || p.Unobserved }

func (p *Pod) add(specs []corev1.Container, statuses []corev1.ContainerStatus, init bool) {
	for _, spec := range specs {
		container := Container{Name: spec.Name, Init: init, Image: spec.Image, State: State{Kind: "waiting"}}
		if limit, ok := spec.Resources.Limits[corev1.ResourceMemory]; ok {
			container.MemoryLimit = limit.String()
		}
		for _, status := range statuses {
			if status.Name != spec.Name {
				continue
			}
			container.Ready, container.Restarts = status.Ready, status.RestartCount
			container.State, container.Previous = containerState(status.State), containerState(status.LastTerminationState)
			p.Restarts += status.RestartCount
			if status.Ready && !init {
				p.Ready++
			}
		}
		p.Containers = append(p.Containers, container)
	}
}

func containerState(s corev1.ContainerState) State {
	switch {
	case s.Running != nil:
		return State{Kind: "running", Since: s.Running.StartedAt.Time}
	case s.Terminated != nil:
		return State{
			Kind: "terminated", Reason: s.Terminated.Reason, Message: s.Terminated.Message,
			ExitCode: s.Terminated.ExitCode, Since: s.Terminated.FinishedAt.Time,
		}
	case s.Waiting != nil:
		return State{Kind: "waiting", Reason: s.Waiting.Reason, Message: s.Waiting.Message}
	default:
		return State{}
	}
}

func phaseOf(p *corev1.Pod) string {
	switch {
	case p.DeletionTimestamp != nil:
		return "Terminating"
	case p.Status.Phase == corev1.PodSucceeded:
		return "Completed"
	case p.Status.Reason != "":
		return p.Status.Reason
	default:
		return string(p.Status.Phase)
	}
}
