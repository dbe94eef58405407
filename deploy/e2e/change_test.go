//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/views/browsertest"
)

// nextVersion is what run.sh calls the shop's image a second time: a version that there is.
const nextVersion = "-next"

// change upgrades the shop, has an upgrade fail, and rolls back. Each time it sells afterwards.
func (s *store) change(t *testing.T, b *browsertest.Browser) {
	first := s.version(t)
	s.upgrade(t, b, first+nextVersion)
	if now := s.version(t); now != first+nextVersion {
		t.Errorf("upgraded, it runs %s", now)
	}
	s.upgrade(t, b, "does-not-exist")
	if now := s.version(t); now != first+nextVersion {
		t.Errorf("after an upgrade that failed it runs %s", now)
	}
	if said := s.said(b); !strings.Contains(said, "The change failed and was undone: An image cannot be pulled") {
		t.Errorf("the page says %s", said)
	}
	s.picture(b, s.slug+"-undone")
	b.Visit(platformURL + s.page + "/releases/1/rollback")
	s.confirm(t, b, "rolled back")
	if now := s.version(t); now != first {
		t.Errorf("rolled back, it runs %s", now)
	}
	b.Visit(platformURL + s.page + "/releases")
	s.picture(b, s.slug+"-releases")
}

func (s *store) said(b *browsertest.Browser) string {
	return browsertest.Evaluate[string](b, `document.querySelector("#store-main").innerText`)
}

// upgrade asks for a version of the shop's image, after a look at what that changes.
func (s *store) upgrade(t *testing.T, b *browsertest.Browser, version string) {
	t.Helper()
	b.Visit(platformURL + s.page + "/releases/upgrade?image-medusa=" + version)
	b.WaitFor(".sw-diff .a")
	s.picture(b, s.slug+"-upgrade-"+version)
	s.confirm(t, b, "brought to "+version)
}

// confirm presses the button of the change that is shown, and waits until the store is ready
// again, or has failed.
func (s *store) confirm(t *testing.T, b *browsertest.Browser, what string) {
	t.Helper()
	began := time.Now()
	b.Click("header button.btn-primary")
	b.Until(fmt.Sprintf(`location.pathname === %q && document.getElementById("store-main") !== null`, s.page))
	within(t, provisioning, what, func(context.Context) bool {
		status := s.status(b)
		return status == "ready" || status == "failed"
	})
	s.note(t, "%s is %s, and %s after %s: %s", s.slug, what, s.status(b), took(began), steps(b))
	s.mustBeReady(t, b)
}

// version is that of the image that the shop's pod runs.
func (s *store) version(t *testing.T) string {
	t.Helper()
	pods := s.pods(t, s.namespace(), "app.kubernetes.io/component=medusa")
	if len(pods) != 1 {
		t.Fatalf("the shop has %d pods", len(pods))
	}
	_, version, _ := strings.Cut(pods[0].Spec.Containers[0].Image, ":")
	return version
}
