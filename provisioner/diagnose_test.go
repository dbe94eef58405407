package provisioner

import (
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
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
	if !bad || phrase.Failure(failure).Title != "A container ran out of memory" || !strings.Contains(phrase.Failure(failure).Cause, "mariadb of pod mariadb-0 exceeded its memory limit of 1Gi") {
		t.Errorf("%+v", failure)
	}
	setup := kube.Snapshot{Pods: []kube.Pod{{
		Name: "setup-1-x", Component: "setup", Containers: []kube.Container{{Name: "setup", MemoryLimit: "512Mi", State: killed}},
	}}}
	if failure := setupFailed(kube.Job{Name: "setup-1"}, setup); phrase.Failure(failure).Title != "A container ran out of memory" {
		t.Errorf("the setup: %+v", failure)
	}
	setup.Pods[0].Containers[0].State.Reason = "Error"
	if failure := setupFailed(kube.Job{Name: "setup-1", Attempts: 4}, setup); phrase.Failure(failure).Title != "Setup failed" || !strings.Contains(phrase.Failure(failure).Cause, "4 attempts") {
		t.Errorf("another end of the setup: %+v", failure)
	}
}

// A change that goes back starts with the pods of what it goes back from.
func TestSupersededPodsAreNotJudged(t *testing.T) {
	t.Parallel()
	waiting := kube.Container{Name: "mariadb", Image: "mariadb:does-not-exist", State: kube.State{Kind: "waiting", Reason: "ImagePullBackOff"}}
	for what, pod := range map[string]kube.Pod{
		"leaving": {Leaving: true}, "outdated": {Outdated: true}, "unobserved": {Unobserved: true},
	} {
		pod.Containers = []kube.Container{waiting}
		if f, bad := hopeless(kube.Snapshot{Pods: []kube.Pod{pod}}); bad {
			t.Errorf("%s: %+v", what, f)
		}
	}
	if _, bad := hopeless(kube.Snapshot{Pods: []kube.Pod{{Containers: []kube.Container{waiting}}}}); !bad {
		t.Error("a pod of the present template is not judged")
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
		failure := timedOut(10*time.Minute, store.Note{Code: store.WorkloadsComing, Facts: store.Facts{Of: 2}}, s)
		if phrase.Failure(failure).Title != want || !strings.Contains(phrase.Failure(failure).Cause, message[:20]) || !strings.Contains(phrase.Failure(failure).Next, "Retry") {
			t.Errorf("%s: %+v", message, failure)
		}
	}
}

// What keeps a disk away stands in events only, and not in those of an earlier try.
func TestDiskTroubleIsSaid(t *testing.T) {
	t.Parallel()
	asked := time.Date(2026, 10, 2, 9, 0, 0, 0, time.UTC)
	for reason, want := range map[string]string{
		"ProvisioningFailed": "A disk can’t be created", "FailedMount": "A volume can’t be mounted", "FailedAttachVolume": "A volume can’t be mounted",
	} {
		event := kube.Event{Object: "pod/mariadb-0", Warning: true, Reason: reason, Message: "storage is full", Last: asked.Add(time.Minute)}
		f, found := diskTrouble([]kube.Event{{Warning: true, Reason: "Unhealthy", Last: event.Last}, event}, asked)
		if !found || phrase.Failure(f).Title != want || !strings.Contains(phrase.Failure(f).Cause, "pod/mariadb-0") || !strings.Contains(phrase.Failure(f).Cause, "storage is full.") || !strings.Contains(phrase.Failure(f).Next, "press Retry") {
			t.Errorf("%s: %+v", reason, f)
		}
		event.Last = asked.Add(-time.Minute)
		if f, found := diskTrouble([]kube.Event{event}, asked); found {
			t.Errorf("%s of an earlier try: %+v", reason, f)
		}
	}
}

func TestContainersThatCannotBeStarted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reason, message string
		hopeless        bool
	}{
		{"CreateContainerConfigError", `secret "store-credentials" not found`, true},
		{"RunContainerError", `exec: "sh": executable file not found in $PATH`, true},
		{"CreateContainerError", "failed to reserve container name", true},
		{"CreateContainerError", "context deadline exceeded", false},
		{"ContainerCreating", "", false},
	} {
		waiting := kube.Container{Name: "wordpress", State: kube.State{Kind: "waiting", Reason: c.reason, Message: c.message}}
		f, bad := hopeless(kube.Snapshot{Pods: []kube.Pod{{Name: "wordpress-x", Containers: []kube.Container{waiting}}}})
		if bad != c.hopeless || bad && (phrase.Failure(f).Title != "A container can’t start" || !strings.Contains(phrase.Failure(f).Cause, c.message)) {
			t.Errorf("%s: %t, %+v", c.reason, bad, f)
		}
	}
}

