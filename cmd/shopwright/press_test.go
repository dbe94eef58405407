package main_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// TestRetryAndDeletePressedAtOnce presses both on the pages of stores that have failed. Whoever
// comes first, the store goes and does not come back.
func TestRetryAndDeletePressedAtOnce(t *testing.T) {
	t.Parallel()
	p, mark := launch(t, kubetest.PlatformKubeconfig(t)), strings.ToLower(uuid.NewString()[24:])
	p.start()
	var slugs []string
	for n := range 8 {
		slug := fmt.Sprintf("pressed-%d-%s", n, mark)
		kubetest.Simulate(t, "store-"+slug, "fail=image-pull", "component=wordpress")
		p.create(slug, slug)
		slugs = append(slugs, slug)
	}
	for _, slug := range slugs {
		p.until(p.page(slug), "failed", shows(`data-status="failed"`))
		kubetest.Simulate(t, "store-"+slug, "fail=none", "component=wordpress")
	}
	retried := 0
	for _, slug := range slugs {
		if p.pressBoth(slug) {
			retried++
		}
	}
	for _, slug := range slugs {
		p.untilGone(p.page(slug))
	}
	for _, slug := range slugs {
		wantNoNamespace(t, slug)
	}
	if left := namespacesOf(t, mark); len(left) > 0 {
		t.Errorf("there are the namespaces %v", left)
	}
	wantNoDisks(t, mark)
	t.Logf("the retry came first %d times of %d", retried, len(slugs))
}

// pressBoth reports whether the retry was let pass, which it is when it comes first.
func (p *process) pressBoth(slug string) (retried bool) {
	p.t.Helper()
	page := p.page(slug)
	var pressing sync.WaitGroup
	pressing.Go(func() {
		status, _, err := p.send(page+"/retry", nil)
		if err != nil || status != http.StatusSeeOther && status != http.StatusConflict {
			p.t.Errorf("retry: %d, %v", status, err)
		}
		retried = status == http.StatusSeeOther
	})
	pressing.Go(func() {
		if status, _, err := p.send(page+"/delete", url.Values{"confirm": {slug}}); err != nil || status != http.StatusSeeOther {
			p.t.Errorf("delete: %d, %v", status, err)
		}
	})
	pressing.Wait()
	return retried
}
