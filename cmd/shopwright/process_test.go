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
	pages   map[string]string // paths by slug
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

// expect returns what waits for a line with the text, from now on.
func (s *transcript) expect(t *testing.T, text string) (wait func()) {
	t.Helper()
	said := make(chan struct{})
	s.when(text, func() { close(said) })
	return func() {
		t.Helper()
		select {
		case <-said:
		case <-time.After(patience):
			t.Fatalf("the program does not say within %s: %s", patience, text)
		}
	}
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
	p := &process{t: t, dataDir: t.TempDir(), pages: map[string]string{}}
	p.env = []string{
		"PATH=" + os.Getenv("PATH"), "SHOPWRIGHT_ADDR=127.0.0.1:0", "SHOPWRIGHT_DATA_DIR=" + p.dataDir,
		"SHOPWRIGHT_KUBECONFIG=" + kubeconfig, "SHOPWRIGHT_DEV_LOGIN=true", "SHOPWRIGHT_MAX_STORES_PER_USER=0",
		"SHOPWRIGHT_END_DELAY=0", "SHOPWRIGHT_PROVISION_TIMEOUT=1h", // how long work takes depends on the machine
	}
	t.Cleanup(p.kill)
	return p
}

// start starts the program and signs in as the developer.
func (p *process) start() {
	p.t.Helper()
	p.startSignedOut()
	p.post("/sign-in/dev", nil)
}

func (p *process) startSignedOut() {
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
		if p.url == "" {
			p.t.Fatal("the program has ended before it served")
		}
	case <-time.After(patience):
		p.t.Fatalf("the program does not serve within %s", patience)
	}
	p.forget()
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
	close(serving)
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
	p.terminate()
	return p.ended()
}

// terminate tells the program to end.
func (p *process) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
}

// ended waits for the end of the program and returns its exit code.
func (p *process) ended() int {
	p.output.Wait()
	_ = p.cmd.Wait()
	code := p.cmd.ProcessState.ExitCode()
	p.cmd = nil
	return code
}

// forget makes the client one that has never been here.
func (p *process) forget() {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.client = &http.Client{Jar: jar, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// send posts a form as a browser without scripts would.
func (p *process) send(path string, form url.Values) (status int, location string, err error) {
	response, err := p.client.PostForm(p.url+path, form)
	if err != nil {
		return 0, "", err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Header.Get("Location"), errors.Join(err, response.Body.Close())
}

// post sends a form and returns where it leads.
func (p *process) post(path string, form url.Values) (location string) {
	p.t.Helper()
	status, location, err := p.send(path, form)
	if err != nil || status != http.StatusSeeOther {
		p.t.Fatalf("POST %s: %d, %v", path, status, err)
	}
	return location
}

// try sends a form to a program that may die of it, and returns where it leads if it lived
// long enough to say.
func (p *process) try(path string, form url.Values) (location string) {
	_, location, _ = p.send(path, form)
	return location
}

func storeForm(slug string) url.Values {
	return url.Values{"name": {slug}, "slug": {slug}, "engine": {"woocommerce"}}
}

// create asks for a store and returns the path of its page.
func (p *process) create(name, slug string) string {
	p.t.Helper()
	return p.post("/stores", url.Values{"name": {name}, "slug": {slug}, "engine": {"woocommerce"}})
}

// fetch returns a page and its status.
func (p *process) fetch(path string) (status int, page string, err error) {
	response, err := p.client.Get(p.url + path)
	if err != nil {
		return 0, "", err
	}
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), errors.Join(err, response.Body.Close())
}

// submit posts the form, and returns the page to which that leads.
func (p *process) submit(path string, form url.Values) (status int, page string) {
	p.t.Helper()
	return p.get(p.post(path, form))
}

// get returns a page of a program that must be there.
func (p *process) get(path string) (int, string) {
	p.t.Helper()
	status, page, err := p.fetch(path)
	if err != nil {
		p.t.Fatal(err)
	}
	return status, page
}

var storeLink = regexp.MustCompile(`href="(/stores/[0-9a-f-]{36})"`)

// page is the path of the page of the store with that slug, or empty when there is none.
func (p *process) page(slug string) string {
	p.t.Helper()
	if path, known := p.pages[slug]; known {
		return path
	}
	_, list := p.get("/stores?q=" + slug + ".")
	found := storeLink.FindStringSubmatch(list)
	if found == nil {
		return ""
	}
	p.pages[slug] = found[1]
	return found[1]
}

// patience bounds how long a test waits for what takes seconds on a machine that has
// nothing else to do.
const patience = 15 * time.Minute

// lookEvery is short for a person, and long for a program that draws the page: many tests look
// at once.
const lookEvery = 200 * time.Millisecond

// condition is what a test waits for a page to be.
type condition func(status int, page string) bool

func shows(text string) condition {
	return func(_ int, page string) bool { return strings.Contains(page, text) }
}

func isGone(status int, _ string) bool { return status == http.StatusNotFound }

// at waits for a step to run.
func at(step string) condition { return shows(`data-step="` + step + `" data-state="run"`) }

// until looks at the store's page until it says what is waited for.
func (p *process) until(path, what string, holds condition) {
	p.t.Helper()
	p.untilOr(nil, path, what, holds)
}

// untilOr is until, unless the program is ended before.
func (p *process) untilOr(ended <-chan struct{}, path, what string, holds condition) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		status, page, err := p.fetch(path)
		if err == nil && holds(status, page) {
			return
		}
		select {
		case <-tick.C:
		case <-ended:
			return
		case <-ctx.Done():
			p.t.Fatalf("%s is not %s after %s: %d %s, %v", path, what, patience, status, page, err)
		}
	}
}

func (p *process) untilReady(path string) {
	p.t.Helper()
	p.until(path, "ready", shows(`data-status="ready"`))
}

func (p *process) untilGone(path string) {
	p.t.Helper()
	p.until(path, "gone", isGone)
}
