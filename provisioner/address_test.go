package provisioner

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"shopwright.dev/shopwright/store"
)

func TestReach(t *testing.T) {
	t.Parallel()
	open := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/shop/", http.StatusFound)
			return
		}
		t.Errorf("asked for %s", r.URL.Path)
	}))
	defer open.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	missing := httptest.NewServer(http.NotFoundHandler())
	defer missing.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	for address, want := range map[string]store.Reachability{
		open.URL:                      store.Answers,
		closed.URL:                    store.NotFromHere,
		missing.URL:                   store.NotFromHere, // this machine may serve anything
		secure.URL:                    store.NotFromHere,
		"http://no-such-shop.invalid": store.NotFromHere,
	} {
		if got := reach(t.Context(), address); got.Outcome != want || got.Note.Code == "" {
			t.Errorf("%s: %+v, want %s", address, got, want)
		}
	}
}

// Elsewhere than on this machine a wrong answer is what customers get too.
func TestWrongAnswersCount(t *testing.T) {
	t.Parallel()
	const shop = "https://shop.example.com"
	invalid := &url.Error{Op: "Get", URL: shop, Err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}
	for what, c := range map[string]struct {
		got  store.Reached
		want store.Reachability
	}{
		"another answer":      {elsewhere(shop, store.Note{Code: store.AddressFails}), store.WrongAnswer},
		"a wrong certificate": {unreached(shop, invalid), store.WrongAnswer},
		"no answer":           {unreached(shop, &url.Error{Op: "Get", URL: shop, Err: errors.New("connection refused")}), store.NotFromHere},
		"on this machine":     {elsewhere("http://shop.localhost:8081", store.Note{Code: store.AddressFails}), store.NotFromHere},
	} {
		if c.got.Outcome != c.want || c.got.Note.Code == "" {
			t.Errorf("%s: %+v", what, c.got)
		}
	}
}
