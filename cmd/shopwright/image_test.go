package main_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// container is the image at work in a real engine, with a volume for its database.
type container struct {
	*process          // for its client
	engine   []string // arguments that name the engine, unless it is that of `make test`
	name     string
	volume   string
}

// docker calls the engine that `make test` has found or started.
func docker(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.Command("docker", args...)
	said, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("docker: %v", err)
	}
	return string(said), cmd.ProcessState.ExitCode()
}

func mustDocker(t *testing.T, args ...string) string {
	t.Helper()
	out, code := docker(t, args...)
	if code != 0 {
		t.Fatalf("docker %s: %s", strings.Join(args, " "), out)
	}
	return strings.TrimSpace(out)
}

func image(t *testing.T) string {
	t.Helper()
	name := os.Getenv("SHOPWRIGHT_TEST_IMAGE")
	if name == "" {
		t.Fatal("SHOPWRIGHT_TEST_IMAGE is not set: this test needs the image that `make test` builds")
	}
	return name
}

// newContainer prepares a container as the README runs one, but on the network of this
// machine: the control plane is at a loopback address.
func newContainer(t *testing.T) *container {
	t.Helper()
	mark := "shopwright-test-" + uuid.NewString()[24:]
	c := &container{process: &process{t: t, pages: map[string]string{}}, name: mark, volume: mark}
	t.Cleanup(func() {
		_, _ = c.docker("rm", "--force", c.name)
		_, _ = c.docker("volume", "rm", "--force", c.volume)
	})
	c.forget()
	return c
}

// docker calls the container's engine.
func (c *container) docker(args ...string) (out string, code int) {
	c.t.Helper()
	return docker(c.t, slices.Concat(c.engine, args)...)
}

func (c *container) mustDocker(args ...string) string {
	c.t.Helper()
	return mustDocker(c.t, slices.Concat(c.engine, args)...)
}

// run is `docker run` with the arguments of the test.
func (c *container) run(kubeconfig string, args ...string) (out string, code int) {
	c.t.Helper()
	all := []string{
		"run", "--read-only", "--volume", c.volume + ":/data", "--volume", kubeconfig + ":/kube/config:ro",
		"--env", "SHOPWRIGHT_KUBECONFIG=/kube/config",
	}
	return c.docker(append(append(all, args...), image(c.t))...)
}

// readable is a kubeconfig that the image's user may read, and nobody else where we can give
// it away, as the README does.
func readable(t *testing.T) string {
	t.Helper()
	content := contentOf(t, kubetest.PlatformKubeconfig(t))
	if os.Geteuid() != 0 {
		return kubeconfigFile(t, content, 0o644)
	}
	path := kubeconfigFile(t, content, 0o400)
	if err := os.Chown(path, 65532, 65532); err != nil {
		t.Fatal(err)
	}
	return path
}

func kubeconfigFile(t *testing.T, content []byte, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	chmod(t, path, mode)
	return path
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// untilHealthy waits for what the binary's own check says.
func (c *container) untilHealthy() {
	c.t.Helper()
	eventually(c.t, "healthy", func() bool {
		return c.mustDocker("inspect", "--format", "{{.State.Health.Status}}", c.name) == "healthy"
	})
}

func (c *container) logs() string { return c.mustDocker("logs", c.name) }

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(200*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not %s after %s", what, patience)
		}
	}
}

