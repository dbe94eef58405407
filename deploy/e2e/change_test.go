//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/views/browsertest"
)

// edition is the ConfigMap by which run.sh has the next versions of the engines' charts tell
// which one they are.
const edition = "edition"

// change brings the platform to its next version and the shop to the chart and to the image
// that it offers, has an upgrade fail, and rolls back. Each time the shop sells afterwards.
func (s *store) change(t *testing.T, b *browsertest.Browser, nextImage string) {
	firstChart, firstImage := s.chart(t), s.version(t)
	s.nextPlatform(t, b)
	b.Visit(platformURL + s.page + "/releases")
	if offered := s.said(b, "#tab-releases"); !strings.Contains(offered, "is available") {
		t.Errorf("the page does not offer another chart:\n%s", offered)
	}
	s.picture(b, s.slug+"-offered")

	end := s.visit(t)
	s.upgrade(t, b, nextImage)
	end("upgraded")
	next := s.chart(t)
	if next == firstChart {
		t.Errorf("upgraded, it is still of chart %s", next)
	}
	s.mustBe(t, next, nextImage)
	end = s.visit(t)
	s.upgrade(t, b, "does-not-exist")
	end("upgraded to what is not there")
	s.mustBe(t, next, nextImage)
	if said := s.said(b, "#store-main"); !strings.Contains(said, "The change failed and was rolled back: An image can’t be pulled") {
		t.Errorf("the page says %s", said)
	}
	s.picture(b, s.slug+"-undone")

	b.Visit(platformURL + s.page + "/releases/1/rollback")
	end = s.visit(t)
	s.confirm(t, b, "rolled back")
	end("rolled back")
	s.mustBe(t, firstChart, firstImage)
	b.Visit(platformURL + s.page + "/releases")
	s.picture(b, s.slug+"-releases")
}

// mustBe wants the chart and the image's version, in the release, in what it is made of, and
// in the pod that runs.
func (s *store) mustBe(t *testing.T, chart, image string) {
	t.Helper()
	if now := s.chart(t); now != chart {
		t.Errorf("it is of chart %s, not %s", now, chart)
	}
	if now := s.version(t); now != image {
		t.Errorf("it runs %s, not %s", now, image)
	}
	_, version, _ := strings.Cut(chart, s.engine+"-")
	of, err := s.CoreV1().ConfigMaps(s.namespace()).Get(t.Context(), edition, metav1.GetOptions{})
	isNext := strings.HasSuffix(version, nextChart)
	if apierrors.IsNotFound(err) != !isNext || err == nil && of.Data["version"] != version {
		t.Errorf("chart %s has made %v, %v", chart, of.Data, err)
	}
}

// nextChart ends the versions of the next charts.
const nextChart = "-next"

func (s *store) said(b *browsertest.Browser, where string) string {
	return browsertest.Evaluate[string](b, fmt.Sprintf(`document.querySelector(%q).innerText`, where))
}

// upgrade asks for what is offered, with a version of the shop's image, after a look at what
// that changes.
func (s *store) upgrade(t *testing.T, b *browsertest.Browser, image string) {
	t.Helper()
	b.Visit(platformURL + s.page + "/releases/upgrade?" + url.Values{"image-" + s.component(): {image}}.Encode())
	b.WaitFor(".sw-diff .a")
	s.picture(b, s.slug+"-upgrade-"+image)
	s.confirm(t, b, "brought to "+image)
}

// confirm presses the button of the change that is shown.
func (s *store) confirm(t *testing.T, b *browsertest.Browser, what string) {
	t.Helper()
	s.press(t, b, "header button.btn-primary", what)
}

// press presses a button that sets off a change, and waits until the store is ready again, or has
// failed.
func (s *store) press(t *testing.T, b *browsertest.Browser, button, what string) {
	t.Helper()
	began := time.Now()
	b.Click(button)
	b.Until(fmt.Sprintf(`location.pathname === %q && document.getElementById("store-main") !== null`, s.page))
	within(t, provisioning, what, func(context.Context) bool {
		status := s.status(b)
		return status == "ready" || status == "failed"
	})
	s.note(t, "%s is %s, and %s after %s: %s", s.slug, what, s.status(b), took(began), steps(b))
	s.mustBeReady(t, b)
}

// chart is that of the release, with its version, as Helm's own command line tells.
func (s *store) chart(t *testing.T) string {
	t.Helper()
	var releases []struct{ Chart, Status string }
	if err := json.Unmarshal([]byte(s.helm(t, "list", "--namespace", s.namespace(), "--output", "json")), &releases); err != nil {
		t.Fatal(err)
	}
	if len(releases) != 1 || releases[0].Status != "deployed" {
		t.Fatalf("the releases are %+v", releases)
	}
	return releases[0].Chart
}

// component is the shop's own, by the name that its pods and its image have.
func (s *store) component() string {
	return map[string]string{"medusa": "medusa", "woocommerce": "wordpress"}[s.engine]
}

// version is that of the image that the shop's pod runs.
func (s *store) version(t *testing.T) string {
	t.Helper()
	pods := s.pods(t, s.namespace(), "app.kubernetes.io/component="+s.component())
	if len(pods) != 1 {
		t.Fatalf("the shop has %d pods", len(pods))
	}
	return referenceOf(pods[0].Spec.Containers[0].Image).tag
}
