//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// served is what customers got while something happened to a shop.
type served struct {
	pages       int // of the shop
	maintenance int // times that they read that it is being worked on
	away        time.Duration
	others      map[string]int // anything else, which nobody should get
}

// visit asks for the shop's pages again and again until end is called, which wants each answer to be
// the shop's or the maintenance page, and tells how long the shop was away.
func (s *store) visit(t *testing.T) (end func(what string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan served)
	go func() { told <- s.keepVisiting(ctx) }()
	return func(what string) {
		t.Helper()
		cancel()
		got := <-told
		s.note(t, "%s, %s: customers got %d pages of the shop and %d times the maintenance page, over %s", s.slug, what, got.pages, got.maintenance, got.away.Round(100*time.Millisecond))
		if len(got.others) > 0 || got.pages == 0 {
			t.Errorf("while %s was %s, customers also got %v", s.slug, what, got.others)
		}
	}
}

func (s *store) keepVisiting(ctx context.Context) served {
	got := served{others: map[string]int{}}
	var since time.Time // when the shop was last there
	paths := map[string][]string{"medusa": {"/", "/health"}, "woocommerce": {"/"}}[s.engine]
	often := time.NewTicker(50 * time.Millisecond)
	defer often.Stop()
	for i := 0; ctx.Err() == nil; i++ {
		<-often.C
		path := paths[i%len(paths)]
		what, err := s.answer(ctx, path)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			got.others[path+": "+err.Error()]++
		case what == "shop":
			got.pages, since = got.pages+1, time.Now()
		case what == "maintenance":
			got.maintenance++
			got.away = max(got.away, time.Since(since))
		default:
			got.others[path+": "+what]++
		}
	}
	return got
}

// answer is what a customer makes of the answer at the path.
func (s *store) answer(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address()+path, nil)
	if err != nil {
		return "", err
	}
	request.Host = s.host()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close() //nolint:errcheck // it is read
	body, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return "", err
	case response.StatusCode == http.StatusOK:
		return "shop", nil
	case response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "" && strings.Contains(string(body), "shop"):
		return "maintenance", nil
	default:
		return fmt.Sprintf("%s with %s", response.Status, slices.Sorted(maps.Keys(response.Header))), nil
	}
}
