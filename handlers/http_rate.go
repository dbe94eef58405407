package handlers

import (
	"cmp"
	"crypto/sha256"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"
	"k8s.io/utils/lru"

	"shopwright.dev/shopwright/store"
)

// Rates limit the requests of each client address and of each token. Sign-in and invitation pages have a
// limit of their own; static files and health checks have none.
type Rates struct {
	Requests store.Rate
	SignIns  store.Rate // sign-in and invitation pages
}

// mostCallers limits how many addresses and tokens are remembered. The least recently used ones are
// evicted; an evicted caller starts again with a full budget.
const mostCallers = 16_384

// gauge limits the rate of each caller.
type gauge struct {
	rate    store.Rate
	mu      sync.Mutex // guards lookups, so that a caller gets one limiter
	callers *lru.Cache // of *rate.Limiter
}

func newGauge(r store.Rate) *gauge { return &gauge{rate: r, callers: lru.New(mostCallers)} }

// take counts one request of the caller. It returns how long to wait if there were too many.
func (g *gauge) take(caller any) time.Duration {
	if g.rate.Unlimited() {
		return 0
	}
	reservation := g.limiter(caller).Reserve()
	wait := reservation.Delay()
	if wait > 0 {
		reservation.Cancel()
	}
	return wait
}

func (g *gauge) limiter(caller any) *rate.Limiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	if known, ok := g.callers.Get(caller); ok {
		if limiter, ok := known.(*rate.Limiter); ok {
			return limiter
		}
	}
	limiter := rate.NewLimiter(rate.Limit(float64(g.rate.Times)/g.rate.Within.Seconds()), g.rate.Times)
	g.callers.Add(caller, limiter)
	return limiter
}

// limitRequests refuses requests if too many come from one address, or with one token.
func (a *App) limitRequests() echo.MiddlewareFunc {
	all, doors := newGauge(a.Rates.Requests), newGauge(a.Rates.SignIns)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if isExempt(c) {
				return next(c)
			}
			g := all
			if letsIn(c.Request()) {
				g = doors
			}
			if wait := g.takeFor(c); wait > 0 {
				return g.refuse(wait)
			}
			return next(c)
		}
	}
}

// takeFor counts the request for its address, and for its token.
func (g *gauge) takeFor(c echo.Context) time.Duration {
	wait := g.take(network(c.RealIP()))
	if token := bearer(c.Request()); wait == 0 && token != "" {
		wait = g.take(sha256.Sum256([]byte(token)))
	}
	return wait
}

func (g *gauge) refuse(wait time.Duration) error {
	return &store.Error{
		Code: store.Limited, RetryAfter: wait,
		Message: "You sent more than " + g.rate.Of("request") + ". Try again " + store.Wait(wait) + ".",
	}
}

// isExempt reports whether the request is exempt from rate limits.
func isExempt(c echo.Context) bool {
	switch c.Path() {
	case staticPath, "/healthz", "/readyz":
		return true
	}
	return false
}

// letsIn reports whether the path is one at which secrets could be guessed: sign-in or an invitation.
func letsIn(r *http.Request) bool {
	for _, place := range []string{"/sign-in", invitationPath} {
		if rest, there := strings.CutPrefix(r.URL.Path, place); there && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get(echo.HeaderAuthorization), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// network returns what a single subscriber has: an IPv4 address, or the /64 of an IPv6 address.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return cmp.Or(ip.Unmap().WithZone("").String(), address)
	}
	prefix, _ := ip.WithZone("").Prefix(64)
	return prefix.String()
}
