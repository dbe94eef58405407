//go:build e2e

package e2e_test

import (
	"os"
	"strings"
	"testing"

	"shopwright.dev/shopwright/views/browsertest"
)

// withPlugin names an image of the engine that has the plugin in it, as that of deploy/images has.
const withPlugin = "WOOCOMMERCE_IMAGE"

func TestWooCommerce(t *testing.T) {
	c := connect(t)
	c.install(t)
	owner := c.browser(t)
	c.signIn(t, owner)
	s := c.create(t, owner, "woocommerce", "Papeterie du Canal")
	if os.Getenv(withPlugin) == "" {
		s.testWithoutPlugin(t, owner)
	} else {
		s.testWithPlugin(t, owner)
	}
	t.Run("deleted", func(t *testing.T) { s.delete(t, owner.In(t)) })
}

// testWithPlugin goes on to what a store is for. Ready means that an order was placed.
func (s *store) testWithPlugin(t *testing.T, owner *browsertest.Browser) {
	s.mustBeReady(t, owner)
	t.Run("at rest", s.logMemory)
	t.Run("pods are lost", func(t *testing.T) {
		s.losePods(t)
		s.check(t, owner.In(t))
	})
}

// testWithoutPlugin looks at what there is without the plugin: Debian has no package of it.
func (s *store) testWithoutPlugin(t *testing.T, owner *browsertest.Browser) {
	t.Logf("LEFT OUT: the shop, its order check and a sale, as the plugin cannot be had offline; %s names an image that has it", withPlugin)
	if status := s.status(owner); status != "failed" {
		t.Fatalf("a shop that cannot be set up is %s", status)
	}
	said := browsertest.Evaluate[string](owner, `document.querySelector("#store-main").innerText`)
	if !strings.Contains(said, "The plugin woocommerce is not in this image") {
		t.Errorf("the page does not say what is missing:\n%s", said)
	}
	t.Run("serves", s.serveSignIn)
	t.Run("at rest", s.logMemory)
}

// serveSignIn asks WordPress in its pod: without a shop it gets no customers.
func (s *store) serveSignIn(t *testing.T) {
	pod := s.pods(t, s.namespace(), "app.kubernetes.io/component=wordpress")[0].Name
	page := s.exec(t, s.namespace(), pod, "curl", "-s", "-H", "Host: "+s.slug+"."+domain, "http://127.0.0.1/wp-login.php")
	if !strings.Contains(page, "Papeterie du Canal") {
		t.Errorf("WordPress's sign-in page is\n%.2000s", page)
	}
}
