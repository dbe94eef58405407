package kube_test

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// Credentials end while the program runs, on lines that are open, and the file with new ones comes later.
func TestCredentialsAreReadAgainWhenTheyAreRefused(t *testing.T) {
	t.Parallel()
	var valid atomic.Value
	valid.Store("Bearer first")
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.Header.Get("Authorization") != valid.Load():
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/api/v1/namespaces/kube-system":
			_, _ = io.WriteString(w, `{"metadata":{"uid":"right"}}`)
		default:
			_, _ = w.Write(body)
		}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	var file atomic.Value
	file.Store("first")
	read := func() (*rest.Config, error) {
		return &rest.Config{Host: server.URL, BearerToken: file.Load().(string), TLSClientConfig: rest.TLSClientConfig{CAData: ca}}, nil
	}
	guard := &kube.Guard{Renew: read}
	config, err := read()
	if err != nil {
		t.Fatal(err)
	}
	guarded, err := guard.Config(config)
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(guarded)
	if err != nil {
		t.Fatal(err)
	}
	want := func(status int, body string) {
		t.Helper()
		response, err := client.Post(server.URL+"/echo", "text/plain", strings.NewReader("something"))
		if status == 0 { // the line could not be opened
			if err == nil {
				t.Errorf("got %d", response.StatusCode)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil || response.StatusCode != status || string(got) != body {
			t.Errorf("got %d and %q, want %d and %q: %v", response.StatusCode, got, status, body, err)
		}
	}
	want(http.StatusOK, "something") // before the cluster is known
	guard.Expect("right")
	want(http.StatusOK, "something")
	valid.Store("Bearer second")
	want(http.StatusUnauthorized, "")
	file.Store("second")
	kubetest.Within(t, "the new credentials are used", func() bool { // the file is read once a second
		response, err := client.Post(server.URL+"/echo", "text/plain", strings.NewReader("something"))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	want(http.StatusOK, "something")
	server.CloseClientConnections()
	valid.Store("Bearer third")
	want(0, "")
}

// A program that asks a person for something is waited for no longer than the request may take.
func TestHelperThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	helper := filepath.Join(dir, "hangs")
	script := "#!/bin/sh\ntouch " + dir + "/begun\nwhile [ -e \"$0\" ]; do sleep 0.1; done\n"
	if err := os.WriteFile(helper, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	config, err := new(kube.Guard).Config(&rest.Config{Host: "https://127.0.0.1:1", ExecProvider: &clientcmdapi.ExecConfig{
		APIVersion: "client.authentication.k8s.io/v1", Command: helper, InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
	}})
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for _, err := os.Stat(dir + "/begun"); err != nil; _, err = os.Stat(dir + "/begun") {
			if ctx.Err() != nil {
				return
			}
		}
		cancel()
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, config.Host, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err == nil {
		_ = response.Body.Close()
	}
	if silent, ok := errors.AsType[*kube.HelperError](err); !ok || silent.Command != helper || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
