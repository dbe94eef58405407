package handlers_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"shopwright.dev/shopwright/handlers/api/v1"
)

// unannounced is a body whose length nobody knows before its end.
type unannounced struct{ io.Reader }

func TestTooMuchWithoutALength(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p, b := s.program(everyScope()...), s.developer()
	for _, path := range []string{"/stores", "/teams", "/sign-in/dev", "/account/tokens", "/account/sessions/end"} {
		r := s.request(http.MethodPost, path, nil)
		r.Body, r.ContentLength = io.NopCloser(unannounced{strings.NewReader("name=" + strings.Repeat("x", 100_000))}), -1
		if got := s.do(b, r); got.status != http.StatusRequestEntityTooLarge || !strings.Contains(got.body, "larger than any form allows") {
			t.Errorf("POST %s: %d %s", path, got.status, got.location)
		}
	}
	for _, size := range []int{40_000, 100_000} {
		r := s.request(http.MethodPost, v1.Prefix+"/stores", nil)
		r.Header.Set("Authorization", "Bearer "+p.token)
		r.Header.Set("Content-Type", "application/json")
		r.Body, r.ContentLength = io.NopCloser(unannounced{strings.NewReader(`{"name": "` + strings.Repeat("x", size) + `"}`)}), -1
		p.wantProblem(s.do(s.browser(), r), http.StatusRequestEntityTooLarge, "too_large")
	}
}

func TestWhatIsNoFormIsRefused(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	page := s.create(b, "Shop")
	for _, path := range []string{"/teams", page + "/releases/upgrade", page + "/delete"} {
		r := s.request(http.MethodPost, path, nil)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("name=%zz")), 8
		if got := s.do(b, r); got.status != http.StatusBadRequest || !strings.Contains(got.body, "The request body isn’t a valid form.") {
			t.Errorf("POST %s: %d", path, got.status)
		}
	}
}
