package handlers_test

import (
	"context"
	"database/sql"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"shopwright.dev/shopwright/handlers"
	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

func storeForm(name string) url.Values { return url.Values{"name": {name}, "engine": {"woocommerce"}} }

func TestLimitIsShownBeforeItIsReached(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	for used := range 3 {
		page := s.get(b, "/stores/new").body
		if !strings.Contains(page, strconv.Itoa(used)+" of 3 stores") || strings.Contains(page, `id="create-full"`) {
			t.Errorf("with %d stores the form does not show them, or is full", used)
		}
		s.create(b, "Shop "+strconv.Itoa(used))
	}
	for _, path := range []string{"/stores/new", "/stores"} {
		page := s.get(b, path).body
		if !strings.Contains(page, `disabled aria-describedby="create-full"`) || !strings.Contains(page, "You have 3 of 3 stores. Delete one") {
			t.Errorf("%s does not say why nothing can be created", path)
		}
	}
}

func TestParallelCreatesStayWithinTheLimit(t *testing.T) {
	t.Parallel()
	s := open(prepareWith(t, func(c *handlers.Config) { c.Limits = store.Limits{StoresPerUser: 5} }))
	b := s.developer()
	statuses := make([]int, 50)
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() { statuses[i] = s.post(b, "/stores", storeForm("Shop")).status })
	}
	all.Wait()
	made := map[int]int{}
	for _, status := range statuses {
		made[status]++
	}
	if made[http.StatusSeeOther] != 5 || made[http.StatusTooManyRequests] != 45 {
		t.Errorf("50 requests at a limit of 5 were answered with %v", made)
	}
	if page := s.get(b, "/stores/new").body; !strings.Contains(page, "5 of 5 stores") {
		t.Error("there are not five stores")
	}
}

func TestCreateRateIsTold(t *testing.T) {
	t.Parallel()
	s := open(prepareWith(t, func(c *handlers.Config) {
		c.Limits = store.Limits{Creates: store.Rate{Times: 2, Within: time.Hour}}
	}))
	b := s.developer()
	s.create(b, "One")
	s.create(b, "Two")
	for _, htmx := range []string{"", "true"} {
		r := s.request(http.MethodPost, "/stores", storeForm("As typed"))
		r.Header.Set("HX-Request", htmx)
		got := s.do(b, r)
		wait, _ := strconv.Atoi(got.header.Get("Retry-After"))
		if got.status != http.StatusTooManyRequests || wait < 3500 || wait > 3600 || !strings.Contains(got.body, "2 stores within 1 hour") || !strings.Contains(got.body, `value="As typed"`) {
			t.Errorf("htmx %q: %d, again in %d s: %s", htmx, got.status, wait, got.body)
		}
	}
}

// inside is a site whose requests are bounded.
func inside(t *testing.T, requests, signIns int, proxies ...string) site {
	t.Helper()
	return open(prepareWith(t, func(c *handlers.Config) {
		c.Rates = handlers.Rates{Requests: store.Rate{Times: requests, Within: time.Hour}, SignIns: store.Rate{Times: signIns, Within: time.Hour}}
		for _, proxy := range proxies {
			_, network, err := net.ParseCIDR(proxy)
			if err != nil {
				t.Fatal(err)
			}
			c.Proxies = append(c.Proxies, network)
		}
	}))
}

