package main_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

var printedLink = regexp.MustCompile(`http://\S+/sign-in/link\?key=(\w+)`)

// loginKey finds the only link in what was said.
func loginKey(t *testing.T, said string) string {
	t.Helper()
	found := printedLink.FindAllStringSubmatch(said, -1)
	if len(found) != 1 {
		t.Fatalf("%d links in: %s", len(found), said)
	}
	return found[0][1]
}

func TestFirstSignInByLink(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.env = append(p.env, "SHOPWRIGHT_DEV_LOGIN=false")
	invited := p.said.expect(t, "nobody has signed in yet")
	p.startSignedOut()
	if status, page := p.get("/sign-in"); status != http.StatusOK || !strings.Contains(page, "shopwright login-link") {
		t.Errorf("the sign-in page does not tell the way in: %d", status)
	}
	invited()
	printed := p.said.with("nobody has signed in yet")
	key := loginKey(t, strings.Join(printed, "\n"))
	for range 2 { // looking does not use it up
		if status, page := p.get("/sign-in/link?key=" + key); status != http.StatusOK || !strings.Contains(page, key) {
			t.Errorf("the link leads to %d", status)
		}
	}
	if to := p.post("/sign-in/link", url.Values{"key": {key}}); to != "/stores" {
		t.Errorf("signed in to %s", to)
	}
	if status, page := p.get("/stores"); status != http.StatusOK || !strings.Contains(page, "Administrator") {
		t.Errorf("not signed in: %d", status)
	}
	p.forget()
	if status, _, err := p.send("/sign-in/link", url.Values{"key": {key}}); err != nil || status != http.StatusForbidden {
		t.Errorf("a used link: %d, %v", status, err)
	}

	code, said := call(t, p.env, "login-link")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, said)
	}
	if to := p.post("/sign-in/link", url.Values{"key": {loginKey(t, said)}}); to != "/stores" {
		t.Errorf("signed in again to %s", to)
	}
	p.kill()
	p.startSignedOut()
	p.stop() // after all that is said at the start
	if n := len(p.said.with("nobody has signed in yet")); n != 1 {
		t.Errorf("%d links are printed, the second when somebody has signed in", n)
	}
}

func TestLoginLinkWithoutRecords(t *testing.T) {
	t.Parallel()
	code, said := call(t, []string{"SHOPWRIGHT_DATA_DIR=" + t.TempDir()}, "login-link")
	if code != 1 || !strings.Contains(said, "start Shopwright first") {
		t.Errorf("exit code %d: %s", code, said)
	}
}
