package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestRequestsAreNamedByKind(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/api/v1/namespaces":                                    "GET namespaces",
		"/api/v1/namespaces/store-a":                            "GET namespaces",
		"/api/v1/namespaces/store-a/secrets/store-credentials":  "GET secrets",
		"/apis/apps/v1/namespaces/store-a/deployments/web":      "GET deployments",
		"/apis/apps/v1/deployments?watch=true&labelSelector=a":  "WATCH deployments",
		"/api/v1/pods?allowWatchBookmarks=true&watch=1":         "WATCH pods",
		"/apis/batch/v1/namespaces/store-a/jobs?labelSelector=": "GET jobs",
		"/version": "GET /version",
		"/apis":    "GET /apis",
	} {
		if got := kindOf(httptest.NewRequest(http.MethodGet, path, nil)); got != want {
			t.Errorf("%s is counted as %q, want %q", path, got, want)
		}
	}
}
