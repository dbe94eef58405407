package provisioner_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// moreTries is more than the number of revisions that a cluster keeps.
const moreTries = 12

// wantKeptRevisions checks that the cluster has exactly the revisions that the database lists as
// kept, which are those of these numbers.
func (p *platform) wantKeptRevisions(t *testing.T, st store.Store, want ...int) {
	t.Helper()
	revisions, err := p.db.Revisions(t.Context(), p.actor, st.ID)
	if err != nil {
		t.Fatal(err)
	}
	var listed []int
	for _, r := range revisions {
		if r.Kept {
			listed = append(listed, r.Number)
		}
	}
	slices.Sort(listed)
	if !slices.Equal(listed, want) {
		t.Errorf("the database lists the revisions %d as kept, want %d", listed, want)
	}
	kubetest.Within(t, "the cluster has the same revisions", func() bool { return slices.Equal(p.releaseSecrets(t, st), want) })
}

// releaseSecrets are the numbers of the revisions that the cluster has.
func (p *platform) releaseSecrets(t *testing.T, st store.Store) (numbers []int) {
	t.Helper()
	secrets, err := p.admin.CoreV1().Secrets(st.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets.Items {
		number, err := strconv.Atoi(s.Labels["version"])
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	return numbers
}

// An undo that cannot get through for long, as when an admission webhook is down, still finds the
// revision that it goes back to.
func TestUndoOutlastsMoreTriesThanRevisionsAreKept(t *testing.T) {
	t.Parallel()
	// Its many tries are all work of one change: how long they take depends on the machine.
	p, link := startOn(t, func(c *provisioner.Config) { c.Timeout = time.Hour })
	p.TryAgainAfter(0)
	st := p.wantReady(t, p.request(t, "Unlucky"))
	image := p.databaseImage(t, st)
	p.upgrade(t, st, store.UpgradeRequest{Images: map[string]string{"mariadb": "11.8", "wordpress": "does-not-exist"}})
	p.until(t, st.ID, "applied", func(now store.Store) bool { return now.Job.Applied == 2 })
	patches := func(r kubetest.Request) bool {
		return r.Method == http.MethodPatch && r.About(st.Namespace) && strings.HasSuffix(r.Path, "/deployments/wordpress")
	}
	before := len(link.Requests())
	link.Inject(kubetest.Refusing(http.StatusInternalServerError, metav1.StatusReasonInternalError, patches))
	for tried := range moreTries + 1 { // a try takes half a minute on a busy machine
		kubetest.Within(t, "it was tried more often", func() bool {
			tries := 0
			for _, r := range link.Requests()[before:] {
				if patches(r) {
					tries++
				}
			}
			return tries > tried
		})
	}
	if now := p.releaseSecrets(t, st); len(now) > 4 {
		t.Errorf("the tries leave the revisions %d", now)
	}
	link.Inject(kubetest.NoFault)
	back := p.changed(t, st)
	if back.Status != store.Ready || back.Job.Change.Undone.Code == "" {
		t.Fatalf("it is %s: %+v %+v", back.Status, back.Job.Failure, back.Job.Change)
	}
	if got := p.databaseImage(t, st); got != image {
		t.Errorf("the database is %s, and was %s", got, image)
	}
	p.wantKeptRevisions(t, st, 1, 2, 3)
	if _, err := p.db.Rollback(t.Context(), p.actor, st.ID, 1); err != nil {
		t.Fatal(err)
	}
	if again := p.changed(t, back); again.Status != store.Ready {
		t.Errorf("rolled back to what it was opened with, it is %s: %+v", again.Status, again.Job.Failure)
	}
}

// What the database does not list as kept is deleted from the cluster, and is no way back.
func TestRevisionsAreDeletedThatNeedNotBeKept(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Old"))
	for _, version := range []string{"11.6", "11.8"} {
		p.upgrade(t, st, store.UpgradeRequest{Images: map[string]string{"mariadb": version}})
		if st = p.changed(t, st); st.Status != store.Ready {
			t.Fatalf("upgraded to %s it is %s: %+v", version, st.Status, st.Job.Failure)
		}
	}
	p.wantKeptRevisions(t, st, 1, 2, 3)
	p.exec(t, `UPDATE revisions SET kept = FALSE WHERE store_id = $1 AND number = 1`, st.ID)
	p.upgrade(t, st, store.UpgradeRequest{})
	st = p.changed(t, st)
	p.wantKeptRevisions(t, st, 2, 3, 4)
	if _, err := p.db.Rollback(t.Context(), p.actor, st.ID, 1); store.ErrorCode(err) != store.Conflict {
		t.Errorf("back to a revision that was deleted: %v", err)
	}
}

// A person need not wait until a change that cannot get through has failed.
func TestCancelledChangeGoesBack(t *testing.T) {
	t.Parallel()
	p, link := startOn(t)
	st := p.wantReady(t, p.request(t, "Reconsidered"))
	p.TryAgainAfter(2 * patience) // cancelling does not wait for the next try
	link.Inject(kubetest.Refusing(http.StatusInternalServerError, metav1.StatusReasonInternalError, func(r kubetest.Request) bool {
		return r.Method == http.MethodPatch && strings.HasSuffix(r.Path, "/"+st.Namespace+"/deployments/wordpress")
	}))
	p.upgrade(t, st, store.UpgradeRequest{Images: map[string]string{"wordpress": "6.9.1"}})
	kubetest.Within(t, "it was tried", func() bool { return patchesOf(link, st, "wordpress") > 0 })
	if _, err := p.db.Cancel(t.Context(), p.actor, st.ID); err != nil {
		t.Fatal(err)
	}
	back := p.changed(t, st)
	if back.Status != store.Ready || back.Job.Change.Undone.Code != store.ChangeWasCancelled {
		t.Fatalf("it is %s: %+v %+v", back.Status, back.Job.Failure, back.Job.Change)
	}
	if got, want := p.history(t, st), "Back to revision 1 deployed, Opened superseded"; got != want {
		t.Errorf("the history is %q, want %q", got, want)
	}
}

// A revision that somebody has deleted from the cluster is offered until the first try only.
func TestRevisionThatIsGoneIsNoWayBack(t *testing.T) {
	t.Parallel()
	p := start(t)
	st := p.wantReady(t, p.request(t, "Forgetful"))
	p.upgrade(t, st, store.UpgradeRequest{Images: map[string]string{"mariadb": "11.8"}})
	up := p.changed(t, st)
	if err := p.admin.CoreV1().Secrets(st.Namespace).Delete(t.Context(), "sh.helm.release.v1.store.v1", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.db.Rollback(t.Context(), p.actor, st.ID, 1); err != nil {
		t.Fatal(err)
	}
	back := p.changed(t, up)
	if back.Status != store.Ready || phrase.Failure(back.Job.Change.Undone).Title != "The revision no longer exists" {
		t.Fatalf("it is %s: %+v %+v", back.Status, back.Job.Failure, back.Job.Change)
	}
	if image := p.databaseImage(t, st); !strings.HasSuffix(image, "mariadb:11.8") {
		t.Errorf("the database is %s", image)
	}
	if _, err := p.db.Rollback(t.Context(), p.actor, st.ID, 1); store.ErrorCode(err) != store.Conflict {
		t.Errorf("back to it once more: %v", err)
	}
	p.wantKeptRevisions(t, st, 2, 3)
}
