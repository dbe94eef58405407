package provisioner

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// recorded reads pods and jobs as a cluster has them, and what it reports about them. Those in
// the folder node were read off a real node of the development cluster.
func recorded(t *testing.T, name string) (s kube.Snapshot, events []kube.Event) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Items []runtime.RawExtension }
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	for _, item := range list.Items {
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(item.Raw, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		switch o := object.(type) {
		case *corev1.Pod:
			s.Pods = append(s.Pods, kube.PodOf(o))
		case *batchv1.Job:
			s.Jobs = append(s.Jobs, kube.JobOf(o))
		case *corev1.Event:
			events = append(events, kube.EventOf(o))
		}
	}
	return s, events
}

type rule struct{ title, cause, next string }

func (r rule) want(t *testing.T, of string, f store.Failure) {
	t.Helper()
	if phrase.Failure(f).Title != r.title || !strings.Contains(phrase.Failure(f).Cause, r.cause) || !strings.Contains(phrase.Failure(f).Next, r.next) || !strings.Contains(phrase.Failure(f).Next, "press Retry") {
		t.Errorf("%s:\n%+v\nwant\n%+v", of, f, r)
	}
}

// failureOf is what is decided of a store in such a state.
func failureOf(t *testing.T, name string) store.Failure {
	t.Helper()
	s, _ := recorded(t, name)
	if f, bad := hopeless(s); bad {
		return f
	}
	return next(
		store.Store{Status: store.Provisioning, Desired: store.Present, Generation: 1, Job: store.Job{Kind: store.OpenJob, Step: store.StepSetup}},
		observed{Namespace: kube.NamespaceState{Phase: kube.Active}, Limits: true, Credentials: true, Release: helm.Release{Status: helm.Deployed}, Applied: true, Snapshot: s},
	).Failure
}

func TestDatabaseThatRefusesIsSaid(t *testing.T) {
	t.Parallel()
	const next = "still has its original password"
	for name, want := range map[string]rule{
		"database-password-medusa":      {"The database rejects the shop", "Container medusa of pod medusa-6c7d8b9f5-x2x7k exited because the shop’s database rejects its password", next},
		"database-away-medusa":          {"The database rejects the shop", "the shop’s database isn’t responding", next},
		"database-unknown-medusa":       {"The database rejects the shop", "the shop’s database can’t be found by name", next},
		"database-password-woocommerce": {"The database rejects the shop", "Container setup of pod setup-1a2b3c4d-7xk2p exited because the shop’s database rejects its password", next},
		"cache-away-medusa":             {"A container keeps crashing", "Container medusa", "last log lines"}, // another server
	} {
		want.want(t, name, failureOf(t, name))
	}
}

func TestStepOfTheSetupThatFailedIsNamed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]rule{
		"setup-step-woocommerce": {"Setup failed", "failed after 4 attempts while installing WooCommerce.", "continues with what exists"},
		"setup-step-medusa":      {"Setup failed", "while migrating the database: medusa db:migrate --execute-safe-links ended with 1.", "continues with"},
		"setup-silent":           {"Setup failed", "Job has reached the specified backoff limit.", "continues with what exists"}, // ended before it could say
	} {
		want.want(t, name, failureOf(t, name))
	}
}

// What a real kubelet and a real scheduler say of shops that cannot start, and what is made of it.
func TestWhatANodeSaysIsUnderstood(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]rule{
		"node/crash-loop":        {"A container keeps crashing", "Container medusa of pod crash-loop crashed 4 times, most recently with exit code 3", "last log lines"},
		"node/out-of-memory":     {"A container ran out of memory", "Container medusa of pod out-of-memory exceeded its memory limit of 32Mi", "Raise the limit"},
		"node/database-refuses":  {"The database rejects the shop", "rejects its password", "still has its original password"},
		"node/image-not-there":   {"An image can’t be pulled", "can’t pull the image registry.invalid/shopwright/medusa:1 for its container medusa", "reach its registry"},
		"node/secret-not-there":  {"A container can’t start", `secret "store-credentials" not found`, "Fix the cause"},
		"node/program-not-there": {"A container can’t start", "exec: \"/no/such/program\": stat /no/such/program: no such file or directory", "Fix the cause"},
		"node/setup-failed":      {"Setup failed", "failed after 2 attempts while installing WooCommerce: Error: the plugin cannot be downloaded.", "continues with what exists"},
	} {
		want.want(t, name, failureOf(t, name))
	}
	s, _ := recorded(t, "node/no-room")
	rule{"No node has enough memory", "0/1 nodes are available: 1 Insufficient memory", "Add a node"}.
		want(t, "no-room", timedOut(10*time.Minute, store.Note{Code: store.WorkloadsComing, Facts: store.Facts{Of: 2}}, s))
	beside := kube.Snapshot{Pods: []kube.Pod{{
		Name: "setup", Phase: "Pending",
		Message: "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match pod affinity rules. no new claims to deallocate",
	}}}
	rule{"No node has room beside the shop’s pod", "Pod setup is unscheduled after", "add a node with room for both. Then press Retry."}.
		want(t, "beside another", timedOut(10*time.Minute, store.Note{Code: store.WorkloadsComing, Facts: store.Facts{Count: 1, Of: 2}}, beside))
	_, events := recorded(t, "node/not-mounted")
	f, _ := diskTrouble(events, time.Time{})
	rule{"A volume can’t be mounted", `pod/not-mounted can’t mount a volume: MountVolume.SetUp failed for volume "script" : configmap "setup" not found.`, "the cluster reports"}.
		want(t, "not-mounted", f)
}

func TestReleaseThatOthersLockIsSaid(t *testing.T) {
	t.Parallel()
	locked := &helm.LockedError{Name: "store", Revision: 3, Status: "pending-upgrade", Since: time.Date(2026, 10, 2, 9, 14, 0, 0, time.UTC)}
	w := &worker{}
	err := fmt.Errorf("apply: %w", locked)
	if f, out := w.lockedOut(err); out {
		t.Errorf("given up at once: %+v", f)
	}
	w.locked.began = time.Now().Add(-patience)
	f, out := w.lockedOut(err)
	if !out {
		t.Error("not given up")
	}
	rule{
		"Another process is changing the release", "started at 09:14:00 UTC and hasn’t finished: its revision 3 is pending-upgrade", "who runs Helm on this store",
	}.want(t, "a pending upgrade", f)
	if f, out := w.lockedOut(errors.New("another")); out || w.locked.lasts() != 0 {
		t.Errorf("after another error: %+v", f)
	}
}

// A node that was added is of no use while the shop's pod stays on the full one: Retry moves what has not opened.
func TestRetryMovesAPodThatLeavesNoRoomBesideIt(t *testing.T) {
	t.Parallel()
	made := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	pods := []kube.Pod{
		{Name: "wordpress", Node: "full", Phase: "Running", Ready: 0, Want: 1, CreatedAt: made},
		{Name: "mariadb-0", Node: "other", Phase: "Running", Ready: 1, Want: 1, CreatedAt: made},
		{Name: "setup", Phase: "Pending", Want: 1, CreatedAt: made},
	}
	if got := stuckPods(kube.Snapshot{Pods: pods}, made.Add(time.Minute)); len(got) > 0 {
		t.Errorf("without a pod that has no room: %v go", got)
	}
	pods[2].Message = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod affinity rules."
	if got := stuckPods(kube.Snapshot{Pods: pods}, made.Add(time.Minute)); !slices.Equal(got, []string{"wordpress"}) {
		t.Errorf("%v go", got)
	}
}
