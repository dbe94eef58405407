package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"shopwright.dev/shopwright/deploy/devcluster/internal/api"
)

// platform signs in as Shopwright does: with the token in a kubeconfig.
type platform struct {
	server, token string
	http          *http.Client
}

func (l *lab) platform(kubeconfig string) *platform {
	l.t.Helper()
	raw, err := os.ReadFile(kubeconfig)
	if err != nil {
		l.t.Fatal(err)
	}
	var config struct {
		Clusters []struct{ Cluster struct{ Server string } }
		Users    []struct{ User struct{ Token string } }
	}
	if err := yaml.Unmarshal(raw, &config); err != nil {
		l.t.Fatal(err)
	}
	roots, err := api.Roots(l.cluster().PKI())
	if err != nil {
		l.t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	l.t.Cleanup(transport.CloseIdleConnections)
	return &platform{
		server: config.Clusters[0].Cluster.Server, token: config.Users[0].User.Token,
		http: &http.Client{Transport: transport},
	}
}

// do sends a request and returns the HTTP status of the answer.
func (p *platform) do(ctx context.Context, method, path, body string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, p.server+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	req.Header.Set("Content-Type", "application/yaml")
	res, err := p.http.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, errors.Join(err, res.Body.Close())
}

func (p *platform) want(t *testing.T, code int, method, path, body string) {
	t.Helper()
	if got, err := p.do(t.Context(), method, path, body); err != nil || got != code {
		t.Errorf("%s %s: %d, error %v, want %d", method, path, got, err, code)
	}
}

const namespaces = "/api/v1/namespaces"

func namespaceNamed(name string) string {
	return "{apiVersion: v1, kind: Namespace, metadata: {name: " + name + "}}"
}

func TestPlatformAndItsGate(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	t.Cleanup(func() { l.must("down", "--state", l.dir, "--wipe") })
	ready := l.up()
	direct, gated := l.platform(ready.Kubeconfig), l.platform(ready.GateKubeconfig)
	for _, file := range []string{ready.Kubeconfig, ready.GateKubeconfig, ready.AdminKubeconfig} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: error %v, mode %v", file, err, info.Mode())
		}
	}

	for _, way := range []*platform{direct, gated} {
		way.want(t, http.StatusOK, "GET", namespaces, "")
		way.want(t, http.StatusForbidden, "GET", "/api/v1/pods", "") // not in its role
	}
	shop := l.newShop("store-logs")
	shop.open()
	web := shop.becomes("web", "Running ready").Metadata.Name
	gated.want(t, http.StatusOK, "GET", namespaces+"/store-logs/pods/"+web+"/log", "")

	id := l.must("fault", "add", "--state", l.dir, "--method", "POST", "--path", "^/api/v1/namespaces$", "--status", "503", "--times", "1")
	gated.want(t, http.StatusServiceUnavailable, "POST", namespaces, namespaceNamed("store-one"))
	gated.want(t, http.StatusCreated, "POST", namespaces, namespaceNamed("store-one"))
	if out := l.must("fault", "list", "--state", l.dir); !strings.HasPrefix(out, id+"  POST ^/api/v1/namespaces$: answer 503") {
		t.Errorf("faults:\n%s", out)
	}

	held := l.must("fault", "add", "--state", l.dir, "--method", "POST", "--hold")
	ended := make(chan error, 1)
	go func() {
		_, err := gated.do(t.Context(), "POST", namespaces, namespaceNamed("store-two"))
		ended <- err
	}()
	l.must("fault", "wait", "--state", l.dir, held)
	direct.want(t, http.StatusNotFound, "GET", namespaces+"/store-two", "")
	l.must("fault", "clear", "--state", l.dir)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	direct.want(t, http.StatusOK, "GET", namespaces+"/store-two", "")

	l.must("fault", "add", "--state", l.dir, "--drop")
	if code, err := gated.do(t.Context(), "GET", namespaces, ""); err == nil {
		t.Errorf("a dropped request was answered %d", code)
	}
	direct.want(t, http.StatusOK, "GET", namespaces, "")
	l.must("fault", "clear", "--state", l.dir)
	if out, err := l.run("fault", "wait", "--state", l.dir, "--timeout", "1s", id); err == nil {
		t.Errorf("wait for a fault that is gone: %s", out)
	}
	if out, err := l.run("fault", "add", "--state", l.dir, "--method", "POST"); err == nil {
		t.Errorf("a fault that does nothing: %s", out)
	}
}
