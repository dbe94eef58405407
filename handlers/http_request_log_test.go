package handlers_test

import (
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"shopwright.dev/shopwright/handlers"
	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// lines are those of the log that tell of requests to the path.
func (s site) lines(path string) []string {
	return regexp.MustCompile(`(?m)^.*msg=request .*path=`+regexp.QuoteMeta(path)+` .*$`).FindAllString(s.log.String(), -1)
}

// wantLine checks that one line of the log tells of the request, with these fields.
func (s site) wantLine(path string, fields ...string) {
	s.t.Helper()
	lines := s.lines(path)
	if len(lines) != 1 {
		s.t.Fatalf("%d lines tell of %s:\n%s", len(lines), path, s.log)
	}
	for _, field := range fields {
		if !strings.Contains(lines[0], field) {
			s.t.Errorf("no %s in %s", field, lines[0])
		}
	}
}

func TestRequestLinesSayWhoAskedFromWhere(t *testing.T) {
	t.Parallel()
	s := serve(t)
	mara, noa := s.person("mara"), s.person("noa")
	shop := s.create(mara, "Tea shop")
	actor, _ := storetest.Actor(t, s.db, "noa")
	s.get(noa, "/activity")
	s.wantLine("/activity", "method=GET", "level=INFO", "user="+actor.UserID, "address=127.0.0.1", "status=200")
	s.do(noa, s.request(http.MethodHead, "/account", nil))
	s.wantLine("/account", "method=HEAD", "status=200")
	if got := s.get(noa, shop+"/pods"); got.status != http.StatusNotFound {
		t.Fatalf("another team's store: %d", got.status)
	}
	s.wantLine(shop+"/pods", "level=WARN", "user="+actor.UserID, "status=404", "store="+strings.TrimPrefix(shop, "/stores/"))
	p := s.programOf(actor, store.ReadStores)
	me := read[v1.Me](t, p.call("GET", "/me", nil), 200)
	s.wantLine(v1.Prefix+"/me", "user="+actor.UserID, "token="+me.Token.ID, "address=127.0.0.1")
	p.call("POST", "/stores", v1.NewStore{Name: "x", Engine: "woocommerce"})
	s.wantLine(v1.Prefix+"/stores", "level=WARN", "status=403", "user="+actor.UserID)
	p.token = "shopwright_wrong"
	p.call("GET", "/engines", nil)
	s.wantLine(v1.Prefix+"/engines", "level=WARN", "status=401", "address=127.0.0.1")
}

// What a client sends does not fill the log.
func TestClientsCannotFloodTheLog(t *testing.T) {
	t.Parallel()
	s := serve(t)
	long := strings.Repeat("x", 4000)
	r := s.request(http.MethodGet, "/stores/"+long, nil)
	r.Header.Set("X-Request-Id", long)
	got := s.do(s.developer(), r)
	if id := got.header.Get("X-Request-Id"); len(id) > 64 || id == "" {
		t.Errorf("the id is %q", id)
	}
	if strings.Contains(s.log.String(), strings.Repeat("x", 300)) {
		t.Error("a long path, or id, is in the log")
	}
}

func TestRequestIDsComeFromTrustedProxies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trusted string
		id      string
		kept    bool
	}{
		"nobody is trusted":  {"", "abc-1", false},
		"another is trusted": {"10.0.0.0/8", "abc-1", false},
		"of a proxy":         {"127.0.0.0/8", "abc-1.2_Z", true},
		"too long":           {"127.0.0.0/8", strings.Repeat("a", 65), false},
		"not legible":        {"127.0.0.0/8", "a level=ERROR", false},
	} {
		s := open(prepareWith(t, func(config *handlers.Config) {
			if c.trusted != "" {
				_, network, err := net.ParseCIDR(c.trusted)
				if err != nil {
					t.Fatal(err)
				}
				config.Proxies = append(config.Proxies, network)
			}
		}))
		r := s.request(http.MethodGet, "/sign-in", nil)
		r.Header.Set("X-Request-Id", c.id)
		id := s.do(s.browser(), r).header.Get("X-Request-Id")
		if (id == c.id) != c.kept || id == "" {
			t.Errorf("%s: the id is %q", name, id)
		}
		s.wantLine("/sign-in", `request=`+id)
	}
}

// Browsers that have come by https never ask in the clear again.
func TestStrictTransportSecurity(t *testing.T) {
	t.Parallel()
	for base, c := range map[string]struct {
		subdomains bool
		want       string
	}{
		"http://127.0.0.1":           {true, ""},
		"https://shops.example.com":  {false, "max-age=31536000"},
		"https://shops2.example.com": {true, "max-age=31536000; includeSubDomains"},
	} {
		s := open(prepareWith(t, func(config *handlers.Config) { config.BaseURL, config.HSTSSubdomains = base, c.subdomains }))
		for _, path := range []string{"/sign-in", "/stores", "/healthz", "/none", "/static/none", v1.Prefix + "/stores"} {
			if got := s.get(s.browser(), path).header.Get("Strict-Transport-Security"); got != c.want {
				t.Errorf("%s%s: %q, want %q", base, path, got, c.want)
			}
		}
	}
}
