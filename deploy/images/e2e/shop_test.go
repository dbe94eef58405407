//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// shop is a Medusa shop as its chart describes it, of processes on this machine.
type shop struct {
	app     string // what the image holds
	dir     string
	url     string
	objects []runtime.Object
	secrets map[string][]byte
	at      map[string]string // addresses in the cluster and those here
}

// open starts database and cache, and what the ingress controller would do. The shop begins
// with the template and is not set up yet.
func open(t *testing.T, template string) *shop {
	t.Helper()
	secrets, err := engine.Medusa{}.Credentials("shop.localhost", "")
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{app: builtMedusa(t), dir: sharedDir(t), secrets: secrets, at: map[string]string{}}
	for _, host := range []string{"database:5432", "valkey:6379", "medusa:9000", "storefront:8000"} {
		s.at[host] = "127.0.0.1:" + freePort(t)
	}
	listener := listen(t)
	s.url = "http://" + listener.Addr().String()
	spec := enginetest.Spec("local")
	spec.URL, spec.Template = s.url, template
	s.objects = enginetest.Objects(t, enginetest.Request(t, engine.Medusa{}, spec))
	for name, secret := range secrets {
		s.write(t, filepath.Join("credentials", name), string(secret))
	}
	s.write(t, "products.json", s.config(t, "products.json"))
	s.serveIngress(t, listener)
	s.startDatabase(t)
	s.startCache(t)
	return s
}

