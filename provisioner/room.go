package provisioner

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/kube"
)

// podNeed is what a pod of a store requests, and beside which of the store's other pods it has to be.
type podNeed struct {
	kube.PodNeed
	labels map[string]string
	beside []labels.Selector
}

// storeNeed are the pods of a store.
type storeNeed struct {
	lasting []podNeed
	passing []podNeed // of jobs, which give back what they request
}

// needOf reads the pods of a manifest. A container that names no requests gets those of the limits.
func needOf(manifest string, limits kube.Limits) (need storeNeed, err error) {
	err = eachObject(manifest, func(object runtime.Object) error {
		switch o := object.(type) {
		case *appsv1.Deployment:
			return need.add(&need.lasting, o.Spec.Replicas, o.Spec.Template, limits)
		case *appsv1.StatefulSet:
			return need.add(&need.lasting, o.Spec.Replicas, o.Spec.Template, limits)
		case *batchv1.Job:
			return need.add(&need.passing, o.Spec.Parallelism, o.Spec.Template, limits)
		case *batchv1.CronJob:
			if o.Spec.Suspend != nil && *o.Spec.Suspend { // it makes no pod by itself, and none while a store is opened
				return nil
			}
			return need.add(&need.passing, o.Spec.JobTemplate.Spec.Parallelism, o.Spec.JobTemplate.Spec.Template, limits)
		}
		return nil
	})
	return need, err
}

func (storeNeed) add(to *[]podNeed, replicas *int32, template corev1.PodTemplateSpec, limits kube.Limits) error {
	spec := template.Spec.DeepCopy()
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			containers[i].Resources.Requests = corev1.ResourceList{
				corev1.ResourceCPU:    orDefault(containers[i].Resources.Requests, corev1.ResourceCPU, limits.DefaultRequest),
				corev1.ResourceMemory: orDefault(containers[i].Resources.Requests, corev1.ResourceMemory, limits.DefaultRequest),
			}
		}
	}
	pod := podNeed{PodNeed: kube.NeedOf(spec), labels: template.Labels}
	if spec.Affinity != nil && spec.Affinity.PodAffinity != nil {
		for _, term := range spec.Affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution {
			if term.TopologyKey != corev1.LabelHostname {
				continue
			}
			selector, err := metav1.LabelSelectorAsSelector(term.LabelSelector)
			if err != nil {
				return fmt.Errorf("read a pod's affinity: %w", err)
			}
			pod.beside = append(pod.beside, selector)
		}
	}
	for range count32(replicas) {
		*to = append(*to, pod)
	}
	return nil
}

// mostRoom bounds how many stores are counted.
const mostRoom = 1000

// roomFor tells how many more such stores the nodes hold, mostRoom at most. Pods that wait for a node come first. It
// is an estimate: the scheduler has more rules than these.
func roomFor(all kube.Nodes, store storeNeed) int {
	h := newHeap(all.Nodes)
	for _, pod := range all.Waiting {
		h.place(podNeed{PodNeed: pod}, nil)
	}
	for n := range mostRoom {
		if !h.open(store) {
			return n
		}
	}
	return mostRoom
}

// heap is the nodes while pods are placed on them.
type heap struct {
	nodes []kube.Node
	free  []kube.Amount
}

func newHeap(nodes []kube.Node) *heap {
	h := &heap{nodes: nodes}
	for _, n := range nodes {
		h.free = append(h.free, n.Allocatable.Minus(n.Requested))
	}
	return h
}

// placed is a pod of a store with its node.
type placed struct {
	podNeed
	node int
}

// open places a store's pods, and takes those that pass off again. It reports whether there was room for all at once.
func (h *heap) open(store storeNeed) bool {
	var pods []placed
	for _, pod := range slices.Concat(store.lasting, store.passing) {
		node, ok := h.place(pod, pods)
		if !ok {
			return false
		}
		pods = append(pods, placed{pod, node})
	}
	for _, pod := range pods[len(store.lasting):] {
		h.free[pod.node] = h.free[pod.node].Plus(pod.Requests)
	}
	return true
}

// place puts a pod on the node with the most room, as the scheduler does by default.
func (h *heap) place(pod podNeed, others []placed) (node int, ok bool) {
	most := -1.0
	for i, n := range h.nodes {
		if !h.free[i].Holds(pod.Requests) || !n.Admits(pod.PodNeed) || !pod.mayBeOn(i, others) {
			continue
		}
		if left := share(h.free[i].Minus(pod.Requests), n.Allocatable); left > most {
			node, most = i, left
		}
	}
	if most < 0 {
		return 0, false
	}
	h.free[node] = h.free[node].Minus(pod.Requests)
	return node, true
}

// share is how much of a node's CPU and memory is free.
func share(free, of kube.Amount) float64 {
	return float64(free.CPU)/float64(max(of.CPU, 1)) + float64(free.Memory)/float64(max(of.Memory, 1))
}

// mayBeOn reports whether all pods that this one has to be beside are on the node.
func (p podNeed) mayBeOn(node int, others []placed) bool {
	for _, selector := range p.beside {
		for _, other := range others {
			if selector.Matches(labels.Set(other.labels)) && other.node != node {
				return false
			}
		}
	}
	return true
}
