package ingress

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sort"
	"strings"

	networking "k8s.io/api/networking/v1"
)

// route is one path of one host.
type route struct {
	host, path string
	exact      bool
	backend    http.Handler
}

// table holds the routes, those with the longer paths first.
type table []route

func newTable(ingresses []*networking.Ingress, backend func(string, *networking.IngressServiceBackend) string) *table {
	var t table
	for _, ingress := range ingresses {
		for _, rule := range ingress.Spec.Rules {
			if rule.HTTP == nil {
				continue
			}
			for _, path := range rule.HTTP.Paths {
				t = append(t, newRoute(rule.Host, path, backend(ingress.Namespace, path.Backend.Service)))
			}
		}
	}
	sort.SliceStable(t, func(a, b int) bool { return len(t[a].path) > len(t[b].path) })
	return &t
}

func newRoute(host string, path networking.HTTPIngressPath, address string) route {
	r := route{host: host, path: path.Path, exact: path.PathType != nil && *path.PathType == networking.PathTypeExact}
	r.backend = unavailable
	if address != "" {
		target := &url.URL{Scheme: "http", Host: address}
		r.backend = &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Host = p.In.Host
			p.SetXForwarded()
		}}
	}
	return r
}

var unavailable = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "the Ingress names a Service that does not exist", http.StatusServiceUnavailable)
})

// matches compares whole segments: /shop is a prefix of /shop/cart and not of /shopping.
func (r route) matches(host, path string) bool {
	if r.host != "" && r.host != host {
		return false
	}
	if r.exact || r.path == path {
		return r.path == path
	}
	return strings.HasPrefix(path, strings.TrimSuffix(r.path, "/")+"/")
}

// ServeHTTP hands the request to the first route that matches.
func (t *table) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	for _, route := range *t {
		if route.matches(strings.ToLower(host), r.URL.Path) {
			route.backend.ServeHTTP(w, r)
			return
		}
	}
	http.Error(w, "no Ingress has this host and path", http.StatusNotFound)
}
