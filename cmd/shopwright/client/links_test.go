package client_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Whoever asks the API from a program of theirs needs no database and no Kubernetes for it.
func TestClientLinksNothingThatDoesTheWork(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, linked := range strings.Fields(string(out)) {
		for _, unwanted := range []string{"github.com/jackc/pgx", "modernc.org/sqlite", "k8s.io/client-go", "helm.sh/helm", "github.com/labstack/echo"} {
			if strings.HasPrefix(linked+"/", unwanted+"/") {
				t.Errorf("the client links %s", linked)
			}
		}
	}
}
