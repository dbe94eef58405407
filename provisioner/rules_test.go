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
	if f.Title != r.title || !strings.Contains(f.Cause, r.cause) || !strings.Contains(f.Next, r.next) || !strings.Contains(f.Next, "press Retry") {
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
	const next = "still holds the password"
	for name, want := range map[string]rule{
		"database-password-medusa":      {"The database refuses the shop", "container medusa of the pod medusa-6c7d8b9f5-x2x7k ended because the shop’s database does not accept its password", next},
		"database-away-medusa":          {"The database refuses the shop", "the shop’s database does not answer", next},
		"database-unknown-medusa":       {"The database refuses the shop", "the shop’s database cannot be found by its name", next},
		"database-password-woocommerce": {"The database refuses the shop", "container setup of the pod setup-1a2b3c4d-7xk2p ended because the shop’s database does not accept its password", next},
		"cache-away-medusa":             {"A container keeps crashing", "container medusa", "what it wrote last"}, // another server
	} {
		want.want(t, name, failureOf(t, name))
	}
}

func TestStepOfTheSetupThatFailedIsNamed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]rule{
		"setup-step-woocommerce": {"Setting up the shop failed", "gave up after 4 attempts, while it was installing WooCommerce.", "runs again on what is there"},
		"setup-step-medusa":      {"Setting up the shop failed", "while it was migrating the database: medusa db:migrate --execute-safe-links ended with 1.", "runs again"},
		"setup-silent":           {"Setting up the shop failed", "Job has reached the specified backoff limit.", "runs again"}, // ended before it could say
	} {
		want.want(t, name, failureOf(t, name))
	}
}

// What a real kubelet and a real scheduler say of shops that cannot start, and what is made of it.
func TestWhatANodeSaysIsUnderstood(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]rule{
		"node/crash-loop":        {"A container keeps crashing", "container medusa of the pod crash-loop ended 4 times, the last time with exit code 3", "what it wrote last"},
		"node/out-of-memory":     {"A container ran out of memory", "container medusa of the pod out-of-memory took more than its limit of 32Mi", "more memory"},
		"node/database-refuses":  {"The database refuses the shop", "does not accept its password", "still holds the password"},
		"node/image-not-there":   {"An image cannot be pulled", "cannot get the image registry.invalid/shopwright/medusa:1 for its container medusa", "reach its registry"},
		"node/secret-not-there":  {"A container cannot be started", `secret "store-credentials" not found`, "Mend the cause"},
		"node/program-not-there": {"A container cannot be started", "exec: \"/no/such/program\": stat /no/such/program: no such file or directory", "Mend the cause"},
		"node/setup-failed":      {"Setting up the shop failed", "gave up after 2 attempts, while it was installing WooCommerce: Error: the plugin cannot be downloaded.", "runs again on what is there"},
	} {
		want.want(t, name, failureOf(t, name))
	}
	waiting := store.Store{Job: store.Job{Step: store.StepWorkloads}}
	s, _ := recorded(t, "node/no-room")
	rule{"No node has enough memory", "the pod no-room still has no node: 0/1 nodes are available: 1 Insufficient memory", "Add a node"}.
		want(t, "no-room", timedOut(waiting, 10*time.Minute, "0 of 2 workloads ready", s))
	beside := kube.Snapshot{Pods: []kube.Pod{{
		Name: "setup", Phase: "Pending",
		Message: "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match pod affinity rules. no new claims to deallocate",
	}}}
	rule{"No node has room beside the shop’s pod", "the pod setup still has no node", "add a node with room for both. Then press Retry."}.
		want(t, "beside another", timedOut(waiting, 10*time.Minute, "1 of 2 workloads ready", beside))
	_, events := recorded(t, "node/not-mounted")
	f, _ := diskTrouble(events, time.Time{})
	rule{"A volume cannot be mounted", `pod/not-mounted does not get one of its volumes: MountVolume.SetUp failed for volume "script" : configmap "setup" not found.`, "complains of"}.
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
		"Somebody else is working on the release", "was begun at 09:14:00 UTC and has not ended: its revision 3 is pending-upgrade", "who runs Helm on this store",
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
