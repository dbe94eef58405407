package handlers_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"shopwright.dev/shopwright/handlers/api/v1"
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
	for _, path := range []string{"/stores/" + p.token, "/none-such/" + p.token, v1.Prefix + "/none-such/" + p.token, "/stores?q=" + p.token, "/static/" + p.token} {
		s.get(b, path)
	}
	if said := s.log.String(); strings.Contains(said, p.token[len(store.TokenPrefix):]) || !strings.Contains(said, "/none-such/"+store.TokenPrefix+"…") {
		t.Errorf("the log says:\n%s", said)
	}
}

func TestTokensOnTheirPage(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	team := s.theDeveloper().Teams(store.ViewStores)[0]
	form := url.Values{"name": {"<b>build</b>"}, "team": {team}, "lifetime": {"7"}, "scope": {"stores:read"}}
	for name, wrong := range map[string]string{"name": "Enter a name", "scope": "Choose at least one permission", "lifetime": "after at most one year", "team": "Choose one of your teams"} {
		bad := maps.Clone(form)
		bad.Del(name)
		if got := s.post(b, "/account/tokens", bad); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, wrong) || name != "name" && !strings.Contains(got.body, `value="&lt;b&gt;build`) {
			t.Errorf("without %s: %d", name, got.status)
		}
	}
	made := s.submit(b, "/account/tokens", form)
	secret := tokenOnPage.FindStringSubmatch(made.body)
	if made.status != http.StatusOK || secret == nil || !strings.Contains(made.body, "&lt;b&gt;build&lt;/b&gt;") || made.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("made: %d", made.status)
	}
	p := program{site: s, token: secret[1], routes: s.document()}
	me := read[v1.Me](t, p.call("GET", "/me", nil), 200)
	list := s.get(b, "/account/tokens")
	if strings.Contains(list.body, secret[1]) || !strings.Contains(list.body, "/account/tokens/"+me.Token.ID+"/revoke") || strings.Contains(s.log.String(), secret[1]) {
		t.Error("the list shows the secret, or no token")
	}
	if got := s.post(b, "/account/tokens/none/revoke", nil); got.status != http.StatusNotFound {
		t.Errorf("an unknown token: %d", got.status)
	}
	if got := s.post(b, "/account/tokens/"+me.Token.ID+"/revoke", nil); got.status != http.StatusSeeOther {
		t.Errorf("revoke: %d", got.status)
	}
	p.wantProblem(p.call("GET", "/me", nil), 401, "invalid_token")
	if got := s.get(b, "/api"); got.status != 200 || !strings.Contains(got.body, `id="create-store"`) || !strings.Contains(got.body, "Idempotency-Key") {
		t.Errorf("the reference: %d", got.status)
	}
}
