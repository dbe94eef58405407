package main_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

var tokenText = regexp.MustCompile(`>(shopwright_[a-z2-7]{39})<`)

// token makes one on the account's page, as a person would.
func (p *process) token(scopes ...string) string {
	p.t.Helper()
	_, page := p.get("/account/tokens")
	team := regexp.MustCompile(`<option value="([0-9a-f-]{36})"`).FindStringSubmatch(page)
	if team == nil {
		p.t.Fatalf("the form offers no team: %s", page)
	}
	answer, err := p.client.PostForm(p.url+"/account/tokens", url.Values{"name": {"cli"}, "team": {team[1]}, "lifetime": {"7"}, "scope": scopes})
	if err != nil {
		p.t.Fatal(err)
	}
	_ = answer.Body.Close()
	code, shown := p.get(answer.Header.Get("Location")) // which shows the token once
	found := tokenText.FindStringSubmatch(shown)
	if answer.StatusCode != http.StatusSeeOther || found == nil {
		p.t.Fatalf("no token is made: %d, then %d %s", answer.StatusCode, code, shown)
	}
	return found[1]
}

// cli is the program as somebody uses it who has that home and those settings.
type cli struct {
	t   *testing.T
	env []string
}

func (p *process) cli(token string) cli {
	return cli{p.t, []string{"HOME=" + p.t.TempDir(), "SHOPWRIGHT_URL=" + p.url, "SHOPWRIGHT_TOKEN=" + token}}
}

