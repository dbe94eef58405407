package handlers

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// addressOf returns the client address of a request: the peer of the connection or, if that is a trusted
// proxy, the address that the proxy names in X-Forwarded-For.
func addressOf(proxies []*net.IPNet) echo.IPExtractor {
	return func(r *http.Request) string {
		from := peer(r)
		if len(proxies) == 0 {
			return from
		}
		hops := strings.Split(strings.Join(r.Header.Values(echo.HeaderXForwardedFor), ","), ",")
		for _, hop := range slices.Backward(hops) {
			address, known := hopAddress(hop)
			if !isTrusted(proxies, from) || !known {
				break
			}
			from = address
		}
		return from
	}
}

// peer is the address at the other end of the connection.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func isTrusted(proxies []*net.IPNet, address string) bool {
	ip := net.ParseIP(address)
	return slices.ContainsFunc(proxies, func(network *net.IPNet) bool { return ip != nil && network.Contains(ip) })
}

// hopAddress parses one entry of X-Forwarded-For. Some proxies add a port, and brackets around an IPv6 address.
func hopAddress(hop string) (address string, known bool) {
	hop = strings.Trim(strings.TrimSpace(hop), `"`)
	if withPort, err := netip.ParseAddrPort(hop); err == nil {
		return withPort.Addr().String(), true
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(hop, "["), "]"))
	return ip.String(), err == nil
}
