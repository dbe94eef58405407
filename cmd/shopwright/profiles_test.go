package main_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

var profilesLine = regexp.MustCompile(`msg="serving profiles" url=(\S+)`)

func TestProfilesAreServedWhereTheyAreAskedForOnly(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.env = append(p.env, "SHOPWRIGHT_PPROF_ADDR=127.0.0.1:0")
	p.start()
	lines := p.said.with("serving profiles")
	if len(lines) != 1 || profilesLine.FindStringSubmatch(lines[0]) == nil {
		t.Fatalf("it says %q", lines)
	}
	url := profilesLine.FindStringSubmatch(lines[0])[1]
	for path, text := range map[string]string{"": "Types of profiles available", "heap?debug=1": "heap profile: ", "goroutine?debug=1": "main.(*serveCmd).serve"} {
		if status, said := fetchAt(t, url+path); status != http.StatusOK || !strings.Contains(said, text) {
			t.Errorf("%q answers %d without %q", path, status, text)
		}
	}
	if status, _ := fetchAt(t, p.url+"/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("beside the pages they answer %d", status)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("the program ended with %d", code)
	}
}

func fetchAt(t *testing.T, url string) (status int, said string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
