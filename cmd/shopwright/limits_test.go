package main_test

import (
	"net/http"
	"testing"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// How fast one user may create stores is counted from the database: killing the program does
// not begin anew, nor does a header that anybody can send.
func TestCreateRateOutlivesTheProgram(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.env = append(p.env, "SHOPWRIGHT_CREATE_RATE=2/h", "SHOPWRIGHT_SIGN_IN_RATE=3/h")
	p.start()
	for _, slug := range []string{"limits-one", "limits-two"} {
		p.create(slug, slug)
	}
	p.kill()
	p.start()
	if status, _, err := p.send("/stores", storeForm("limits-three")); err != nil || status != http.StatusTooManyRequests {
		t.Errorf("a third store within the hour: %d, %v", status, err)
	}
	if status, page := p.get("/stores?q=limits-three"); status != http.StatusOK || storeLink.MatchString(page) {
		t.Error("there is a third store")
	}
	for i, want := range []int{http.StatusOK, http.StatusOK, http.StatusTooManyRequests} { // the first was to sign in
		p.forget()
		if status := p.forged("/sign-in", "203.0.113."+string(rune('1'+i))); status != want {
			t.Errorf("sign-in %d: %d, not %d", i+2, status, want)
		}
	}
}

// forged asks for a page in the name of another address.
func (p *process) forged(path, address string) (status int) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("X-Forwarded-For", address)
	response, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}
