//go:build e2e

package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../../.."

// builtMedusa is the folder that the image holds as /app, built as its Dockerfile builds it.
// It is kept in .cache until the project changes.
func builtMedusa(t *testing.T) string {
	t.Helper()
	project, source := filepath.Join("..", "medusa", "app"), absolute(t, filepath.Join(root, ".cache", "medusa"))
	server, stamp := filepath.Join(source, ".medusa", "server"), filepath.Join(source, "stamp")
	wanted := digest(t, project)
	if have, err := os.ReadFile(stamp); err == nil && string(have) == wanted {
		return server
	}
	_ = os.Remove(stamp)
	command(t, ".", "cp", "-R", project+"/.", source+"/").mkdir(source).run()
	command(t, source, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error").run()
	command(t, source, "npx", "medusa", "build").run()
	command(t, server, "npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error").run()
	command(t, server, "sh", "-c", `for dist in node_modules/@medusajs/*/dist; do mkdir -p "$dist/migrations"; done; mkdir -p static; chmod 777 static; cp ../../*.mjs .`).run()
	if err := os.WriteFile(stamp, []byte(wanted), 0o600); err != nil {
		t.Fatal(err)
	}
	return server
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// digest tells one state of the folder's files from another.
func digest(t *testing.T, folder string) string {
	t.Helper()
	sum := sha256.New()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		sum.Write([]byte(path))
		sum.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

type step struct {
	t   *testing.T
	cmd *exec.Cmd
}

func command(t *testing.T, dir, name string, args ...string) step {
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "MEDUSA_DISABLE_TELEMETRY=true")
	return step{t: t, cmd: cmd}
}

func (s step) mkdir(path string) step {
	if err := os.MkdirAll(path, 0o755); err != nil {
		s.t.Fatal(err)
	}
	return s
}

func (s step) run() {
	s.t.Helper()
	if out, err := s.cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", strings.Join(s.cmd.Args, " "), err, out)
	}
}