// run returns the exit code, what was asked for, and how it went.
func (c cli) run(in string, args ...string) (code int, out, said string) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), binary(c.t), args...)
	var stdout, stderr strings.Builder
	cmd.Env, cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.env, c.t.TempDir(), strings.NewReader(in), &stdout, &stderr
	_ = cmd.Run()
	if cmd.ProcessState == nil {
		c.t.Fatal("the program does not start")
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// want runs to that exit code, and returns what was asked for.
func (c cli) want(code int, args ...string) (out, said string) {
	c.t.Helper()
	got, out, said := c.run("", args...)
	if got != code {
		c.t.Fatalf("%v ends with %d instead of %d: %s%s", args, got, code, out, said)
	}
	return out, said
}

func allScopes() []string {
	return []string{"stores:read", "stores:write", "stores:delete", "credentials:read"}
}

func TestShopFromTheCommandLine(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.start()
	c, slug := p.cli(p.token(allScopes()...)), "cli-"+uuid.NewString()[24:]
	_, said := c.want(0, "stores", "create", "From a script", "--slug", slug, "--owner-email", "mara@example.com", "--wait", "--timeout", patience.String())
	for _, step := range []string{"Namespace", "Release", "Workloads", "Order check", "done in"} {
		if !strings.Contains(said, step) {
			t.Errorf("nothing is said of %s in:\n%s", step, said)
		}
	}
	out, _ := c.want(0, "stores", "list", "-o", "json")
	var stores []v1.Store
	if err := json.Unmarshal([]byte(out), &stores); err != nil || len(stores) != 1 || stores[0].Status != "ready" || stores[0].Name != "From a script" {
		t.Errorf("the list is %s, %v", out, err)
	}
	for _, ask := range []struct {
		args []string
		says string
	}{
		{[]string{"list"}, "From a script"},
		{[]string{"show", slug, "-o", "yaml"}, "status: ready"},
		{[]string{"show", slug}, "mara@example.com"},
		{[]string{"show", stores[0].ID}, "of 8Gi"},
		{[]string{"history", slug}, "deployed"},
		{[]string{"credentials", slug}, "password"},
		{[]string{"upgrade", slug, "--image", "mariadb=11.8", "--preview"}, "mariadb:11.8"},
		{[]string{"check", slug, "--wait"}, "ready"},
	} {
		if out, _ := c.want(0, append([]string{"stores"}, ask.args...)...); !strings.Contains(out, ask.says) {
			t.Errorf("%v lacks %q: %s", ask.args, ask.says, out)
		}
	}
	c.want(2, "stores", "owner", slug, "noor")
	if out, said := c.want(0, "stores", "owner", slug, "noor@example.org", "--wait", "--timeout", patience.String()); !strings.Contains(out, "noor@example.org") || !strings.Contains(said, "Order check") {
		t.Errorf("with another owner it is\n%s%s", out, said)
	}
	c.want(5, "stores", "upgrade", slug, "--image", "mariadb=does-not-exist", "--wait", "--timeout", patience.String())
	c.want(2, "stores", "delete", slug)
	if code, _, said := c.run("Something else\n", "stores", "delete", slug); code != 2 {
		t.Errorf("deleted by another name: %d %s", code, said)
	}
	if _, said := c.want(0, "stores", "delete", slug, "--yes", "--wait", "--timeout", patience.String()); !strings.Contains(said, "Deleted.") {
		t.Errorf("the deletion ends with %s", said)
	}
	c.want(3, "stores", "show", slug)
	wantNoNamespace(t, slug)
}

// open creates a store from the command line and waits until it is ready.
func (c cli) open(name string) v1.Store {
	c.t.Helper()
	out, _ := c.want(0, "stores", "create", name, "--slug", "cli-"+uuid.NewString()[24:], "--wait", "--timeout", patience.String(), "-o", "json")
	var st v1.Store
	if err := json.Unmarshal([]byte(out), &st); err != nil || st.Status != "ready" {
		c.t.Fatalf("it opens as %s, %v", out, err)
	}
	return st
}

// Whoever follows a log reads on until Ctrl-C.
func TestLogsFromTheCommandLine(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.start()
	c := p.cli(p.token(allScopes()...))
	st := c.open("Talkative")
	written, _ := kubetest.NewPodLog(t, st.Namespace, "mariadb-0", "mariadb")
	written.Write("long ago", "just now")
	if out, _ := c.want(0, "stores", "logs", st.Slug, "--pod", "mariadb-0", "--tail", "1"); !strings.HasSuffix(out, " just now\n") || strings.Contains(out, "long ago") {
		t.Errorf("the end of the log is %q", out)
	}
	c.want(3, "stores", "logs", st.Slug, "--pod", "none-such")
	cmd := exec.CommandContext(t.Context(), binary(t), "stores", "logs", "-f", st.Slug, "--pod", "mariadb-0", "--tail", "1")
	cmd.Env, cmd.Dir = c.env, t.TempDir()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for _, want := range []string{"just now", "a moment later"} {
		if !lines.Scan() || !strings.HasSuffix(lines.Text(), " "+want) {
			t.Fatalf("%q stands in the place of %q", lines.Text(), want)
		}
		written.Write("a moment later")
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // what was written meanwhile
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("after Ctrl-C it ends with %d", code)
	}
	c.want(0, "stores", "delete", st.Slug, "--yes", "--wait", "--timeout", patience.String())
}

// A change that failed and was to stay can be tried again, and taken back; and whoever types a
// store's name deletes it.
func TestWaysBackFromTheCommandLine(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.start()
	c := p.cli(p.token(allScopes()...))
	st := c.open("Daring shop")
	waiting := []string{"--wait", "--timeout", patience.String()}
	c.want(1, "stores", "retry", st.Slug) // of a store that has not failed
	c.want(5, append([]string{"stores", "upgrade", st.Slug, "--image", "mariadb=does-not-exist", "--stay"}, waiting...)...)
	before := c.generation(st.ID)
	if _, said := c.want(5, append([]string{"stores", "retry", st.Slug}, waiting...)...); !strings.Contains(said, "the store failed") {
		t.Errorf("of the same again is said %s", said)
	}
	if after := c.generation(st.ID); after <= before {
		t.Errorf("nothing was tried again: generation %d after %d", after, before)
	}
	if out, _ := c.want(0, "stores", "rollback", st.Slug, "1", "--preview"); !strings.Contains(out, "does-not-exist") {
		t.Errorf("the way back changes %s", out)
	}
	if out, _ := c.want(0, append([]string{"stores", "rollback", st.Slug, "1"}, waiting...)...); !strings.Contains(out, "ready") {
		t.Errorf("it comes back as %s", out)
	}
	if out, _ := c.want(0, "stores", "history", st.Slug); !strings.Contains(out, "Back to revision 1") {
		t.Errorf("the history is %s", out)
	}
	c.want(0, "stores", "upgrade", st.Slug, "--image", "mariadb=does-not-exist")
	if out, _ := c.want(0, append([]string{"stores", "cancel", st.Slug}, waiting...)...); !strings.Contains(out, "ready") {
		t.Errorf("after the cancellation it is %s", out)
	}
	if code, _, said := c.run("Daring shop\n", append([]string{"stores", "delete", st.Slug}, waiting...)...); code != 0 || !strings.Contains(said, "Deleted.") {
		t.Errorf("deleted by its name: %d %s", code, said)
	}
	c.want(3, "stores", "show", st.Slug)
}

// generation is that of the store, which grows with each request.
func (c cli) generation(id string) int64 {
	c.t.Helper()
	out, _ := c.want(0, "stores", "show", id, "-o", "json")
	var st v1.Store
	if err := json.Unmarshal([]byte(out), &st); err != nil {
		c.t.Fatal(err)
	}
	return st.Generation
}

func TestWhatTheCommandLineIsRefused(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.start()
	token := p.token("stores:read")
	c := p.cli(token)
	c.want(4, "stores", "create", "No")
	c.want(3, "stores", "show", "none-such")
	c.want(3, "stores", "show", uuid.NewString())
	c.want(2, "stores", "list", "--sort", "colour")
	c.want(2, "stores", "list", "--status", "colourful")
	_, said := p.cli("shopwright_wrong").want(4, "stores", "list")
	if !strings.Contains(said, "This token is unknown") || strings.Count(said, "\n") != 1 {
		t.Errorf("a wrong token is told as %q", said)
	}
	nobody := cli{t, []string{"HOME=" + t.TempDir()}}
	nobody.want(4, "stores", "list")
	away := cli{t, []string{"HOME=" + t.TempDir(), "SHOPWRIGHT_URL=http://127.0.0.1:1", "SHOPWRIGHT_TOKEN=" + token}}
	if _, said := away.want(1, "stores", "list"); !strings.Contains(said, "Shopwright isn’t responding at http://127.0.0.1:1") {
		t.Errorf("nobody there is told as %q", said)
	}
	page := cli{t, []string{"HOME=" + t.TempDir(), "SHOPWRIGHT_URL=" + p.url + "/stores", "SHOPWRIGHT_TOKEN=" + token}}
	page.want(1, "stores", "list")
}

func TestLoginIsKept(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.start()
	token := p.token("stores:read")
	c := cli{t, []string{"HOME=" + t.TempDir()}}
	if code, _, said := c.run(p.url+"\nwrong\n", "login"); code != 4 {
		t.Errorf("a wrong token is kept: %d %s", code, said)
	}
	if code, _, said := c.run(p.url+"\n"+token+"\n", "login"); code != 0 || !strings.Contains(said, "Signed in to "+p.url) || strings.Contains(said, token) {
		t.Fatalf("login: %d %s", code, said)
	}
	home := strings.TrimPrefix(c.env[0], "HOME=")
	kept, err := os.Stat(filepath.Join(home, ".config", "shopwright", "login.json"))
	if err != nil || kept.Mode().Perm() != 0o600 {
		t.Errorf("kept as %v, %v", kept, err)
	}
	c.want(0, "stores", "list")
	elsewhere := cli{t, append(c.env, "SHOPWRIGHT_URL=http://127.0.0.1:1")}
	if _, said := elsewhere.want(4, "stores", "list"); !strings.Contains(said, "no token for") {
		t.Errorf("the token would go elsewhere: %s", said)
	}
	damaged := cli{t, []string{"HOME=" + t.TempDir()}}
	file := filepath.Join(strings.TrimPrefix(damaged.env[0], "HOME="), ".config", "shopwright", "login.json")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte("{"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, said := damaged.want(1, "stores", "list"); !strings.Contains(said, "run shopwright login again") {
		t.Errorf("of a damaged login is said %s", said)
	}
	damaged.env = append(damaged.env, "SHOPWRIGHT_URL="+p.url, "SHOPWRIGHT_TOKEN="+token)
	damaged.want(0, "stores", "list")
	out, _ := c.want(0, "tokens", "list", "-o", "json")
	var tokens []v1.Token
	if err := json.Unmarshal([]byte(out), &tokens); err != nil || len(tokens) != 1 {
		t.Fatalf("the tokens are %s, %v", out, err)
	}
	c.want(0, "tokens", "revoke", tokens[0].ID)
	c.want(4, "stores", "list")
}

// Whoever presses Ctrl-C waits no longer; the store does not mind.
func TestInterruptedWaiting(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.start()
	c, slug := p.cli(p.token(allScopes()...)), "cli-"+uuid.NewString()[24:]
	cmd := exec.CommandContext(t.Context(), binary(t), "stores", "create", "Left alone", "--slug", slug, "--wait")
	cmd.Env, cmd.Dir = c.env, t.TempDir()
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	if !lines.Scan() { // the first step
		t.Fatal("nothing is said")
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	var last string
	for lines.Scan() {
		last = lines.Text()
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 || !strings.Contains(last, "the work continues on the server") {
		t.Errorf("it ends with %d: %s", code, last)
	}
	if code, _, said := c.run("", "stores", "create", "Late", "--slug", slug+"-2", "--wait", "--timeout", "1ms"); code != 6 {
		t.Errorf("without any time it ends with %d: %s", code, said)
	}
	for _, slug := range []string{slug, slug + "-2"} {
		p.untilReady(p.page(slug))
		c.want(0, "stores", "delete", slug, "--yes", "--wait", "--timeout", patience.String())
	}
}

func TestShellsCompleteOurCommands(t *testing.T) {
	t.Parallel()
	c := cli{t, []string{"HOME=" + t.TempDir(), "PATH=" + filepath.Dir(binary(t)) + ":" + os.Getenv("PATH")}}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if out, _ := c.want(0, "completion", shell); !strings.Contains(out, "shopwright complete --") {
			t.Errorf("%s gets %s", shell, out)
		}
	}
	if out, _ := c.want(0, "complete", "--", "targets", "add", "--no"); out != "--no-use\n" {
		t.Errorf("what turns a default off is completed to %q", out)
	}
	for shell, script := range map[string]string{
		"bash": `eval "$(shopwright completion bash)"; COMP_WORDS=(shopwright stores cr); COMP_CWORD=2; _shopwright; printf '%s\n' "${COMPREPLY[@]}"`,
		"zsh": `autoload -Uz compinit; compinit -u -D; eval "$(shopwright completion zsh)"; [[ $_comps[shopwright] == _shopwright ]] || exit 1
			compadd() { print -rl -- "${(@P)2}" }; words=(shopwright stores cr); CURRENT=3; _shopwright`,
		"fish": `shopwright completion fish | source; complete -C "shopwright stores cr"`,
	} {
		cmd := exec.CommandContext(t.Context(), shell, "-c", script)
		cmd.Env = c.env
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != "create\ncredentials\n" {
			t.Errorf("%s completes to %q, %v", shell, out, err)
		}
	}
}
