package main_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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
		"SHOPWRIGHT_TLS_MODE=secret", "SHOPWRIGHT_BASE_DOMAIN=not a domain", "SHOPWRIGHT_MAX_CONCURRENT=0", "SHOPWRIGHT_CORS_ORIGINS=https://a.example,b.example/",
	}, "serve")
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
	for _, name := range []string{"DEV_LOGIN lets anyone sign in", "SECRET_KEY is missing", "TLS_SECRET", "BASE_DOMAIN", "MAX_CONCURRENT", `CORS_ORIGINS has "b.example/"`} {
		if !strings.Contains(said, name) {
			t.Errorf("nothing is said of %s in:\n%s", name, said)
		}
	}
}

// Without https anybody on the way reads the session cookies.
func TestProductionNeedsHTTPS(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]int{
		"SHOPWRIGHT_BASE_URL=https://shopwright.example.com":                          0,
		"SHOPWRIGHT_BASE_URL=http://shopwright.example.com":                           2,
		"SHOPWRIGHT_BASE_URL=http://127.0.0.1:8080":                                   0,
		"SHOPWRIGHT_BASE_URL=http://[::1]":                                            0,
		"SHOPWRIGHT_BASE_URL=http://localhost SHOPWRIGHT_ADDR=:8080":                  0,
		"SHOPWRIGHT_ADDR=127.0.0.1:8080":                                              0,
		"SHOPWRIGHT_ADDR=:8080":                                                       2,
		"SHOPWRIGHT_BASE_URL=http://shops.example.com SHOPWRIGHT_ENVIRONMENT=local":   0,
		"SHOPWRIGHT_BASE_URL=http://127.0.0.1.example.com SHOPWRIGHT_ADDR=[::1]:8080": 2,
	} {
		env := append([]string{"SHOPWRIGHT_ENVIRONMENT=production", "SHOPWRIGHT_SECRET_KEY=" + sessionKey}, strings.Fields(settings)...)
		if code, said := call(t, env, "config"); code != want || (want == 2) != strings.Contains(said, "production requires https://") {
			t.Errorf("%s: exit code %d: %s", settings, code, said)
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

// A line break at the end is easily taken along: echo writes one, and base64 keeps it.
func TestSettingsLoseWhiteSpaceAtTheirEnds(t *testing.T) {
	t.Parallel()
	number := regexp.MustCompile(`="(true|false|[0-9]+|([0-9]+[hms])+)"$`)
	_, defaults := call(t, nil, "config")
	var env []string
	for line := range strings.Lines(defaults) {
		if name, _, is := strings.Cut(line, "="); is && strings.HasPrefix(name, "SHOPWRIGHT_") && !number.MatchString(strings.TrimSpace(line)) {
			env = append(env, name+"= \tword\r\n ")
		}
	}
	if len(env) < 30 {
		t.Fatalf("there are %d settings of text:\n%s", len(env), defaults)
	}
	_, said := call(t, env, "config")
	for _, set := range env {
		name, _, _ := strings.Cut(set, "=")
		if !strings.Contains(said, name+`="word"`+"\n") && !strings.Contains(said, name+`="(set)"`+"\n") {
			t.Errorf("%s keeps its white space:\n%s", name, said)
		}
	}
}

// sessionKey stands in for what people draw.
const sessionKey = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="

// In production https is a proxy's: one that is not trusted is told of at the start.
func TestProxyThatIsNotTrustedIsToldOf(t *testing.T) {
	t.Parallel()
	const warning = "SHOPWRIGHT_TRUSTED_PROXIES is empty"
	for settings, want := range map[string]int{
		"SHOPWRIGHT_BASE_URL=https://shopwright.example.com":                                         1,
		"SHOPWRIGHT_BASE_URL=https://shopwright.example.com SHOPWRIGHT_TRUSTED_PROXIES=127.0.0.1/32": 0,
		"SHOPWRIGHT_BASE_URL=http://127.0.0.1:8080":                                                  0,
		"SHOPWRIGHT_BASE_URL=https://shopwright.example.com SHOPWRIGHT_ENVIRONMENT=local":            0,
	} {
		p := launch(t, kubetest.PlatformKubeconfig(t))
		p.env = append(p.env, "SHOPWRIGHT_DEV_LOGIN=false", "SHOPWRIGHT_ENVIRONMENT=production", "SHOPWRIGHT_SECRET_KEY="+sessionKey)
		p.env = append(p.env, strings.Fields(settings)...)
		p.startSignedOut()
		p.stop()
		if n := len(p.said.with(warning)); n != want {
			t.Errorf("%s: it warns %d times", settings, n)
		}
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

// The version that was stamped into the binary is at the foot of every page.
func TestVersionIsOnThePages(t *testing.T) {
	t.Parallel()
	_, printed := call(t, nil, "version")
	name, version, _ := strings.Cut(strings.TrimSpace(printed), " ")
	if name != "shopwright" || version == "" || version == "development" {
		t.Fatalf("it calls itself %q", printed)
	}
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.startSignedOut()
	_, door := p.get("/sign-in")
	p.post("/sign-in/dev", nil)
	_, list := p.get("/stores")
	for page, text := range map[string]string{"/sign-in": door, "/stores": list} {
		if !strings.Contains(text, "Shopwright "+version+" ·") {
			t.Errorf("%s does not tell version %s", page, version)
		}
	}
}

func TestSecondProcessOnOneDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.start()
	file := filepath.Join(p.dataDir, "shopwright.db")
	link := filepath.Join(t.TempDir(), "linked.db")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for name, more := range map[string][]string{
		"in the same data folder":    nil,
		"from another data folder":   {"SHOPWRIGHT_DATA_DIR=" + t.TempDir(), "SHOPWRIGHT_DATABASE_URL=sqlite:" + file},
		"by a symbolic link to it":   {"SHOPWRIGHT_DATA_DIR=" + t.TempDir(), "SHOPWRIGHT_DATABASE_URL=sqlite:" + link},
		"with an address of its own": {"SHOPWRIGHT_ADDR=127.0.0.1:0"},
	} {
		code, said := call(t, append(slices.Clone(p.env), more...), "serve")
		if code != 1 || !strings.Contains(said, "another Shopwright uses the database") {
			t.Errorf("%s: exit code %d: %s", name, code, said)
		}
	}
	if status, _ := p.get("/stores"); status != 200 {
		t.Errorf("the first process answers %d", status)
	}
}

// TestWhatKeepsTheProgramFromServing tries what an operator can get wrong: each ends in one
// sentence that says what to do, and in the exit code of its kind.
func TestWhatKeepsTheProgramFromServing(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	dir := t.TempDir()
	for name, text := range map[string]string{
		"file": "", "garbage": "x: [", "empty": "apiVersion: v1\nkind: Config\n", "key/session.key": "short",
		"two": "apiVersion: v1\nkind: Config\ncontexts: [{name: a, context: {}}, {name: b, context: {}}]\n",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		setting, sentence string
		code              int
	}{
		{"SHOPWRIGHT_DATA_DIR=" + dir + "/file", "/file: make it writable", 1},
		{"SHOPWRIGHT_DATA_DIR=/proc/none", "/proc/none: make it writable", 1},
		{"SHOPWRIGHT_DATA_DIR=" + dir + "/key", "remove the file, then everyone has to sign in again and backups can’t be read", 1},
		{"SHOPWRIGHT_ADDR=" + taken.Addr().String(), "another program uses it: stop it, or set another one with SHOPWRIGHT_ADDR", 1},
		{"SHOPWRIGHT_ADDR=127.0.0.1:99999", "it must be HOST:PORT", 2},
		{"SHOPWRIGHT_ADDR=127.0.0.1", "it must be HOST:PORT", 2},
		{"SHOPWRIGHT_KUBECONFIG=" + dir + "/none", "must be the path of a readable kubeconfig", 2},
		{"SHOPWRIGHT_KUBECONFIG=" + dir + "/garbage", "must be the path of a readable kubeconfig", 2},
		{"SHOPWRIGHT_KUBECONFIG=" + dir + "/empty", "the kubeconfig has no context", 2},
		{"SHOPWRIGHT_KUBECONFIG=" + dir + "/two", "choose one with SHOPWRIGHT_KUBE_CONTEXT", 2},
		{"SHOPWRIGHT_KUBECONFIG=" + dir, "must be the path of a readable kubeconfig", 2},
		{"SHOPWRIGHT_DATABASE_URL=sqlite:", "has no file", 2},
		{"SHOPWRIGHT_DATABASE_URL=sqlite:/none/x.db", "Check that its directory exists", 1},
		{"SHOPWRIGHT_CREATE_RATE=often", "it must be a number per time, such as 5/5m", 2},
		{"SHOPWRIGHT_REQUEST_RATE=5", `SHOPWRIGHT_REQUEST_RATE is "5"`, 2},
		{"SHOPWRIGHT_TRUSTED_PROXIES=10.0.0.0/8,proxy", `SHOPWRIGHT_TRUSTED_PROXIES is "10.0.0.0/8,proxy": it must be networks`, 2},
		{"SHOPWRIGHT_DEFAULT_PLAN=gold", "it must be one of the plans, which are free, standard, pro", 2},
		{"SHOPWRIGHT_DATABASE_WAIT=-1s", "must not be negative", 2},
		{"SHOPWRIGHT_END_DELAY=-1s", "must not be negative", 2},
		{"SHOPWRIGHT_PPROF_ADDR=0.0.0.0:6060", "must be HOST:PORT of a loopback address", 2},
		{"SHOPWRIGHT_PPROF_ADDR=" + taken.Addr().String(), "set another one with SHOPWRIGHT_PPROF_ADDR", 1},
		{"SHOPWRIGHT_STORE_VALUES=woocommerce", "must be maps of values by engine", 2},
		{"SHOPWRIGHT_STORE_VALUES={shopify: {}}", `there is no engine "shopify"`, 2},
		{"SHOPWRIGHT_STORE_VALUES={woocommerce: {shop: {county: FR}}}", "county", 2},
		{"SHOPWRIGHT_IMAGE_PULL_SECRET=My Secret", "must be a Kubernetes name", 2},
	} {
		env := []string{"SHOPWRIGHT_ADDR=127.0.0.1:0", "SHOPWRIGHT_DEV_LOGIN=true", "SHOPWRIGHT_DATA_DIR=" + t.TempDir(), c.setting}
		code, said := call(t, env, "serve")
		if code != c.code || !strings.Contains(said, c.sentence) || strings.Count(said, "shopwright: ") != 1 {
			t.Errorf("%s: exit code %d: %s", c.setting, code, said)
		}
	}
}