// from asks for the page as a proxy would on behalf of the address, with the token.
func (s site) from(address, path, token string) answer {
	s.t.Helper()
	r := s.request(http.MethodGet, path, nil)
	if address != "" {
		r.Header.Set("X-Forwarded-For", address)
		r.Header.Set("X-Real-IP", address)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return s.do(s.browser(), r)
}

func TestTooManyRequestsAreRefused(t *testing.T) {
	t.Parallel()
	s := inside(t, 5, 2)
	for range 5 {
		if got := s.from("", "/stores", ""); got.status != http.StatusSeeOther {
			t.Fatalf("within the rate: %d", got.status)
		}
	}
	got := s.from("", "/stores", "")
	wait, _ := strconv.Atoi(got.header.Get("Retry-After"))
	if got.status != http.StatusTooManyRequests || wait < 600 || wait > 720 || !strings.Contains(got.body, "You sent more than 5 requests within 1 hour") {
		t.Errorf("beyond the rate: %d, again in %d s: %s", got.status, wait, got.body)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/static/none": 404} {
		if got := s.from("", path, ""); got.status != want {
			t.Errorf("%s, which is not counted: %d", path, got.status)
		}
	}
	if got := s.from("", "/events?view=stores", ""); got.status != http.StatusTooManyRequests {
		t.Errorf("a stranger's stream beyond the rate: %d", got.status)
	}
	for _, want := range []int{200, 200, 429} { // counted by themselves
		if got := s.from("", "/sign-in", ""); got.status != want {
			t.Errorf("the way in: %d, not %d", got.status, want)
		}
	}
}

// A stream costs a drawing of its page when it opens, and so counts as a page does.
func TestStreamsAreCounted(t *testing.T) {
	t.Parallel()
	s := inside(t, 3, 9, "127.0.0.0/8")
	b := s.developer()
	for range 3 {
		s.follow(b, "view=stores", -1)
	}
	if got := s.get(b, "/events?view=stores"); got.status != http.StatusTooManyRequests {
		t.Errorf("a stream beyond the rate: %d", got.status)
	}
	for i, want := range []int{401, 401, 401, 429} {
		if got := s.from("203.0.113.1", "/events?view=stores", ""); got.status != want {
			t.Errorf("stream %d of a stranger: %d, not %d", i, got.status, want)
		}
	}
}

// The streams of one user, and of all, are bounded. A page without one is as it was.
func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	s := open(prepareWith(t, func(c *handlers.Config) { c.MaxStreams, c.MaxStreamsPerUser = 3, 2 }))
	mara, other := s.person("mara"), s.person("other")
	want := func(who string, b *http.Client, status int) {
		t.Helper()
		r := s.request(http.MethodGet, "/events?view=stores", nil)
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		if got := s.open(b, r.WithContext(ctx)); got != status {
			t.Errorf("another stream of %s: %d, not %d", who, got, status)
		}
	}
	want("mara", mara, 200)
	ctx, leave := context.WithCancel(t.Context())
	s.open(mara, s.request(http.MethodGet, "/events?view=frame", nil).WithContext(ctx))
	want("mara", mara, 429)
	want("the other", other, 200)
	want("the other, where all are full", other, 429)
	if got := s.get(mara, "/stores"); got.status != http.StatusOK {
		t.Errorf("a page without a stream: %d", got.status)
	}
	leave()
	for s.open(other, s.request(http.MethodGet, "/events?view=stores", nil)) != http.StatusOK {
		if t.Context().Err() != nil {
			t.Fatal("the place of a stream that has ended stays taken")
		}
	}
}

// open returns the status with which a stream begins. It goes on until the request's context ends.
func (s site) open(b *http.Client, r *http.Request) int {
	s.t.Helper()
	response, err := b.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = response.Body.Close() })
	return response.StatusCode
}

// What the address of a stream says opens no stream of its own unless there is such a thing.
func TestUnknownFiltersAreDropped(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.developer()
	page := s.create(b, "Shop")
	list := s.get(b, "/stores?engine=unknown&sort=unknown&status=unknown&q=sho").body
	if !strings.Contains(list, `href="`+page+`"`) || strings.Contains(list, "unknown") || !strings.Contains(list, `hx-sse:connect="/events?q=sho&amp;since=`) {
		t.Error("an unknown filter is kept")
	}
	if list := s.get(b, "/stores?team=none-such").body; !strings.Contains(list, `hx-sse:connect="/events?since=`) || !strings.Contains(list, "&amp;team=unknown&amp;view=stores") {
		t.Error("an unknown team has a stream of its own")
	}
	if got := s.get(b, "/events?view=store&tab=unknown&id="+strings.TrimPrefix(page, "/stores/")); got.status != http.StatusNotFound {
		t.Errorf("the stream of an unknown tab: %d", got.status)
	}
}

