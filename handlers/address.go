package handlers

import (
	"net"

	"github.com/labstack/echo/v4"
)

// addressOf finds out where a request comes from: from whoever is connected with us, and
// where that is a proxy that is trusted, from whom the proxy names.
func addressOf(proxies []*net.IPNet) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	trusted := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, network := range proxies {
		trusted = append(trusted, echo.TrustIPRange(network))
	}
	return echo.ExtractIPFromXFFHeader(trusted...)
}
