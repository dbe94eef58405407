package handlers_test

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
)

// streamOf is the address in a page at which it gets its changes.
var streamOf = regexp.MustCompile(`hx-sse:connect="([^"]+)"`)

// A page about a store shows the state of the cluster that the store is in, and its stream keeps that up to date.
func TestPagesOfAStoreShowItsCluster(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	page := s.create(b, "Elsewhere")
	s.move(strings.TrimPrefix(page, "/stores/"))
	for _, path := range []string{"", "/pods", "/logs", "/releases", "/settings", "/delete"} {
		shown := s.get(b, page+path)
		if !strings.Contains(shown.body, "Not connected") {
			t.Errorf("%s shows another cluster: %d", path, shown.status)
		}
		stream := streamOf.FindStringSubmatch(shown.body)
		if stream == nil {
			t.Fatalf("%s has no stream", path)
		}
		address, err := url.Parse(html.UnescapeString(stream[1]))
		if err != nil {
			t.Fatal(err)
		}
		address.RawQuery = address.Query().Encode()
		s.listen(b, address.String(), nil).until("Not connected")
	}
}

// move puts the store into a cluster to which the site has no connection.
func (s site) move(storeID string) {
	s.t.Helper()
	elsewhere, err := s.db.EnsureCluster(s.t.Context(), store.ClusterSettings{Name: "elsewhere", BaseDomain: "localhost"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.change(`UPDATE stores SET cluster_id = $1 WHERE id = $2`, elsewhere.ID, storeID)
}
