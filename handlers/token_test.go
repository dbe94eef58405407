package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/store"
)

// A token that somebody puts into an address is refused wherever it stands there, and is not
// written down.
func TestTokenInAPath(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.program(everyScope()...)
	for _, path := range []string{"/stores/" + p.token, "/stores/" + p.token + "/pods", "/engines/x" + p.token + "/templates", "/stores/%73" + p.token[1:]} {
		p.wantProblem(p.call("GET", path, nil), http.StatusBadRequest, "token_in_address")
	}
	nobody := program{site: s, routes: p.routes}
	nobody.wantProblem(nobody.call("GET", "/stores/"+p.token, nil), http.StatusBadRequest, "token_in_address")
	b := s.developer()
	for _, path := range []string{"/stores/" + p.token, "/none-such/" + p.token, api.Prefix + "/none-such/" + p.token, "/stores?q=" + p.token, "/static/" + p.token} {
		s.get(b, path)
	}
	if said := s.log.String(); strings.Contains(said, p.token[len(store.TokenPrefix):]) || !strings.Contains(said, "/none-such/"+store.TokenPrefix+"…") {
		t.Errorf("the log says:\n%s", said)
	}
}