// TestContainer goes the README's way: run, the link from the log, a store, a container that
// is killed, and the store is still there.
func TestContainer(t *testing.T) {
	t.Parallel()
	c := newContainer(t)
	addr := freeAddress(t)
	if out, code := c.run(readable(t), "--detach", "--name", c.name, "--network", "host", "--env", "SHOPWRIGHT_ADDR="+addr,
		"--env", "SHOPWRIGHT_BASE_URL=http://"+addr); code != 0 {
		t.Fatal(out)
	}
	c.url = "http://" + addr
	c.untilHealthy()
	c.post("/sign-in/link", url.Values{"key": {loginKey(t, c.logs())}})
	slug := "container-" + uuid.NewString()[24:]
	page := c.create("From a container", slug)
	c.untilReady(page)
	figure(t, "the image has %s, its container takes %s with one store", megabytes(t, image(t)), c.mustDocker("stats", "--no-stream", "--format", "{{.MemUsage}}", c.name))

	mustDocker(t, "kill", c.name)
	mustDocker(t, "start", c.name)
	c.untilHealthy()
	c.untilReady(page)
	if out, code := docker(t, "exec", c.name, "/shopwright", "login-link"); code != 0 || !printedLink.MatchString(out) {
		t.Errorf("another link: %d %s", code, out)
	}
	if out, code := c.run(readable(t), "--rm", "--network", "host", "--env", "SHOPWRIGHT_ADDR="+freeAddress(t)); code != 1 || !strings.Contains(out, "another Shopwright uses") {
		t.Errorf("a second container on one volume ends with %d: %s", code, out)
	}
	c.post(page+"/delete", url.Values{"confirm": {"From a container"}})
	c.untilGone(page)
	mustDocker(t, "stop", c.name)
	if code := mustDocker(t, "inspect", "--format", "{{.State.ExitCode}}", c.name); code != "0" {
		t.Errorf("stopped with exit code %s", code)
	}
}

// TestContainerWithAPublishedPort is the README's `docker run` as it stands: nothing says where
// the pages are, and the link from the log leads there.
func TestContainerWithAPublishedPort(t *testing.T) {
	t.Parallel()
	c, port := newContainer(t), "8080"
	publish := []string{"--publish", "8080:8080"}
	if folder := os.Getenv("SHOPWRIGHT_TEST_BRIDGED"); folder != "" {
		c.engine = []string{"--host", "unix://" + folder + "/socket"}
		c.client.Transport = &http.Transport{DialContext: inNetworkOf(t, folder+"/pid")}
	} else { // an engine that is not ours, on a machine whose ports may be taken
		_, port, _ = net.SplitHostPort(freeAddress(t))
		publish = []string{"--publish", port + ":8080", "--env", "SHOPWRIGHT_BASE_URL=http://localhost:" + port}
	}
	if out, code := c.run(readable(t), append(publish, "--detach", "--stop-timeout", "45", "--name", c.name)...); code != 0 {
		t.Fatal(out)
	}
	c.untilHealthy()
	c.url = "http://localhost:" + port
	if logs := c.logs(); !strings.Contains(logs, c.url+"/sign-in/link?key=") {
		t.Errorf("the link leads elsewhere: %s", logs)
	}
	c.post("/sign-in/link", url.Values{"key": {loginKey(t, c.logs())}})
	if status, page := c.get("/stores"); status != http.StatusOK || !strings.Contains(page, "Administrator") {
		t.Errorf("over the published port the pages answer %d", status)
	}
	c.mustDocker("stop", c.name)
	if code := c.mustDocker("inspect", "--format", "{{.State.ExitCode}}", c.name); code != "0" {
		t.Errorf("stopped with exit code %s", code)
	}
}

// inNetworkOf dials in the network namespace of the process whose id is in the file.
func inNetworkOf(t *testing.T, pidFile string) func(ctx context.Context, network, address string) (net.Conn, error) {
	t.Helper()
	there := "/proc/" + strings.TrimSpace(string(contentOf(t, pidFile))) + "/ns/net"
	return func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		// The thread comes back: with one that ended here the kernel would end the programs that
		// were started on it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		back, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			return nil, err
		}
		defer func() {
			if returned := errors.Join(enter(back), back.Close()); returned != nil {
				panic(returned)
			}
		}()
		namespace, err := os.Open(there)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(enter(namespace), namespace.Close()); err != nil {
			return nil, err
		}
		// One family: two would be tried on threads of their own.
		return new(net.Dialer).DialContext(ctx, "tcp4", strings.Replace(address, "localhost", "127.0.0.1", 1))
	}
}

