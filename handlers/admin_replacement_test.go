package handlers_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// A store of a cluster that is lost is brought back in the cluster that answers in its place.
func TestStoresOfALostClusterAreBroughtBack(t *testing.T) {
	t.Parallel()
	s := connect(t, engine.Offered(), func(c *provisioner.Config) {
		if err := c.DB.RecordClusterSeen(t.Context(), c.Cluster.ID, "lost", "1.36", false); err != nil {
			t.Fatal(err)
		}
	})
	kubetest.Within(t, "the other cluster answers", func() bool { return s.Cluster().Link == provisioner.Foreign })
	s.offSite()
	slug := "lost-" + uuid.NewString()[24:]
	page := s.post(s.owner, "/stores", url.Values{"name": {"Lost"}, "slug": {slug}, "engine": {"woocommerce"}}).location
	id := strings.TrimPrefix(page, "/stores/")
	s.makeReady(id)
	s.pointAt(s.owner, page)
	st, err := s.db.UnguardedStore(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	recovery := "/admin/clusters/" + st.ClusterID + "/recovery"
	wantSaid(t, "the clusters", s.get(s.owner, "/admin/clusters"), http.StatusOK, `href="`+recovery+`"`, "Wrong cluster")
	wantSaid(t, "before", s.get(s.owner, recovery), http.StatusOK, "1 store is rebuilt there", "Bring stores back", "Later changes are lost")
	wantSaid(t, "another name", s.post(s.owner, recovery, url.Values{"confirm": {"other"}}), http.StatusUnprocessableEntity, `value="other"`, "The name doesn’t match")
	name := s.Cluster().Name
	if done := s.post(s.owner, recovery, url.Values{"confirm": {name}}); done.status != http.StatusSeeOther || done.location != recovery {
		t.Fatalf("it leads to %d %s: %s", done.status, done.location, done.body)
	}
	stream := streamOf.FindStringSubmatch(s.get(s.owner, recovery).body)
	if stream == nil {
		t.Fatal("the page isn’t live")
	}
	s.listen(s.owner, html.UnescapeString(stream[1]), nil).until("1 of 1 store is back")
	after := s.get(s.owner, recovery)
	wantSaid(t, "after", after, http.StatusOK, "1 of 1 store is back", "Ready")
	if strings.Contains(after.body, "Bring stores back") {
		t.Error("the cluster could be replaced again")
	}
	if again := s.post(s.owner, recovery, url.Values{"confirm": {name}}); again.status != http.StatusConflict {
		t.Errorf("a cluster that answers is replaced: %d", again.status)
	}
	wantSaid(t, "the audit log", s.get(s.owner, "/audit"), http.StatusOK, "replaced the cluster", "rebuilt")
	if st, err = s.db.UnguardedStore(t.Context(), id); err != nil || !st.BroughtBack() || st.Origin.Pending() || st.Status != store.Ready {
		t.Errorf("the store is %+v, %v", st, err)
	}
}
