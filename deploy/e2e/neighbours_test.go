//go:build e2e

package e2e_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/views/browsertest"
)

// absence is how long the kubelet is away, at least: until Kubernetes takes its node for lost.
const absence = time.Minute

// TestNeighbours is about two shops of each engine on one node.
func TestNeighbours(t *testing.T) {
	c := connect(t)
	c.install(t)
	owner := c.browser(t)
	c.signIn(t, owner)
	woo := c.openPair(t, owner, "woocommerce", "Livres", "Laines")
	medusas := c.openPair(t, owner, "medusa", "Busy", "Quiet")
	busy, quiet := medusas[0], medusas[1]
	t.Run("one Medusa under load", func(t *testing.T) {
		end := busy.load(t, "http://"+c.address()+"/")
		quiet.check(t, owner.In(t))
		end()
	})
	t.Run("one WooCommerce under load", func(t *testing.T) { c.loadWooCommerce(t, owner.In(t), woo) })
	t.Run("without the kubelet", func(t *testing.T) {
		c.pauseKubelet(t, quiet)
		quiet.check(t, owner.In(t))
	})
	t.Run("deleted", func(t *testing.T) {
		busy.delete(t, owner.In(t))
		woo[0].delete(t, owner)
		if err := quiet.get(t.Context(), "/"); err != nil {
			t.Errorf("the neighbour of a store that was deleted: %v", err)
		}
		if !hasPlugin() {
			woo[1].mustServe(t, "Only in "+woo[1].name)
		}
		quiet.delete(t, owner)
		woo[1].delete(t, owner)
	})
}

// openPair opens two stores of an engine at once, side by side. They sell, if they can.
func (c *cluster) openPair(t *testing.T, b *browsertest.Browser, engine string, names ...string) (pair []*store) {
	t.Helper()
	for _, name := range names {
		pair = append(pair, c.begin(b, engine, name))
	}
	for _, s := range pair {
		b.Visit(platformURL + s.page)
		s.arrive(t, b)
		if engine == "woocommerce" && !hasPlugin() {
			s.mustLackPlugin(t, b)
		} else {
			s.mustBeReady(t, b)
		}
	}
	return pair
}

// loadWooCommerce puts one shop under load while the other sells. Without the plugin each is a
// WordPress that has no customers: one is asked in its pod, while the other serves what was
// written there and nothing of its neighbour's.
func (c *cluster) loadWooCommerce(t *testing.T, owner *browsertest.Browser, pair []*store) {
	busy, quiet := pair[0], pair[1]
	if hasPlugin() {
		end := busy.load(t, "http://"+c.address()+"/")
		quiet.check(t, owner)
		end()
		return
	}
	busy.leftOut(t)
	for _, s := range pair {
		s.write(t, "Only in "+s.name)
	}
	address := busy.pods(t, busy.namespace(), "app.kubernetes.io/component=wordpress")[0].Status.PodIP
	end := busy.load(t, "http://"+address+"/wp-login.php")
	for range 10 {
		quiet.mustServe(t, "Only in "+quiet.name)
	}
	end()
	busy.mustServe(t, "Only in "+busy.name)
}

// pauseKubelet stops the node's kubelet for a minute. The shop goes on until Kubernetes takes the
// only node for lost and its pods for not ready, and comes back with it.
func (c *cluster) pauseKubelet(t *testing.T, s *store) {
	t.Helper()
	pid := c.kubelet(t)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	back := func() { _ = syscall.Kill(pid, syscall.SIGCONT) }
	t.Cleanup(back)
	began, asked, away := time.Now(), 0, 0
	within(t, 5*absence, "the kubelet was away, and was missed", func(ctx context.Context) bool {
		asked++
		err := s.get(ctx, "/")
		ready := c.nodeReady(t)
		if err != nil {
			away++
			if ready {
				t.Errorf("on a node that is ready: %v", err)
			}
		}
		return !ready && time.Since(began) >= absence
	})
	s.note(t, "%s asked %d times in %s without the kubelet, %d in vain", s.slug, asked, took(began), away)
	back()
	within(t, time.Minute, "the node is back", func(context.Context) bool { return c.nodeReady(t) })
	within(t, time.Minute, "the shop is back", func(ctx context.Context) bool { return s.get(ctx, "/") == nil })
}

func (c *cluster) kubelet(t *testing.T) int {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(required(t, "SHOPWRIGHT_E2E_STATE"), "run", "kubelet.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.Fields(string(raw))[0])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func (c *cluster) nodeReady(t *testing.T) bool {
	t.Helper()
	node, err := c.CoreV1().Nodes().Get(t.Context(), "node-1", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
