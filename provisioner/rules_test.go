package provisioner

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
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

// recorded reads pods and jobs as a cluster has them.
func recorded(t *testing.T, name string) (s kube.Snapshot) {
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
		}
	}
	return s
}

type rule struct{ title, cause, next string }

func (r rule) want(t *testing.T, of string, f store.Failure) {
	t.Helper()
	if f.Title != r.title || !strings.Contains(f.Cause, r.cause) || !strings.Contains(f.Next, r.next) || !strings.Contains(f.Next, "press Retry") {
		t.Errorf("%s:\n%+v\nwant\n%+v", of, f, r)
	}
}

// failureOf is what is decided of a store in such a state.
func failureOf(s kube.Snapshot) store.Failure {
	if f, bad := hopeless(s); bad {
		return f
	}
	return next(
		store.Store{Status: store.Provisioning, Desired: store.Present, Generation: 1, Step: store.StepSetup},
		observed{Namespace: kube.NamespaceState{Phase: kube.Active}, Limits: true, Credentials: true, Release: helm.Release{Status: helm.Deployed, Generation: 1}, Applied: true, Snapshot: s},
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
		want.want(t, name, failureOf(recorded(t, name)))
	}
}

func TestStepOfTheSetupThatFailedIsNamed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]rule{
		"setup-step-woocommerce": {"Setting up the shop failed", "gave up after 4 attempts, while it was installing WooCommerce.", "runs again on what is there"},
		"setup-step-medusa":      {"Setting up the shop failed", "while it was migrating the database: medusa db:migrate --execute-safe-links ended with 1.", "runs again"},
		"setup-silent":           {"Setting up the shop failed", "Job has reached the specified backoff limit.", "runs again"}, // ended before it could say
	} {
		want.want(t, name, failureOf(recorded(t, name)))
	}
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