// sharedDir is a folder that the processes of other users can read.
func sharedDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (s *shop) write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func freePort(t *testing.T) string {
	t.Helper()
	listener := listen(t)
	defer func() { _ = listener.Close() }()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// serveIngress leads requests to Medusa and to the storefront by the chart's own rules.
func (s *shop) serveIngress(t *testing.T, listener net.Listener) {
	t.Helper()
	mux := http.NewServeMux()
	enginetest.Each(s.objects, func(i *networkingv1.Ingress) {
		for _, path := range i.Spec.Rules[0].HTTP.Paths {
			port := map[string]string{"medusa": "9000", "storefront": "8000"}[path.Backend.Service.Name]
			to := &url.URL{Scheme: "http", Host: s.at[path.Backend.Service.Name+":"+port]}
			proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(to)
				r.SetXForwarded()
				r.Out.Host = r.In.Host
			}}
			mux.Handle(path.Path, proxy)
			if path.Path != "/" {
				mux.Handle(path.Path+"/", proxy)
			}
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
}

func (s *shop) startDatabase(t *testing.T) {
	t.Helper()
	volume := filepath.Join(s.dir, "volume")
	if err := os.Mkdir(volume, 0o777); err != nil {
		t.Fatal(err)
	}
	who := account(t, "postgres")
	if who != nil {
		if err := os.Chown(volume, int(who.Uid), int(who.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	_, port, _ := strings.Cut(s.at["database:5432"], ":")
	p := process{
		name: "postgres", who: who, env: []string{"PATH=" + postgres(t) + ":" + os.Getenv("PATH"), "VOLUME=" + volume, "CREDENTIALS=" + filepath.Join(s.dir, "credentials")},
		args: []string{"sh", s.write(t, "database.sh", s.config(t, "database.sh")), "-c", "port=" + port, "-c", "unix_socket_directories=" + volume},
	}
	s.start(t, p)
	within(t, time.Minute, "the database answers", func() bool { return s.database(t, func(context.Context, *pgx.Conn) error { return nil }) == nil })
}

// postgres is the folder of the newest PostgreSQL's programs.
func postgres(t *testing.T) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(found) == 0 {
		t.Fatal("PostgreSQL is missing: apt-get install postgresql")
	}
	return found[len(found)-1]
}

func (s *shop) startCache(t *testing.T) {
	t.Helper()
	program, err := exec.LookPath("valkey-server")
	if err != nil {
		program, err = exec.LookPath("redis-server")
	}
	if err != nil {
		t.Fatal("Redis is missing: apt-get install redis-server")
	}
	data := filepath.Join(s.dir, "cache")
	if err := os.Mkdir(data, 0o777); err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(s.at["valkey:6379"], ":")
	settings := strings.ReplaceAll(s.config(t, "valkey.conf"), "/data", data) + "\nport " + port + "\nrequirepass " + string(s.secrets["cache-password"]) + "\n"
	s.start(t, process{name: "cache", args: []string{program, "-"}, input: settings})
}

// config is a file in the chart's config maps.
func (s *shop) config(t *testing.T, name string) (content string) {
	t.Helper()
	enginetest.Each(s.objects, func(c *corev1.ConfigMap) { content += c.Data[name] })
	if content == "" {
		t.Fatalf("the chart has no %s", name)
	}
	return content
}

// database does something as Medusa's user.
func (s *shop) database(t *testing.T, do func(context.Context, *pgx.Conn) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, fmt.Sprintf("postgres://medusa:%s@%s/medusa?sslmode=disable", s.secrets["database-password"], s.at["database:5432"]))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	return do(ctx, conn)
}

// count is what a query for a number returns; an error, as of a missing table, counts as 0.
func (s *shop) count(t *testing.T, query string) (n int) {
	t.Helper()
	_ = s.database(t, func(ctx context.Context, conn *pgx.Conn) error { return conn.QueryRow(ctx, query).Scan(&n) })
	return n
}

// env is what the chart gives to the container, with the addresses that hold here.
func (s *shop) env(t *testing.T, container string) []string {
	t.Helper()
	for _, w := range enginetest.Workloads(s.objects) {
		for _, c := range w.Containers() {
			if c.Name == container {
				return append(s.expand(container, c.Env), "PATH="+os.Getenv("PATH"), "NODE_ENV=production", "MEDUSA_DISABLE_TELEMETRY=true")
			}
		}
	}
	t.Fatalf("the chart has no container %s", container)
	return nil
}

// expand does what a kubelet does with an environment.
func (s *shop) expand(container string, vars []corev1.EnvVar) (env []string) {
	known := map[string]string{}
	for _, v := range vars {
		value := v.Value
		if v.ValueFrom != nil {
			value = string(s.secrets[v.ValueFrom.SecretKeyRef.Key])
		}
		for name, other := range known {
			value = strings.ReplaceAll(value, "$("+name+")", other)
		}
		for there, here := range s.at {
			value = strings.ReplaceAll(value, there, here)
		}
		switch v.Name {
		case "CREDENTIALS":
			value = filepath.Join(s.dir, "credentials")
		case "PRODUCTS":
			value = filepath.Join(s.dir, "products.json")
		case "REPORT":
			value = filepath.Join(s.dir, "report-"+container)
		}
		known[v.Name] = value
		env = append(env, v.Name+"="+value)
	}
	return env
}

// process is something that runs beside the test.
type process struct {
	name  string
	dir   string
	who   *syscall.Credential
	env   []string
	args  []string
	input string
}

// start runs the process until the test ends, or until stop is called. What it says is in
// the file NAME.log.
func (s *shop) start(t *testing.T, p process) (stop func(syscall.Signal)) {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), p.args[0], p.args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin = p.dir, p.env, strings.NewReader(p.input)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: p.who}
	if cmd.Dir == "" {
		cmd.Dir = s.dir
	}
	out, err := os.OpenFile(s.log(p.name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		_ = out.Close()
		close(ended)
	}()
	stop = func(signal syscall.Signal) {
		_ = syscall.Kill(-cmd.Process.Pid, signal)
		<-ended
	}
	t.Cleanup(func() { stop(syscall.SIGKILL) })
	return stop
}

func (s *shop) log(name string) string { return filepath.Join(s.dir, name+".log") }

func (s *shop) said(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(s.log(name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}

// account is that of a user, where the test may act as another: PostgreSQL refuses root, and
// what runs in the images must not need to write into them.
func account(t *testing.T, name string) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	found, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(found.Uid, 10, 32)
	gid, _ := strconv.ParseUint(found.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// node is a program of the image.
func (s *shop) node(t *testing.T, name, container string, args ...string) process {
	t.Helper()
	env := append(s.env(t, container), "HOME="+s.dir)
	return process{name: name, dir: s.app, who: account(t, "nobody"), env: env, args: append([]string{"node"}, args...)}
}

// setup runs the setup to its end.
func (s *shop) setup(t *testing.T) (said string, took time.Duration, err error) {
	t.Helper()
	p := s.node(t, "setup", "setup", "setup.mjs")
	cmd := exec.CommandContext(t.Context(), p.args[0], p.args[1:]...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = p.dir, p.env, &syscall.SysProcAttr{Credential: p.who}
	began := time.Now()
	out, err := cmd.CombinedOutput()
	return string(out), time.Since(began), err
}

// startServers starts Medusa, as its pod does after it has waited, and the storefront.
func (s *shop) startServers(t *testing.T) (stopMedusa func(syscall.Signal)) {
	t.Helper()
	stopMedusa = s.startMedusa(t)
	_, port, _ := strings.Cut(s.at["storefront:8000"], ":")
	p := process{name: "storefront", dir: absolute(t, filepath.Join("..", "storefront")), who: account(t, "nobody"), args: []string{"node", "server.mjs"}}
	if p.who != nil { // the checkout may be closed to others
		p.dir = filepath.Join(s.dir, "storefront")
		command(t, ".", "cp", "-R", filepath.Join("..", "storefront"), p.dir).run()
	}
	p.env = append(s.env(t, "storefront"), "PORT="+port)
	s.start(t, p)
	within(t, time.Minute, "the storefront is ready", func() bool { return answers("http://" + s.at["storefront:8000"] + "/ready") })
	return stopMedusa
}

func (s *shop) startMedusa(t *testing.T) (stop func(syscall.Signal)) {
	t.Helper()
	p := s.node(t, "medusa", "medusa", "node_modules/@medusajs/cli/cli.js", "start")
	_, port, _ := strings.Cut(s.at["medusa:9000"], ":")
	p.env = append(p.env, "PORT="+port)
	stop = s.start(t, p)
	within(t, 2*time.Minute, "Medusa is well", func() bool { return answers("http://" + s.at["medusa:9000"] + "/health") })
	return stop
}

func answers(address string) bool {
	client := http.Client{Timeout: 3 * time.Second}
	answer, err := client.Get(address)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// within asks until it is so.
func within(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); time.Now().Before(end); <-tick.C {
		if holds() {
			return
		}
	}
	t.Fatalf("not within %s: %s", limit, what)
}

// noSecretIn makes sure that none of the shop's secrets stands in the text.
func (s *shop) noSecretIn(t *testing.T, where, text string) {
	t.Helper()
	for name, secret := range s.secrets {
		if slices.Contains([]string{"admin-email", "publishable-key"}, name) {
			continue
		}
		if strings.Contains(text, string(secret)) {
			t.Errorf("%s stands in %s", name, where)
		}
	}
}
