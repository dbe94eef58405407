package provisioner_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// A pod that has to be replaced is asked to go once, however late the watches tell that it
// goes.
func TestPodIsReplacedOnceWhenTheWatchIsLate(t *testing.T) {
	t.Parallel()
	p, link := startOn(t)
	st := p.wantReady(t, p.request(t, "Late"))
	before := p.podUID(t, st.Namespace, "mariadb-0")
	held := link.HoldWatches("pods")
	p.upgrade(t, st, store.UpgradeRequest{Images: map[string]string{"mariadb": "11.8"}})
	kubetest.Within(t, "another pod is in its place", func() bool {
		now := p.podUID(t, st.Namespace, "mariadb-0")
		return now != "" && now != before
	})
	asked := 0
	for _, r := range link.Writes(st.Namespace) {
		if r.Method == http.MethodDelete && strings.HasSuffix(r.Path, "/pods/mariadb-0") {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("the pod was asked to go %d times", asked)
	}
	held.Release()
	if st = p.changed(t, st); st.Status != store.Ready {
		t.Errorf("it is %s: %+v", st.Status, st.Job.Failure)
	}
}

// podUID is empty when there is no such pod.
func (p *platform) podUID(t *testing.T, namespace, name string) types.UID {
	t.Helper()
	pod, err := p.admin.CoreV1().Pods(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return ""
	}
	return pod.UID
}

// Whoever writes down what it has done learns that the store is somebody else's by now. It
// stops at once, rather than at its next renewal, and does not look again and again until then.
func TestHolderOfALostClaimStopsAtOnce(t *testing.T) {
	t.Parallel()
	log := &transcript{}
	p, link := startOn(t, func(c *provisioner.Config) { c.Log = slog.New(slog.NewTextHandler(log, nil)) })
	p.untilLink(t, provisioner.Connected)
	namespace := store.Namespace(store.ProposeSlug("Lost " + p.mark))
	held := link.Hold(func(r kubetest.Request) bool { // the last of a release
		return r.Method == http.MethodPut && strings.Contains(r.Path, "/"+namespace+"/secrets/sh.helm.release")
	})
	st := p.request(t, "Lost")
	held.Wait()
	if err := p.db.ReleaseAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	claim, ok, err := p.db.Claim(t.Context(), "somebody else", time.Minute, store.Concurrency{})
	if err != nil || !ok || claim.Store.ID != st.ID {
		t.Fatalf("somebody else claims %q: %v, %v", claim.Store.Slug, ok, err)
	}
	before := len(link.Requests())
	held.Release()
	kubetest.Within(t, "the holder stops", func() bool { return log.has("msg=stopped") })
	asked := 0
	for _, r := range link.Requests()[before:] {
		if r.About(namespace) {
			asked++
		}
	}
	if asked > 0 {
		t.Errorf("it made %d requests about the store before it stopped", asked)
	}
	if err := p.db.Release(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	p.wantReady(t, st)
}
