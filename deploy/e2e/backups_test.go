//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/views/browsertest"
)

// bucket names the namespace of the S3 service, its pod and its address.
const bucket = "bucket"

const bucketPort = 9000

// What the backup target is, and what it asks for.
const (
	bucketName   = "shops"
	bucketKey    = "key"
	bucketSecret = "unchecked"
)

// bucketURL is the endpoint of the S3 service.
func bucketURL() string {
	return fmt.Sprintf("http://%s.%s.svc.cluster.local:%d", bucket, bucket, bucketPort)
}

// serveBucket runs an S3 service in the cluster, if there is none yet.
func (c *cluster) serveBucket(t *testing.T) {
	t.Helper()
	meta := metav1.ObjectMeta{Name: bucket, Namespace: bucket, Labels: map[string]string{"app": bucket}}
	_, err := c.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: bucket}}, metav1.CreateOptions{})
	unlessThere(t, err)
	_, err = c.CoreV1().Services(bucket).Create(t.Context(), &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{
		Selector: meta.Labels, Ports: []corev1.ServicePort{{Port: bucketPort}},
	}}, metav1.CreateOptions{})
	unlessThere(t, err)
	_, err = c.CoreV1().Pods(bucket).Create(t.Context(), &corev1.Pod{ObjectMeta: meta, Spec: corev1.PodSpec{
		Containers: []corev1.Container{{Name: bucket, Image: bucket + ":e2e", ImagePullPolicy: corev1.PullNever}},
	}}, metav1.CreateOptions{})
	unlessThere(t, err)
	within(t, time.Minute, "the bucket is served", func(ctx context.Context) bool {
		pod, err := c.CoreV1().Pods(bucket).Get(ctx, bucket, metav1.GetOptions{})
		return err == nil && pod.Status.Phase == corev1.PodRunning
	})
}

func unlessThere(t *testing.T, err error) {
	t.Helper()
	if err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
}

// addTarget makes the bucket the installation's backup target, unless it is already, and has it tested.
func (c *cluster) addTarget(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	c.serveBucket(t)
	b.Visit(platformURL + "/admin/targets")
	if browsertest.Evaluate[bool](b, `document.querySelector("form[action$='/test']") === null`) {
		b.Visit(platformURL + "/admin/targets/new")
		for field, text := range map[string]string{
			"name": "In this cluster", "endpoint": bucketURL(), "bucket": bucketName, "key_id": bucketKey, "secret": bucketSecret,
		} {
			b.Type(fmt.Sprintf(`form[action^="/admin/targets"] [name=%q]`, field), text)
		}
		browsertest.Evaluate[bool](b, `document.querySelector("[name=path_style]").checked = document.querySelector("[name=in_use]").checked = true`)
		b.Click(`form[action^="/admin/targets"] button.btn-primary`)
		b.WaitFor(`form[action$='/test']`)
	}
	b.Click(`form[action$='/test'] button`)
	b.WaitFor(`.c-name [role=status]`)
	c.picture(b, "backup-target")
	if said := browsertest.Evaluate[string](b, `document.querySelector(".c-name [role=status]").innerText`); !strings.Contains(said, "An object was written") {
		t.Fatalf("the target’s test says %s", said)
	}
}

// counted is how a point tells what a shop with an order has.
var counted = regexp.MustCompile(`[1-9]\d* orders?, [1-9]\d* products?, \d+ customers?`)

// backUp makes restore points of the store, and wants what a customer bought in the newest.
func (s *store) backUp(t *testing.T, b *browsertest.Browser, dump, wanted string) {
	t.Helper()
	s.addTarget(t, b)
	for i, note := range []string{"first", "second"} {
		b.Visit(platformURL + s.page + "/backups")
		b.Type("#backup-note", note)
		began := time.Now()
		b.Click(`form[action$="/backups"] .btn-primary`)
		within(t, provisioning, "the restore point is made", func(context.Context) bool {
			return browsertest.Evaluate[int](b, `document.querySelectorAll("#tab-backups tbody tr").length`) > i ||
				browsertest.Evaluate[bool](b, `document.querySelector("#backup-failed") !== null`)
		})
		s.picture(b, s.slug+"-backups")
		s.note(t, "%s has its %s restore point after %s: %s", s.slug, note, took(began), strings.Join(strings.Fields(s.said(b, "#tab-backups")), " "))
	}
	if rows := browsertest.Evaluate[int](b, `document.querySelectorAll("#tab-backups tbody tr").length`); rows != 2 {
		t.Fatalf("there are %d restore points:\n%s", rows, s.said(b, "#tab-backups"))
	}
	if said := s.said(b, "#tab-backups"); !counted.MatchString(said) {
		t.Errorf("the points don’t say what the shop has: %s", said)
	}
	b.Visit(platformURL + s.page)
	s.mustBeReady(t, b)
	if !strings.Contains(s.restic(t, "dump", "--tag", "part=database", "latest", dump), wanted) {
		t.Errorf("%s is not in the database of the newest restore point", wanted)
	}
	s.restic(t, "check", "--read-data", "--no-lock")
}

