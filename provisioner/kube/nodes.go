package kube

import (
	"cmp"
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Amount is what a node gives or pods request.
type Amount struct {
	CPU    int64 // thousandths
	Memory int64 // bytes
	Pods   int64
}

// Plus returns the sum.
func (a Amount) Plus(b Amount) Amount {
	return Amount{CPU: a.CPU + b.CPU, Memory: a.Memory + b.Memory, Pods: a.Pods + b.Pods}
}

// Minus returns the difference, which may be negative: a static pod runs on a node that is full.
func (a Amount) Minus(b Amount) Amount {
	return Amount{CPU: a.CPU - b.CPU, Memory: a.Memory - b.Memory, Pods: a.Pods - b.Pods}
}

// Holds reports whether b fits in a.
func (a Amount) Holds(b Amount) bool {
	return b.CPU <= a.CPU && b.Memory <= a.Memory && b.Pods <= a.Pods
}

func amountOf(list corev1.ResourceList) Amount {
	return Amount{CPU: list.Cpu().MilliValue(), Memory: list.Memory().Value(), Pods: list.Pods().Value()}
}

// Node is what a node gives to pods and what those on it request.
type Node struct {
	Name        string
	Labels      map[string]string
	Taints      []corev1.Taint
	Cordoned    bool
	Allocatable Amount
	Requested   Amount
}

// PodNeed is what a pod requests, and where it may be placed.
type PodNeed struct {
	Requests     Amount
	NodeSelector map[string]string
	Tolerations  []corev1.Toleration
}

// NeedOf reads it from the pod's specification.
func NeedOf(spec *corev1.PodSpec) PodNeed {
	return PodNeed{
		Requests:     Amount{CPU: requestOf(spec, corev1.ResourceCPU), Memory: requestOf(spec, corev1.ResourceMemory), Pods: 1},
		NodeSelector: spec.NodeSelector, Tolerations: spec.Tolerations,
	}
}

// requestOf is what a pod requests of CPU, in thousandths, or of memory: as much as all its containers together, or as
// the largest of those that run before them, one at a time. Init containers that restart run beside all that follow.
// https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
func requestOf(spec *corev1.PodSpec, name corev1.ResourceName) int64 {
	of := func(list corev1.ResourceList) int64 { return valueOf(list[name], name) }
	var beside, before, together int64
	for i := range spec.InitContainers {
		c := &spec.InitContainers[i]
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			beside += of(c.Resources.Requests)
		} else {
			before = max(before, beside+of(c.Resources.Requests))
		}
	}
	for i := range spec.Containers {
		together += of(spec.Containers[i].Resources.Requests)
	}
	need := max(together+beside, before)
	if spec.Resources != nil { // of the pod as a whole, which wins
		if q, named := spec.Resources.Requests[name]; named {
			need = valueOf(q, name)
		}
	}
	return need + of(spec.Overhead)
}

func valueOf(q resource.Quantity, name corev1.ResourceName) int64 {
	if name == corev1.ResourceCPU {
		return q.MilliValue()
	}
	return q.Value()
}

// Admits reports whether the scheduler would consider the node for the pod, however full the node is.
func (n Node) Admits(p PodNeed) bool {
	for key, value := range p.NodeSelector {
		if has, there := n.Labels[key]; !there || has != value {
			return false
		}
	}
	if n.Cordoned && !tolerates(p, corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}) {
		return false
	}
	for _, taint := range n.Taints {
		if taint.Effect != corev1.TaintEffectPreferNoSchedule && !tolerates(p, taint) {
			return false
		}
	}
	return true
}

// tolerates follows the scheduler.
// https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
func tolerates(p PodNeed, taint corev1.Taint) bool {
	for _, t := range p.Tolerations {
		if t.Effect != "" && t.Effect != taint.Effect || t.Key != "" && t.Key != taint.Key {
			continue
		}
		switch cmp.Or(t.Operator, corev1.TolerationOpEqual) {
		case corev1.TolerationOpExists:
			return true
		case corev1.TolerationOpEqual:
			if t.Key != "" && t.Value == taint.Value {
				return true
			}
		}
	}
	return false
}

// Nodes is the allocatable capacity of a cluster's nodes and the requests on them.
type Nodes struct {
	Nodes   []Node
	Waiting []PodNeed // pods that have no node yet
}

// nodesPage bounds how many objects are in memory at once: only their sums are kept.
const nodesPage = 500

// Nodes lists nodes and pods of the whole cluster. Nothing that the API server offers sums up the requests of a node,
// and a watch would keep all pods in memory for figures that are looked at now and then.
func (c *Client) Nodes(ctx context.Context) (Nodes, error) {
	var all Nodes
	at := map[string]int{}
	core := c.set.CoreV1()
	err := paged(func(o metav1.ListOptions) (string, error) {
		list, err := core.Nodes().List(ctx, o)
		if err != nil {
			return "", fmt.Errorf("list nodes: %w", err)
		}
		for i := range list.Items {
			n := &list.Items[i]
			at[n.Name] = len(all.Nodes)
			all.Nodes = append(all.Nodes, Node{
				Name: n.Name, Labels: n.Labels, Taints: n.Spec.Taints, Cordoned: n.Spec.Unschedulable, Allocatable: amountOf(n.Status.Allocatable),
			})
		}
		return list.Continue, nil
	}, metav1.ListOptions{})
	if err != nil {
		return Nodes{}, err
	}
	err = paged(func(o metav1.ListOptions) (string, error) {
		list, err := core.Pods(metav1.NamespaceAll).List(ctx, o)
		if err != nil {
			return "", fmt.Errorf("list pods: %w", err)
		}
		for i := range list.Items {
			all.count(&list.Items[i].Spec, at)
		}
		return list.Continue, nil
	}, metav1.ListOptions{FieldSelector: "status.phase!=Succeeded,status.phase!=Failed"})
	return all, err
}

// count adds a pod to its node. One that is not to be scheduled yet waits for none.
func (n *Nodes) count(spec *corev1.PodSpec, at map[string]int) {
	need := NeedOf(spec)
	if i, there := at[spec.NodeName]; there {
		n.Nodes[i].Requested = n.Nodes[i].Requested.Plus(need.Requests)
	} else if spec.NodeName == "" && len(spec.SchedulingGates) == 0 {
		n.Waiting = append(n.Waiting, need)
	}
}

// paged calls list for each page.
func paged(list func(metav1.ListOptions) (next string, err error), o metav1.ListOptions) error {
	o.Limit = nodesPage
	for {
		next, err := list(o)
		if err != nil || next == "" {
			return err
		}
		o.Continue = next
	}
}
