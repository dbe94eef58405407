package ingress

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// path is one path of an Ingress to a Service; exact where it begins with "=".
func path(text, service string) networking.HTTPIngressPath {
	kind := networking.PathTypePrefix
	if text, is := strings.CutPrefix(text, "="); is {
		kind = networking.PathTypeExact
		return networking.HTTPIngressPath{Path: text, PathType: &kind, Backend: backendOf(service)}
	}
	return networking.HTTPIngressPath{Path: text, PathType: &kind, Backend: backendOf(service)}
}

func backendOf(service string) networking.IngressBackend {
	return networking.IngressBackend{Service: &networking.IngressServiceBackend{Name: service}}
}

func ingressOf(host string, paths ...networking.HTTPIngressPath) *networking.Ingress {
	return &networking.Ingress{
		ObjectMeta: meta.ObjectMeta{Namespace: "shop"},
		Spec: networking.IngressSpec{Rules: []networking.IngressRule{{
			Host: host, IngressRuleValue: networking.IngressRuleValue{HTTP: &networking.HTTPIngressRuleValue{Paths: paths}},
		}}},
	}
}

func TestTableFindsTheServiceOfARequest(t *testing.T) {
	t.Parallel()
	addresses := map[string]string{}
	for _, service := range []string{"pages", "admin", "health", "other"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s %s %s", service, r.Host, r.Header.Get("X-Forwarded-Proto"))
		}))
		t.Cleanup(server.Close)
		addresses[service] = server.Listener.Addr().String()
	}
	table := newTable([]*networking.Ingress{
		ingressOf("shop.test", path("/", "pages"), path("/app", "admin"), path("=/health", "health"), path("/gone", "gone")),
		ingressOf("other.test", path("/", "other")),
	}, func(_ string, service *networking.IngressServiceBackend) string { return addresses[service.Name] })

	for request, want := range map[string]string{
		"http://shop.test/":            "200 pages shop.test http",
		"http://SHOP.test:8080/app":    "200 admin SHOP.test:8080 http",
		"http://shop.test/app/orders":  "200 admin shop.test http",
		"http://shop.test/application": "200 pages shop.test http",
		"http://shop.test/health":      "200 health shop.test http",
		"http://shop.test/health/deep": "200 pages shop.test http",
		"http://other.test/app":        "200 other other.test http",
		"http://shop.test/gone":        "503 the Ingress names a Service that does not exist\n",
		"http://nobody.test/":          "404 no Ingress has this host and path\n",
	} {
		answer := httptest.NewRecorder()
		table.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, request, nil))
		if got := fmt.Sprintf("%d %s", answer.Code, answer.Body); got != want {
			t.Errorf("%s: %q, want %q", request, got, want)
		}
	}
}