// rehearse has the newest restore point of the store restored and sold from in a namespace of its own.
func (s *store) rehearse(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	b.Visit(platformURL + s.page + "/backups")
	began := time.Now()
	b.Click(`form[action$="/drills"] button`)
	b.WaitFor(`#tab-backups`)
	within(t, provisioning, "the drill has ended", func(context.Context) bool {
		return strings.Contains(s.said(b, "#tab-backups"), "Last drill") || strings.Contains(s.said(b, "#tab-backups"), "The last drill failed")
	})
	s.picture(b, s.slug+"-drill")
	said := strings.Join(strings.Fields(s.said(b, "#tab-backups")), " ")
	s.note(t, "the restore of %s is rehearsed in %s: %.300s", s.slug, took(began), said)
	if !strings.Contains(said, "sold order") {
		t.Errorf("the drill is told as %s", said)
	}
}

// lose deletes the store's namespace, and has the store rebuilt from its newest restore point.
func (s *store) lose(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	b.Visit(platformURL + s.page)
	if err := s.CoreV1().Namespaces().Delete(t.Context(), s.namespace(), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	within(t, provisioning, "the data is lost", func(context.Context) bool { return s.status(b) == "failed" })
	s.picture(b, s.slug+"-lost")
	began := time.Now()
	b.Click(`form[action$="/rebuild"] button.btn-primary`)
	within(t, time.Minute, "it is rebuilt", func(context.Context) bool { return s.status(b) != "failed" && s.status(b) != "" })
	s.arrive(t, b)
	s.note(t, "%s is %s %s after it was to be rebuilt from its newest restore point", s.slug, s.status(b), took(began))
	s.mustBeReady(t, b)
}

// restore opens another store with the newest restore point of this one, which is deleted, and wants it to be
// ready under its own URL.
func (s *store) restore(t *testing.T, b *browsertest.Browser) *store {
	t.Helper()
	b.Visit(platformURL + "/backups/" + path.Base(s.page))
	s.picture(b, s.slug+"-points")
	b.Click(`a[href^="/stores/new?from="]`)
	b.WaitFor("#create-form")
	r := &store{cluster: s.cluster, engine: s.engine, name: s.name, slug: s.slug + "-2"}
	b.Type(`#create-form input[name="slug"]`, r.slug)
	s.picture(b, r.slug+"-new")
	r.clicked = time.Now()
	b.Click(`#create-form button.btn-primary`)
	b.WaitFor(`#store-head`)
	r.page = browsertest.Evaluate[string](b, "location.pathname")
	r.arrive(t, b)
	r.note(t, "%s is %s %s after the click, with the data of %s", r.slug, r.status(b), took(r.clicked), s.slug)
	r.mustBeReady(t, b)
	shop := r.browser(t)
	shop.Visit(r.url() + "/")
	r.picture(shop, r.slug+"-shop")
	if page := browsertest.Evaluate[string](shop, "document.documentElement.outerHTML"); strings.Contains(page, s.host()) {
		t.Errorf("the restored shop has the address of the former one:\n%.4000s", page)
	}
	return r
}

// restic runs restic beside the bucket, with what the server's command line prints for the store.
func (s *store) restic(t *testing.T, args ...string) string {
	t.Helper()
	pod := s.pods(t, platform, "app.kubernetes.io/name=shopwright")[0].Name
	access := s.exec(t, platform, pod, "/shopwright", "repository", s.slug)
	return s.exec(t, bucket, bucket, append([]string{"sh", "-c", access + `exec restic --no-cache --option s3.bucket-lookup=path "$@"`, "restic"}, args...)...)
}
