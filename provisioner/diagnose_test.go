package provisioner

import (
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// A container that was ended for its memory is not one that crashes.
func TestOutOfMemoryIsSaid(t *testing.T) {
	t.Parallel()
	killed := kube.State{Kind: "terminated", Reason: "OOMKilled", ExitCode: 137}
	mariadb := kube.Container{
		Name: "mariadb", Restarts: crashes, MemoryLimit: "1Gi", Previous: killed,
		State: kube.State{Kind: "waiting", Reason: "CrashLoopBackOff"},
	}
	failure, bad := hopeless(kube.Snapshot{Pods: []kube.Pod{{Name: "mariadb-0", Containers: []kube.Container{mariadb}}}})
	if !bad || failure.Title != "A container ran out of memory" || !strings.Contains(failure.Cause, "mariadb of the pod mariadb-0 took more than its limit of 1Gi") {
		t.Errorf("%+v", failure)
	}
	setup := kube.Snapshot{Pods: []kube.Pod{{
		Name: "setup-1-x", Component: "setup", Containers: []kube.Container{{Name: "setup", MemoryLimit: "512Mi", State: killed}},
	}}}
	if failure := setupFailed(kube.Job{Name: "setup-1"}, setup); failure.Title != "A container ran out of memory" {
		t.Errorf("the setup: %+v", failure)
	}
	setup.Pods[0].Containers[0].State.Reason = "Error"
	if failure := setupFailed(kube.Job{Name: "setup-1", Attempts: 4}, setup); failure.Title != "Setting up the shop failed" || !strings.Contains(failure.Cause, "4 attempts") {
		t.Errorf("another end of the setup: %+v", failure)
	}
}

// What the scheduler said in real clusters, and what it means.
func TestNoRoomSaysWhatIsShort(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.":                                            "No node has enough memory",
		"0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.":                                               "No node has enough CPU",
		"0/1 nodes are available: 1 Too many pods. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.":                                                  "No node has room for another pod",
		"0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.":                     "No node has the shop’s disks",
		"0/2 nodes are available: 2 node(s) had volume node affinity conflict. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.":                          "No node has the shop’s disks",
		"0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.": "No node has room for ordinary pods",
		"0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.":                                                                                                   "No node has room for the shop",
	} {
		s := kube.Snapshot{Pods: []kube.Pod{{Name: "mariadb-0", Node: "node-1"}, {Name: "wordpress-x", Message: message}}}
		failure := timedOut(store.Store{Step: store.StepWorkloads}, 10*time.Minute, "0 of 2 workloads ready", s)
		if failure.Title != want || !strings.Contains(failure.Cause, message[:20]) || !strings.Contains(failure.Next, "Retry") {
			t.Errorf("%s: %+v", message, failure)
		}
	}
}
