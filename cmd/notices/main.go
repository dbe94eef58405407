// Notices prints the licences of everything that the program consists of, as most of them
// ask of whoever passes it on. Arguments are the package of the program, then NAME=FOLDER for
// what is not a Go module.
//
// It lists what is linked for Linux. Parts with the same text share it.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) < 2 {
		fail(errors.New("usage: notices PACKAGE [NAME=FOLDER]… needs a package"))
	}
	parts, err := modules(context.Background(), os.Args[1])
	if err != nil {
		fail(err)
	}
	for _, arg := range os.Args[2:] {
		name, folder, _ := strings.Cut(arg, "=")
		parts = append(parts, part{name, folder})
	}
	if err := write(os.Stdout, parts); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "notices:", err)
	os.Exit(1)
}

// part is something that others have made.
type part struct{ name, folder string }

// modules are those of which the program links a package.
func modules(ctx context.Context, program string) ([]part, error) {
	const format = "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}"
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-f", format, program) //nolint:gosec // whoever calls it names the package
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the modules of %s: %w", program, err)
	}
	lines := slices.Collect(strings.Lines(string(out)))
	slices.Sort(lines)
	var parts []part
	for _, line := range slices.Compact(lines) {
		name, folder, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if name != "" {
			parts = append(parts, part{name, folder})
		}
	}
	return parts, nil
}

// legal are the names of files that a licence asks to keep with the work.
var legal = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents|unlicense|ofl)([.-].*)?$|-license\.txt$`)

// text is what the part's files say. Line ends and margins do not make it another text.
func (p part) text() (string, error) {
	entries, err := os.ReadDir(p.folder)
	if err != nil {
		return "", err
	}
	var all []string
	for _, entry := range entries {
		if entry.IsDir() || !legal.MatchString(entry.Name()) || strings.HasSuffix(entry.Name(), ".go") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(p.folder, entry.Name()))
		if err != nil {
			return "", err
		}
		data = bytes.ToValidUTF8(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), nil)
		all = append(all, strings.Trim(string(data), " \n\f"))
	}
	if len(all) == 0 {
		return "", fmt.Errorf("%s has no licence in %s", p.name, p.folder)
	}
	return strings.Join(all, "\n\n"), nil
}

func write(out io.Writer, parts []part) error {
	var texts []string // in the order of their first part
	names := map[string][]string{}
	for _, p := range parts {
		text, err := p.text()
		if err != nil {
			return err
		}
		if names[text] == nil {
			texts = append(texts, text)
		}
		names[text] = append(names[text], p.name)
	}
	const line = "--------------------------------------------------------------------------------"
	var b strings.Builder
	fmt.Fprintln(&b, "Shopwright contains the work of others. These are its parts, each with its licence.")
	for _, text := range texts {
		fmt.Fprintf(&b, "\n%s\n%s\n%s\n\n%s\n", line, strings.Join(names[text], "\n"), line, text)
	}
	_, err := io.WriteString(out, b.String())
	return err
}