// A token is counted wherever it is used from, and an address whatever tokens it tries.
func TestTokensAreCountedToo(t *testing.T) {
	t.Parallel()
	s := inside(t, 3, 1, "127.0.0.0/8")
	for i := range 3 {
		if got := s.from("203.0.113."+strconv.Itoa(i), "/stores", "mine"); got.status != http.StatusSeeOther {
			t.Fatalf("within the rate: %d", got.status)
		}
	}
	if got := s.from("203.0.113.9", "/stores", "mine"); got.status != http.StatusTooManyRequests {
		t.Errorf("a fourth address with the token: %d", got.status)
	}
	for i, want := range []int{303, 303, 303, 429} {
		if got := s.from("198.51.100.1", "/stores", strconv.Itoa(i)); got.status != want {
			t.Errorf("guess %d of one address: %d, not %d", i, got.status, want)
		}
	}
	for i, want := range []int{303, 303, 303, 429} { // what one subscriber has
		if got := s.from("2001:db8::"+strconv.Itoa(i+1), "/stores", ""); got.status != want {
			t.Errorf("address %d of one network: %d, not %d", i, got.status, want)
		}
	}
}

// Whoever is no trusted proxy is taken for where the request comes from, whatever it says.
func TestForgedAddressesChangeNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		proxies   []string
		forwarded string
		counted   string
	}{
		"nobody is trusted":            {nil, "203.0.113.1", "127.0.0.1"},
		"another is trusted":           {[]string{"10.0.0.0/8"}, "203.0.113.1", "127.0.0.1"},
		"a trusted proxy says so":      {[]string{"127.0.0.0/8"}, "203.0.113.1", "203.0.113.1"},
		"with a port":                  {[]string{"127.0.0.0/8"}, "203.0.113.1:51234", "203.0.113.1"},
		"IPv6 with a port":             {[]string{"127.0.0.0/8"}, `"[2001:db8::1]:4711"`, "2001:db8::1"},
		"IPv6 in brackets":             {[]string{"127.0.0.0/8"}, "[2001:db8::1]", "2001:db8::1"},
		"a chain with ports":           {[]string{"127.0.0.0/8", "10.0.0.0/8"}, "198.51.100.7, 203.0.113.1:9, 10.1.2.3:4", "203.0.113.1"},
		"a port that is none":          {[]string{"127.0.0.0/8"}, "203.0.113.1:http", "127.0.0.1"},
		"what came before is no proof": {[]string{"127.0.0.0/8"}, "198.51.100.7, 203.0.113.1", "203.0.113.1"},
		"a chain of trusted proxies":   {[]string{"127.0.0.0/8", "10.0.0.0/8"}, "198.51.100.7, 203.0.113.1, 10.1.2.3", "203.0.113.1"},
		"what is no address":           {[]string{"127.0.0.0/8"}, "<script>", "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := inside(t, 4, 10, c.proxies...)
			b := s.browser()
			forged := func(method, path string, form url.Values) answer {
				r := s.request(method, path, form)
				r.Header.Set("X-Forwarded-For", c.forwarded)
				r.Header.Set("X-Real-IP", "192.0.2.99")
				r.Header.Set("Forwarded", "for=192.0.2.98")
				if method == http.MethodPost {
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				}
				return s.do(b, r)
			}
			forged(http.MethodPost, "/sign-in/dev", nil)
			made := forged(http.MethodPost, "/stores", storeForm("Shop"))
			if made.status != http.StatusSeeOther {
				t.Fatalf("create: %d", made.status)
			}
			s.wantAddress(c.counted, strings.TrimPrefix(made.location, "/stores/"))
			for i, want := range []int{200, 200, 200, 429} {
				got := forged(http.MethodGet, "/stores", nil)
				if got.status != want {
					t.Errorf("request %d: %d, not %d", i, got.status, want)
				}
			}
			if !slices.Contains(c.proxies, "127.0.0.0/8") {
				if got := s.from("192.0.2.55", "/stores", ""); got.status != http.StatusTooManyRequests {
					t.Errorf("another forged address begins anew: %d", got.status)
				}
			}
		})
	}
}

