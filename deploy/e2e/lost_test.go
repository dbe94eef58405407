//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/views/browsertest"
)

// TestEverythingIsLost wipes the platform and its stores, and brings them back with the backup target and the
// recovery key alone, by the commands that are documented.
func TestEverythingIsLost(t *testing.T) {
	c := connect(t)
	c.install(t)
	owner := c.browser(t)
	c.signIn(t, owner)
	stores := []*store{c.create(t, owner, "medusa", "Fjell & Fjord")}
	if hasPlugin() {
		stores = append(stores, c.create(t, owner, "woocommerce", "Librairie des Quais"))
	}
	for _, s := range stores {
		s.mustBeReady(t, owner)
		s.sell(t, "ada@example.com")
		s.backUpOnce(t, owner)
	}
	key := c.recoveryKey(t, owner)
	c.wipe(t, stores)

	began := time.Now()
	c.install(t, c.recovery(t, key)...)
	owner = c.browser(t)
	c.signIn(t, owner)
	for _, s := range stores {
		owner.Visit(platformURL + s.page)
		s.arrive(t, owner)
		s.mustBeReady(t, owner)
	}
	c.note(t, "after everything was lost, %d stores are ready %s after the installation began", len(stores), took(began))
	for _, s := range stores {
		s.seeSale(t, owner, "ada@example.com")
		s.sell(t, "grace@example.com")
		s.seeSale(t, owner, "grace@example.com")
		s.delete(t, owner)
	}
}

// sell has a customer buy in the store, whichever its engine is.
func (s *store) sell(t *testing.T, email string) {
	t.Helper()
	if s.engine == "medusa" {
		s.buy(t, email)
	} else {
		s.order(t, email)
	}
}

// seeSale wants the owner to find what the customer bought.
func (s *store) seeSale(t *testing.T, owner *browsertest.Browser, email string) {
	t.Helper()
	if s.engine == "medusa" {
		s.seeOrder(t, owner, email)
	} else {
		s.seeWooOrder(t, owner, email)
	}
}

// backUpOnce makes one restore point of the store.
func (s *store) backUpOnce(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	s.addTarget(t, b)
	b.Visit(platformURL + s.page + "/backups")
	b.Click(`form[action$="/backups"] .btn-primary`)
	within(t, provisioning, "the restore point is made", func(context.Context) bool {
		return browsertest.Evaluate[bool](b, `document.querySelector("#tab-backups tbody tr, #backup-failed") !== null`)
	})
	if rows := browsertest.Evaluate[int](b, `document.querySelectorAll("#tab-backups tbody tr").length`); rows != 1 {
		t.Fatalf("there are %d restore points:\n%s", rows, s.said(b, "#tab-backups"))
	}
}

// recoveryKey makes a recovery key, and waits until the database was backed up with it.
func (c *cluster) recoveryKey(t *testing.T, b *browsertest.Browser) (key string) {
	t.Helper()
	began := time.Now()
	pod := c.pods(t, platform, "app.kubernetes.io/name=shopwright")[0].Name
	key = strings.TrimSpace(c.exec(t, platform, pod, "/shopwright", "recovery-key", "--replace"))
	if !strings.HasPrefix(key, "AGE-SECRET-KEY-1") {
		t.Fatalf("the recovery key is %d characters that are none", len(key))
	}
	within(t, 5*time.Minute, "the database is backed up", func(context.Context) bool {
		b.Visit(platformURL + "/admin/targets")
		saved, err := time.Parse(time.RFC3339, browsertest.Evaluate[string](b, `document.querySelector("section[aria-labelledby=recovery-title] dd:last-of-type time")?.dateTime ?? ""`))
		return err == nil && saved.After(began.Truncate(time.Second))
	})
	c.picture(b, "recovery")
	return key
}

// wipe removes all that there is of the platform and its stores from the cluster. The bucket is elsewhere.
func (c *cluster) wipe(t *testing.T, stores []*store) {
	t.Helper()
	c.helm(t, "uninstall", platform, "--namespace", platform, "--wait")
	namespaces := []string{platform}
	for _, s := range stores {
		namespaces = append(namespaces, s.namespace())
	}
	for _, name := range namespaces {
		if err := c.CoreV1().Namespaces().Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	within(t, 5*time.Minute, "everything is gone", func(ctx context.Context) bool {
		for _, name := range namespaces {
			if _, err := c.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				return false
			}
		}
		return true
	})
}

// recovery keeps what opens the backups in the platform's namespace, and returns the arguments of an installation
// that restores them.
func (c *cluster) recovery(t *testing.T, key string) []string {
	t.Helper()
	c.makeNamespace(t)
	_, err := c.CoreV1().Secrets(platform).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "restore"},
		StringData: map[string]string{"key-id": bucketKey, "secret": bucketSecret, "recovery-key": key},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return []string{"--set", fmt.Sprintf("restore.existingSecret=restore,restore.endpoint=%s,restore.bucket=%s,restore.pathStyle=true,restore.newCluster=true", bucketURL(), bucketName)}
}
