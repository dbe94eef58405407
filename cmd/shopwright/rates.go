package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strings"

	"shopwright.dev/shopwright/handlers"
	"shopwright.dev/shopwright/store"
)

// The default rates.
const (
	usualCreateRate  = "5/5m"
	usualRequestRate = "1200/m"
	usualSignInRate  = "30/m"
)

// usually returns the configured rate or the default. With the development login the default is no limit.
func (c *config) usually(set, usual string) string {
	if c.DevLogin {
		usual = "0"
	}
	return cmp.Or(set, usual)
}

func (c *config) validateRates() error {
	var wrong []error
	for name, text := range map[string]string{"CREATE": c.CreateRate, "REQUEST": c.RequestRate, "SIGN_IN": c.SignInRate} {
		if _, err := store.ParseRate(cmp.Or(text, "0")); err != nil {
			wrong = append(wrong, fmt.Errorf("SHOPWRIGHT_%s_RATE is %q: %w", name, text, err))
		}
	}
	return errors.Join(wrong...)
}

// limits returns the limits for creating stores.
func (c *config) limits() store.Limits {
	creates, _ := store.ParseRate(c.usually(c.CreateRate, usualCreateRate)) // validated before
	return store.Limits{Stores: c.MaxStores, StoresPerUser: c.MaxStoresPerUser, Creates: creates}
}

// rates returns the limits for requests.
func (c *config) rates() (r handlers.Rates) {
	r.Requests, _ = store.ParseRate(c.usually(c.RequestRate, usualRequestRate)) // validated before
	r.SignIns, _ = store.ParseRate(c.usually(c.SignInRate, usualSignInRate))
	return r
}

func (c *config) validateProxies() error {
	if _, err := c.proxies(); err != nil {
		return fmt.Errorf("SHOPWRIGHT_TRUSTED_PROXIES is %q: it must be networks separated by commas, such as 10.0.3.0/24,fd00::/8 (%w)", c.TrustedProxies, err)
	}
	return nil
}

// trustsNoProxy reports whether requests must come through a proxy that is not trusted. We serve no https
// ourselves, so with an https URL there is a proxy; unless it is trusted, all clients have its address.
func (c *config) trustsNoProxy() bool {
	return c.Environment == "production" && strings.HasPrefix(c.BaseURL, "https://") && c.TrustedProxies == ""
}

func (c *config) proxies() (all []*net.IPNet, err error) {
	for text := range strings.SplitSeq(c.TrustedProxies, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		_, network, err := net.ParseCIDR(text)
		if err != nil {
			return nil, err
		}
		all = append(all, network)
	}
	return all, nil
}
