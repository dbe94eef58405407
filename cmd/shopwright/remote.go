package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"shopwright.dev/shopwright/cmd/shopwright/client"
)

// console is the input and output of a command.
type console struct {
	in  io.Reader
	out io.Writer // results
	err io.Writer // progress, prompts and errors
}

// say reports progress.
func (c console) say(format string, args ...any) {
	_, _ = fmt.Fprintf(c.err, format+"\n", args...) // there is nowhere else to report it
}

// ask prompts for a line. On a terminal a secret is not echoed.
func (c console) ask(prompt string, secret bool) (string, error) {
	_, _ = fmt.Fprint(c.err, prompt+": ")
	if file, ok := c.in.(*os.File); ok && secret && term.IsTerminal(int(file.Fd())) {
		typed, err := term.ReadPassword(int(file.Fd()))
		_, _ = fmt.Fprintln(c.err)
		return strings.TrimSpace(string(typed)), err
	}
	typed, err := bufio.NewReaderSize(oneByte{c.in}, 16).ReadString('\n')
	if errors.Is(err, io.EOF) && typed != "" {
		err = nil
	}
	if errors.Is(err, io.EOF) {
		err = usageError{fmt.Errorf("can’t prompt for the %s without a terminal", prompt)}
	}
	return strings.TrimSpace(typed), err
}

// oneByte keeps a buffered reader from reading past the end of the line.
type oneByte struct{ io.Reader }

// Read implements io.Reader.
func (r oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), 1)]) }

// remote is the server that a command talks to.
type remote struct {
	URL   string `env:"SHOPWRIGHT_URL" help:"URL of Shopwright; that of the last login when empty."`
	Token string `env:"SHOPWRIGHT_TOKEN" help:"API token, preferably from the environment; that of the last login when empty."`
}

// login is a saved login.
type login struct {
	URL   string `json:"url"`
	Token string `json:"token"`
}

// client returns a client for the URL and token of the flags, the environment or the last login. A token
// saved for one URL is not sent to another.
func (r remote) client() (*client.Client, error) {
	var kept login
	if r.URL == "" || r.Token == "" {
		var err error
		if kept, err = readLogin(); err != nil {
			return nil, err
		}
	}
	address, token := cmp.Or(r.URL, kept.URL), r.Token
	if token == "" && address == kept.URL {
		token = kept.Token
	}
	switch {
	case address == "":
		return nil, notSignedIn{"not signed in: run shopwright login, or set SHOPWRIGHT_URL and SHOPWRIGHT_TOKEN"}
	case !isWebURL(address):
		return nil, usageError{fmt.Errorf("the URL %q must start with http:// or https://", address)}
	case token == "":
		return nil, notSignedIn{"no token for " + address + ": run shopwright login, or set SHOPWRIGHT_TOKEN"}
	}
	return client.New(address, token), nil
}

// notSignedIn says that the URL or the token is missing.
type notSignedIn struct{ message string }

// Error implements error.
func (e notSignedIn) Error() string { return e.message }

func loginFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("no directory for the login: set HOME, or SHOPWRIGHT_URL and SHOPWRIGHT_TOKEN (%w)", err)
	}
	return filepath.Join(dir, "shopwright", "login.json"), nil
}

// readLogin returns the last login, or an empty one if none is saved.
func readLogin() (kept login, err error) {
	path, err := loginFile()
	if err != nil {
		return login{}, nil //nolint:nilerr // without that directory there is no login either
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return login{}, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil {
		return login{}, fmt.Errorf("can’t read the login in %s: run shopwright login again (%w)", path, err)
	}
	return kept, nil
}

// keep saves the login in a file that only its user can read.
func (l login) keep() (path string, err error) {
	if path, err = loginFile(); err != nil {
		return "", err
	}
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	return path, writeSecret(path, append(text, '\n'))
}

// loginCmd saves a URL and a token for the commands that talk to a server.
type loginCmd struct {
	URL   string `env:"SHOPWRIGHT_URL" help:"URL of Shopwright; prompted for when empty."`
	Token string `env:"SHOPWRIGHT_TOKEN" help:"API token from your account page; prompted for when empty."`
}

// Run implements the subcommand.
func (c *loginCmd) Run(ctx context.Context, at console) (err error) {
	if c.URL == "" {
		if c.URL, err = at.ask("URL", false); err != nil {
			return err
		}
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	if !isWebURL(c.URL) {
		return usageError{fmt.Errorf("the URL %q must start with http:// or https://", c.URL)}
	}
	if c.Token == "" {
		if c.Token, err = at.ask("Token", true); err != nil {
			return err
		}
	}
	me, err := client.New(c.URL, c.Token).Me(ctx)
	if err != nil {
		return err
	}
	path, err := login{URL: c.URL, Token: c.Token}.keep()
	if err != nil {
		return fmt.Errorf("save the login: %w", err)
	}
	at.say("Signed in to %s as %s, for the team %s until %s. Saved in %s.", c.URL, me.Name, me.Team.Name, me.Token.ExpiresAt.Local().Format("2 Jan 2006"), path)
	return nil
}
