//go:build e2e

package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// absence is how long the kubelet is away, at least: until Kubernetes takes its node for lost.
const absence = time.Minute

// TestNeighbours is about two shops on one node.
func TestNeighbours(t *testing.T) {
	c := connect(t)
	c.install(t)
	owner := c.browser(t)
	c.signIn(t, owner)
	busy := c.create(t, owner, "medusa", "Busy")
	busy.mustBeReady(t, owner)
	quiet := c.create(t, owner, "medusa", "Quiet")
	quiet.mustBeReady(t, owner)
	t.Run("one under load", func(t *testing.T) {
		end := busy.load(t)
		quiet.check(t, owner.In(t))
		end()
	})
	t.Run("without the kubelet", func(t *testing.T) {
		c.pauseKubelet(t, quiet)
		quiet.check(t, owner.In(t))
	})
	t.Run("deleted", func(t *testing.T) {
		busy.delete(t, owner.In(t))
		if err := quiet.get(t.Context(), "/"); err != nil {
			t.Errorf("the neighbour of a store that was deleted: %v", err)
		}
		quiet.delete(t, owner)
	})
}

// load has many customers look at the shop until end is called.
func (s *store) load(t *testing.T) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "wrk", "--threads", "1", "--connections", "16", "--duration", "10m",
		"--header", "Host: "+s.slug+"."+domain, "http://"+s.address()+"/")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) } // then it says what it saw
	var said strings.Builder
	cmd.Stdout = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		cancel()
		_ = cmd.Wait() // it was interrupted
		t.Logf("meanwhile at %s:\n%s", s.slug, said.String())
		if !strings.Contains(said.String(), "Requests/sec") {
			t.Error("nobody was served")
		}
	}
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
