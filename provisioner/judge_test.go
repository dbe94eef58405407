package provisioner

import (
	"testing"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

func TestRefusalAmongEvents(t *testing.T) {
	t.Parallel()
	asked := time.Date(2026, 3, 1, 12, 0, 0, 500_000_000, time.UTC)
	at := asked.Truncate(time.Second)
	here := kube.Snapshot{
		Workloads: []kube.Workload{{Name: "web", Want: 1}, {Name: "mariadb", Want: 1, Pods: 1}},
		Jobs:      []kube.Job{{Name: "setup-new", Component: setupComponent}},
	}
	const no = `admission webhook "policy" denied the request`
	event := func(object, message string) kube.Event {
		return kube.Event{Object: object, Warning: true, Reason: "FailedCreate", Last: at, Message: message}
	}
	old, other := event("statefulset/web", no), event("statefulset/web", no)
	old.Last, other.Reason = at.Add(-time.Second), "FailedScheduling"
	for name, tt := range map[string]struct {
		event   kube.Event
		refused bool
	}{
		"by a policy":                   {event("statefulset/web", no), true},
		"to a deployment":               {event("replicaset/web-6c7d8b9f5", no), true},
		"to the setup":                  {event("job/setup-new", no), true},
		"by the quota":                  {event("statefulset/web", `pods "web-0" is forbidden: exceeded quota: store`), true},
		"to the setup of before":        {event("job/setup-old", no), false},
		"to what has its pods now":      {event("statefulset/mariadb", no), false},
		"before it was asked for again": {old, false},
		"of something else":             {other, false},
		"for want of an account":        {event("statefulset/web", `error looking up service account store-a/default: serviceaccount "default" not found`), false},
		"for a quota not reckoned yet":  {event("statefulset/web", "is forbidden: status unknown for quota: store, resources: pods"), false},
	} {
		if _, refused := refusalAmong([]kube.Event{tt.event}, asked, here); refused != tt.refused {
			t.Errorf("%s: refused is %v, want %v", name, refused, tt.refused)
		}
	}
}

// A namespace on its way out takes its pods with it, and the account's rights: nothing is
// asked there, and nothing in it is a failure.
func TestNothingIsJudgedInANamespaceThatGoes(t *testing.T) {
	t.Parallel()
	long := condition{began: time.Now().Add(-time.Hour)}
	w := &worker{Provisioner: &Provisioner{timeout: time.Hour}, conditions: conditions{hopeless: long, podless: long}}
	w.claim.Store.Desired = store.Present
	o := observed{Namespace: kube.NamespaceState{Phase: kube.Terminating}, Snapshot: kube.Snapshot{
		Workloads: []kube.Workload{{Name: "wordpress", Want: 1}},
		Pods: []kube.Pod{{Name: "mariadb-0", Containers: []kube.Container{
			{Name: "mariadb", State: kube.State{Kind: "waiting", Reason: "ImagePullBackOff"}},
		}}},
	}}
	wanted := action{Do: wait, Step: store.StepNamespace}
	if got, err := w.judge(t.Context(), nil, o, wanted); err != nil || got.Do != wait {
		t.Errorf("judged to %s: %+v, %v", got.Do, got.Failure, err)
	}
}

// One pull that fails is no failure yet: a registry refuses for a moment when it is asked too often.
func TestAnImageIsPulledMoreThanOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		reason string
		after  time.Duration
		want   verb
	}{
		"in the first pause":     {"ImagePullBackOff", 9 * time.Second, wait},
		"at the second try":      {"ErrImagePull", 11 * time.Second, wait},
		"in the second pause":    {"ImagePullBackOff", 29 * time.Second, wait},
		"after the third try":    {"ErrImagePull", 46 * time.Second, fail},
		"in the pause after it":  {"ImagePullBackOff", 46 * time.Second, fail},
		"once it runs after all": {"ContainerCreating", 46 * time.Second, wait},
	} {
		w := &worker{Provisioner: &Provisioner{timeout: time.Hour}, conditions: conditions{hopeless: condition{began: time.Now().Add(-tt.after)}}}
		w.claim.Store.Desired = store.Present
		o := observed{Namespace: kube.NamespaceState{Phase: kube.Active}, Snapshot: kube.Snapshot{Pods: []kube.Pod{
			{Name: "mariadb-0", Containers: []kube.Container{{Name: "mariadb", State: kube.State{Kind: "waiting", Reason: tt.reason}}}},
		}}}
		got, err := w.judge(t.Context(), nil, o, action{Do: wait, Step: store.StepWorkloads})
		if err != nil || got.Do != tt.want {
			t.Errorf("%s: judged to %s, want %s; %v", name, got.Do, tt.want, err)
		}
	}
}
