package handlers_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
	"shopwright.dev/shopwright/store"
)

// A node with room for one more WooCommerce store and no Medusa store: administrators and programs are told, and whoever creates a
// store is warned and not refused.
func TestCapacityIsToldBeforeAStoreIsCreated(t *testing.T) {
	t.Parallel()
	slug := "crowded-" + uuid.NewString()[24:]
	t.Cleanup(func() {
		_ = kubetest.Admin(t).CoreV1().Namespaces().Delete(context.Background(), store.Namespace(slug), metav1.DeleteOptions{})
	})
	node := kubetest.NewNode(t, "600m", "2Gi")
	s := connect(t, engine.Offered(), func(c *provisioner.Config) {
		medusa := kubetest.OnNode(node)
		medusa["resources"] = map[string]any{"medusa": map[string]any{"requests": map[string]any{"cpu": "700m"}}}
		c.Site.Values = map[string]map[string]any{"woocommerce": kubetest.OnNode(node), "medusa": medusa}
	})
	p := s.program(everyScope()...)
	var health v1.InstallationHealth
	kubetest.Within(t, "the nodes are counted", func() bool {
		health = read[v1.InstallationHealth](t, p.call("GET", "/health", nil), 200)
		return health.Cluster.Capacity.State == "counted"
	})
	if c := health.Cluster.Capacity; len(c.Room) != 2 || c.Room[0] != (v1.Room{Engine: "woocommerce", Stores: 1}) || c.Room[1] != (v1.Room{Engine: "medusa"}) || c.CountedAt == nil {
		t.Errorf("programs are told %+v", c)
	}
	page := s.get(s.owner, "/admin/clusters").body
	for _, told := range []string{"<strong class=\"font-semibold\">Nearly full.</strong> Room for about 1 more WooCommerce store. No room for another Medusa store.", "0 of 0.6 CPU", "0 of 2 GiB", "Connected"} {
		if !strings.Contains(page, told) {
			t.Errorf("the page lacks %q: %s", told, page)
		}
	}
	const warning = "The cluster has no room for another Medusa store. A new one can only open once there is room."
	for _, path := range []string{"/stores", "/stores/new"} {
		if body := s.get(s.owner, path).body; !strings.Contains(body, warning) {
			t.Errorf("%s warns of nothing", path)
		}
	}
	if got := s.post(s.owner, "/stores", url.Values{"name": {"Medusa"}, "slug": {slug}, "engine": {"medusa"}}); got.status != http.StatusSeeOther {
		t.Errorf("a store is refused: %d %s", got.status, got.body)
	}
}
