package main_test

import (
	"os/exec"
	"strings"
	"testing"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// call runs the program to its end and returns its exit code and all that it said.
func call(t *testing.T, env []string, args ...string) (code int, said string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), args...)
	cmd.Env, cmd.Dir = env, t.TempDir()
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("start the program: %v", err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func TestMistakesAreToldTogether(t *testing.T) {
	t.Parallel()
	code, said := call(t, []string{
		"SHOPWRIGHT_ADDR=0.0.0.0:80", "SHOPWRIGHT_DEV_LOGIN=true", "SHOPWRIGHT_ENVIRONMENT=production",
		"SHOPWRIGHT_TLS_MODE=secret", "SHOPWRIGHT_BASE_DOMAIN=not a domain", "SHOPWRIGHT_MAX_CONCURRENT=0",
	}, "serve")
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
	for _, name := range []string{"DEV_LOGIN lets anybody in", "SECRET_KEY is missing", "TLS_SECRET", "BASE_DOMAIN", "MAX_CONCURRENT"} {
		if !strings.Contains(said, name) {
			t.Errorf("nothing is said of %s in:\n%s", name, said)
		}
	}
}

func TestConfigHidesSecrets(t *testing.T) {
	t.Parallel()
	const key = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I="
	code, said := call(t, []string{"SHOPWRIGHT_SECRET_KEY=" + key, "SHOPWRIGHT_DATABASE_URL=postgres://me:hidden@db/x"}, "config")
	if code != 0 || strings.Contains(said, key) || strings.Contains(said, "hidden") || !strings.Contains(said, `SHOPWRIGHT_SECRET_KEY="(set)"`) {
		t.Errorf("exit code %d:\n%s", code, said)
	}
}

func TestUnknownArgumentsAreUsage(t *testing.T) {
	t.Parallel()
	if code, said := call(t, nil, "--no-such-flag"); code != 2 {
		t.Errorf("exit code %d: %s", code, said)
	}
	if code, said := call(t, nil, "--help"); code != 0 || !strings.Contains(said, "serve") {
		t.Errorf("exit code %d: %s", code, said)
	}
}

func TestSecondProcessOnOneFolderIsRefused(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.start()
	code, said := call(t, p.env, "serve")
	if code != 1 || !strings.Contains(said, "another Shopwright uses the data folder") {
		t.Errorf("exit code %d: %s", code, said)
	}
	if status, _ := p.get("/stores"); status != 200 {
		t.Errorf("the first process answers %d", status)
	}
}
