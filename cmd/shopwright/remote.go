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

// console is where a command talks with a person or a script.
type console struct {
	in  io.Reader
	out io.Writer // what was asked for
	err io.Writer // how it goes
}

// say tells how it goes.
func (c console) say(format string, args ...any) {
	_, _ = fmt.Fprintf(c.err, format+"\n", args...) // there is nowhere else to say it
}

// ask prompts for a line, which is not shown while it is typed if it is secret.
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

// oneByte keeps what reads a line from taking more than that.
type oneByte struct{ io.Reader }

// Read implements io.Reader.
func (r oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), 1)]) }

// remote is the Shopwright that a command asks.
type remote struct {
	URL   string `env:"SHOPWRIGHT_URL" help:"URL of Shopwright; that of the last login when empty."`
	Token string `env:"SHOPWRIGHT_TOKEN" help:"API token, preferably from the environment; that of the last login when empty."`
}

// login is what is kept of a login.
type login struct {
	URL   string `json:"url"`
	Token string `json:"token"`
}

// client asks as the flags, the environment or the last login say. A token that was kept for
// one URL is not sent to another.
func (r remote) client() (*client.Client, error) {
	kept, err := readLogin()
	if err != nil {
		return nil, err
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

// notSignedIn says that it is not known where or as whom to ask.
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

// readLogin returns the last login, or none where nothing is kept.
func readLogin() (kept login, err error) {
	path, err := loginFile()
	if err != nil {
		return login{}, nil //nolint:nilerr // without such a folder there is no login either
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

// keep writes the login where only its user can read it.
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
	temporary, err := os.CreateTemp(filepath.Dir(path), "login-*") // which nobody else can read
	if err != nil {
		return "", err
	}
	_, err = temporary.Write(append(text, '\n'))
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
	return path, err
}

// loginCmd keeps a URL and a token for the commands that ask another Shopwright.
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