// wantAddress expects that the audit log and the session have the address.
func (s site) wantAddress(want, storeID string) {
	s.t.Helper()
	var device, address string
	err := s.raw().QueryRowContext(s.t.Context(), `SELECT address FROM events WHERE store_id = $1 ORDER BY number LIMIT 1`, storeID).Scan(&address)
	if err != nil || address != want {
		s.t.Errorf("the audit log has %q, %v", address, err)
	}
	err = s.raw().QueryRowContext(s.t.Context(), `SELECT device, address FROM sessions`).Scan(&device, &address)
	if err != nil || address != want {
		s.t.Errorf("the session is from %q, %v", address, err)
	}
}

// raw opens the database beside the site.
func (s site) raw() *sql.DB {
	s.t.Helper()
	return storetest.Beside(s.t, "sqlite:"+s.file)
}

func TestCreateRateIsShownBeforeItIsReached(t *testing.T) {
	t.Parallel()
	s := open(prepareWith(t, func(c *handlers.Config) {
		c.Limits = store.Limits{Creates: store.Rate{Times: 3, Within: time.Hour}}
	}))
	b := s.developer()
	for made, says := range []string{"", "", "You can create 3 stores within 1 hour; you have created 2.", "You created 3 stores within 1 hour, which is the limit. Try again in "} {
		page := s.get(b, "/stores/new").body
		if says == "" && strings.Contains(page, "within 1 hour") || !strings.Contains(page, says) {
			t.Errorf("after %d stores the form does not say %q", made, says)
		}
		if made < 3 {
			s.create(b, "Shop "+strconv.Itoa(made))
		}
	}
}

func TestProgramsAreToldTheLimits(t *testing.T) {
	t.Parallel()
	s := open(prepareWith(t, func(c *handlers.Config) {
		c.Limits = store.Limits{StoresPerUser: 3, Creates: store.Rate{Times: 1, Within: time.Hour}}
	}))
	p := s.program(everyScope()...)
	p.make("Shop")
	me := read[v1.Me](t, p.call("GET", "/me", nil), 200)
	if len(me.Quotas) != 3 || me.Quotas[0] != (v1.Quota{Of: store.QuotaOfYou, Used: 1, Allowed: 3}) || me.Pace == nil || me.Pace.Used != 1 || me.Pace.Times != 1 || me.Pace.RetryAfter < 3500 {
		t.Errorf("told %+v, %+v", me.Quotas, me.Pace)
	}
	if me := read[v1.Me](t, s.program(store.ReadStores).call("GET", "/me", nil), 200); me.Quotas != nil || me.Pace != nil {
		t.Errorf("a token that creates nothing is told %+v", me)
	}
}

// A page beyond the last one is the last one, such as after stores were deleted.
func TestPagesBeyondTheLastAreTheLast(t *testing.T) {
	t.Parallel()
	s := open(prepareWith(t, func(c *handlers.Config) { c.Limits = store.Limits{} }))
	b := s.developer()
	for i := range 26 {
		s.create(b, "Shop "+strconv.Itoa(i))
		storetest.Actor(t, s.db, "person "+strconv.Itoa(i))
	}
	for _, path := range []string{"/stores?sort=oldest&page=99", "/admin/users?page=99", "/admin/teams?page=99"} {
		page := s.get(b, path).body
		if !strings.Contains(page, "26–2") || !strings.Contains(page, "Previous") || strings.Contains(page, "page=98") || strings.Contains(page, "page=3") {
			t.Errorf("%s is not the last page", path)
		}
	}
}