// Whatever a check leaves, it is read as what it is.
func TestReportsOfChecks(t *testing.T) {
	t.Parallel()
	ended := func(state kube.State) kube.Pod {
		state.Kind = "terminated"
		return kube.Pod{Phase: "Failed", Ended: true, Containers: []kube.Container{{Name: "check", MemoryLimit: "128Mi", State: state}}}
	}
	told := func(report string, code int32) kube.Pod { return ended(kube.State{Message: report, ExitCode: code}) }
	late := ended(kube.State{ExitCode: 137, Reason: "Error"})
	late.Message = "Pod was active on the node longer than the specified deadline"
	for outcome, c := range map[string]struct {
		pod kube.Pod
		ok  bool
	}{
		"Order 1042 placed in 1.5s and cancelled":  {told(`{"ok":true,"placed":true,"order":"1042","steps":[{"name":"cart","ms":700},{"name":"order","ms":800}]}`, 0), true},
		"Reached checkout in 700ms":                {told(`{"ok":true,"placed":false,"steps":[{"name":"cart","ms":700}]}`, 0), true},
		"The owner has closed the shop":            {told(`{"ok":true,"closed":true,"steps":[{"name":"open","ms":7}]}`, 0), true},
		"Simulated: no order was placed":           {told(`{"simulated":true}`, 0), true},
		"payment: No payment method is available.": {told(`{"ok":false,"failed":"payment","message":"No payment method is available."}`, 1), false},
		"cart":                       {told(`{"ok":true,"failed":"cart"}`, 1), false}, // it says so and ends otherwise
		"check: Segmentation fault.": {told("Segmentation\nfault", 139), false},
		"check: The check exceeded its memory limit of 128Mi and was killed.":   {ended(kube.State{Reason: "OOMKilled", ExitCode: 137}), false},
		"check: Pod was active on the node longer than the specified deadline.": {late, false},
		"check: Evicted.": {kube.Pod{Phase: "Evicted", Ended: true}, false},
	} {
		if got := resultOf(c.pod); phrase.Note(got.Outcome()) != outcome || got.OK != c.ok {
			t.Errorf("%+v is %q, want %q", got, phrase.Note(got.Outcome()), outcome)
		}
	}
}

func TestSecretsAmongValuesAreHidden(t *testing.T) {
	t.Parallel()
	state := func(secret string) helm.State {
		return helm.State{
			Values:   object{"smtp": object{"password": secret}, "plugins": []any{object{"apiKey": secret + "-key"}}},
			Manifest: "kind: ConfigMap\nmetadata: {name: mail}\ndata:\n  url: smtp://shop:" + secret + "@mail\n  key: " + secret + "-key\n",
		}
	}
	c, err := compareStates(state("first-secret"), state("other-secret"), newMask([]string{"a-password-of-the-store"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range c.Parts {
		for _, line := range part.Lines {
			if strings.Contains(line.Text, "-secret") {
				t.Errorf("%s shows %q", part.Name, line.Text)
			}
		}
	}
}

// Of a job that has just failed the event may not be there yet, and is not told twice later.
func TestEvidenceOfAFailedJob(t *testing.T) {
	t.Parallel()
	s := kube.Snapshot{Jobs: []kube.Job{{Name: "setup-1", Failed: true, Reason: "BackoffLimitExceeded", Message: "Job has reached the specified backoff limit"}}}
	event := kube.Event{Object: "job/setup-1", Warning: true, Reason: "BackoffLimitExceeded", Message: "Job has reached the specified backoff limit"}
	for _, events := range [][]kube.Event{nil, {event}} {
		got := evidence(s, events)
		if len(got) != 1 || got[0].Object != "job/setup-1" || got[0].Reason != "BackoffLimitExceeded" {
			t.Errorf("with %d events: %+v", len(events), got)
		}
	}
}
