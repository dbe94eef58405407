package helm_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner/helm"
)

// emptyCluster answers as a cluster does that has nothing, and shows each request.
type emptyCluster func(*http.Request)

// RoundTrip implements http.RoundTripper.
func (show emptyCluster) RoundTrip(r *http.Request) (*http.Response, error) {
	show(r)
	answer := `{"kind":"SecretList","apiVersion":"v1","items":[]}`
	switch r.URL.Path {
	case "/version":
		answer = `{"major":"1","minor":"37","gitVersion":"v1.37.0"}`
	case "/api":
		answer = `{"kind":"APIVersions","versions":[]}`
	case "/apis":
		answer = `{"kind":"APIGroupList","groups":[]}`
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(answer)), Request: r,
	}, nil
}

// Helm makes its requests without any context. What is to be asked before they are sent comes
// with that of the action.
func TestRequestsHaveTheValuesOfTheirAction(t *testing.T) {
	t.Parallel()
	type key struct{}
	seen := false
	client, err := helm.NewClient(&rest.Config{Host: "http://cluster", Transport: emptyCluster(func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/secrets") {
			seen = r.Context().Value(key{}) == "of the action"
		}
	})})
	if err != nil {
		t.Fatal(err)
	}
	release, err := client.Release(context.WithValue(t.Context(), key{}, "of the action"), "store-x", "store")
	if err != nil || release.Status != helm.None {
		t.Fatalf("the release is %+v, %v", release, err)
	}
	if !seen {
		t.Error("the request for the release's secrets does not have them")
	}
}