// enter moves this thread into a network namespace.
func enter(namespace *os.File) error { return unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET) }

func megabytes(t *testing.T, image string) string {
	t.Helper()
	size, err := strconv.Atoi(mustDocker(t, "image", "inspect", "--format", "{{.Size}}", image))
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(size/1_000_000) + " MB"
}

// figure is something that `make test` prints at its end.
func figure(t *testing.T, format string, args ...any) {
	t.Helper()
	t.Logf(format, args...)
	path := os.Getenv("SHOPWRIGHT_TEST_FIGURES")
	if path == "" {
		return
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(file, format+"\n", args...)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestContainerSaysWhatIsWrongWithItsKubeconfig tries what goes wrong in practice.
func TestContainerSaysWhatIsWrongWithItsKubeconfig(t *testing.T) {
	t.Parallel()
	private, err := os.ReadFile(kubetest.PlatformKubeconfig(t))
	if err != nil {
		t.Fatal(err)
	}
	const plugin = `{"apiVersion":"v1","kind":"Config","contexts":[{"name":"x","context":{"cluster":"x","user":"x"}}],
		"clusters":[{"name":"x","cluster":{"server":"https://example.com"}}],
		"users":[{"name":"x","user":{"exec":{"apiVersion":"client.authentication.k8s.io/v1","interactiveMode":"Never","command":"cloud-login"}}}]}`
	for name, tt := range map[string]struct{ kubeconfig, sentence string }{
		"private": {kubeconfigFile(t, private, 0o600), "which the user 65532 can’t read"},
		"plugin":  {kubeconfigFile(t, []byte(plugin), 0o644), "which gets its credentials from the program cloud-login, but it isn’t installed"},
	} {
		if out, code := newContainer(t).run(tt.kubeconfig, "--rm", "--network", "none"); code != 2 || !strings.Contains(out, tt.sentence) {
			t.Errorf("%s: exit code %d: %s", name, code, out)
		}
	}
}

// TestContainerFarFromALoopbackCluster has no way to the machine's own address.
func TestContainerFarFromALoopbackCluster(t *testing.T) {
	t.Parallel()
	c := newContainer(t)
	if out, code := c.run(readable(t), "--detach", "--name", c.name, "--network", "none"); code != 0 {
		t.Fatal(out)
	}
	eventually(t, "told why", func() bool { return strings.Contains(c.logs(), "run it with --network host") })
	c.untilHealthy() // the pages are there, and say so
}

// Without the public authorities nobody could sign in with a provider, and no shop with a public certificate passes
// its check.
func TestImageKnowsThePublicAuthorities(t *testing.T) {
	t.Parallel()
	c := newContainer(t)
	c.mustDocker("create", "--name", c.name, image(t))
	file := filepath.Join(t.TempDir(), "authorities.pem")
	c.mustDocker("cp", c.name+":/etc/ssl/certs/ca-certificates.crt", file)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	if !known.AppendCertsFromPEM(content) || strings.Count(string(content), "BEGIN CERTIFICATE") < 100 {
		t.Errorf("the image knows no public authorities: %d bytes", len(content))
	}
}

func TestImageIsLabelled(t *testing.T) {
	t.Parallel()
	var labels map[string]string
	if err := json.Unmarshal([]byte(mustDocker(t, "image", "inspect", "--format", "{{json .Config.Labels}}", image(t))), &labels); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"title", "description", "licenses", "version", "revision"} {
		if labels["org.opencontainers.image."+name] == "" {
			t.Errorf("no label %s", name)
		}
	}
	if user := mustDocker(t, "image", "inspect", "--format", "{{.Config.User}}", image(t)); user != "65532:65532" {
		t.Errorf("it runs as %s", user)
	}
	version := mustDocker(t, "run", "--rm", image(t), "version")
	if !strings.HasSuffix(version, labels["org.opencontainers.image.version"]) {
		t.Errorf("it calls itself %s", version)
	}
}
