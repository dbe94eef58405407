package main_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// process is the real program, started as a user would.
type process struct {
	t       *testing.T
	dataDir string
	env     []string
	url     string
	cmd     *exec.Cmd
	output  sync.WaitGroup
	client  *http.Client
	said    transcript
}

// transcript is what a program has said so far.
type transcript struct {
	mu    sync.Mutex
	lines []string
	text  string
	then  func()
}

func (s *transcript) add(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
	if s.then != nil && strings.Contains(line, s.text) {
		go s.then()
		s.then = nil
	}
}

// when calls then as soon as a line has the text.
func (s *transcript) when(text string, then func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text, s.then = text, then
}

// with returns the lines that have the text.
func (s *transcript) with(text string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []string
	for _, line := range s.lines {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

var servingLine = regexp.MustCompile(`msg=serving url=(\S+)`)

// launch prepares a program with a data folder of its own; start starts it.
func launch(t *testing.T, kubeconfig string) *process {
	t.Helper()
	p := &process{t: t, dataDir: t.TempDir()}
	p.env = []string{
		"PATH=" + os.Getenv("PATH"), "SHOPWRIGHT_ADDR=127.0.0.1:0", "SHOPWRIGHT_DATA_DIR=" + p.dataDir,
		"SHOPWRIGHT_KUBECONFIG=" + kubeconfig, "SHOPWRIGHT_DEV_LOGIN=true", "SHOPWRIGHT_MAX_STORES_PER_USER=0",
	}
	t.Cleanup(p.kill)
	return p
}

func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(binary(p.t), "serve")
	p.cmd.Env = p.env
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	p.cmd.Stderr = p.cmd.Stdout
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	serving := make(chan string, 1)
	p.output.Go(func() { p.read(out, serving) })
	select {
	case p.url = <-serving:
	case <-time.After(time.Minute):
		p.t.Fatal("the program does not serve within a minute")
	}
	p.signIn()
}

func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("SHOPWRIGHT_TEST_BINARY")
	if path == "" {
		t.Fatal("SHOPWRIGHT_TEST_BINARY is not set: this test needs the program that `make test` builds")
	}
	return path
}

func (p *process) read(out io.Reader, serving chan<- string) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		p.t.Log(lines.Text())
		p.said.add(lines.Text())
		if found := servingLine.FindStringSubmatch(lines.Text()); found != nil {
			serving <- found[1]
		}
	}
}

// kill ends the program as a power cut would.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	p.output.Wait()
	_ = p.cmd.Wait()
	p.cmd = nil
}

// stop ends the program in order and returns its exit code.
func (p *process) stop() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	p.output.Wait()
	_ = p.cmd.Wait()
	code := p.cmd.ProcessState.ExitCode()
	p.cmd = nil
	return code
}

func (p *process) signIn() {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.client = &http.Client{Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	p.post("/sign-in/dev", nil)
}

// post sends a form as a browser without scripts would, and returns where it leads.
func (p *process) post(path string, form url.Values) (location string) {
	p.t.Helper()
	response, err := p.client.PostForm(p.url+path, form)
	if err != nil {
		p.t.Fatal(err)
	}
	body, readErr := io.ReadAll(response.Body)
	if err := errors.Join(readErr, response.Body.Close()); err != nil {
		p.t.Fatal(err)
	}
	if response.StatusCode != http.StatusSeeOther {
		p.t.Fatalf("POST %s: %s: %s", path, response.Status, body)
	}
	return response.Header.Get("Location")
}

// create asks for a store and returns the path of its page.
func (p *process) create(name, slug string) string {
	p.t.Helper()
	return p.post("/stores", url.Values{"name": {name}, "slug": {slug}, "engine": {"woocommerce"}})
}

// get returns a page and its status.
func (p *process) get(path string) (int, string) {
	p.t.Helper()
	response, err := p.client.Get(p.url + path)
	if err != nil {
		p.t.Fatal(err)
	}
	body, readErr := io.ReadAll(response.Body)
	if err := errors.Join(readErr, response.Body.Close()); err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// until looks at the store's page until it says what is waited for.
func (p *process) until(path, what string, holds func(status int, page string) bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		status, page := p.get(path)
		if holds(status, page) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			p.t.Fatalf("%s is not %s after two minutes: %d %s", path, what, status, page)
		}
	}
}

func (p *process) untilReady(path string) {
	p.t.Helper()
	p.until(path, "ready", func(_ int, page string) bool { return strings.Contains(page, `data-status="ready"`) })
}

func (p *process) untilGone(path string) {
	p.t.Helper()
	p.until(path, "gone", func(status int, _ string) bool { return status == http.StatusNotFound })
}

func gate(t *testing.T) string { return kubetest.GateKubeconfig(t) }
