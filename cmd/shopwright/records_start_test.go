package main_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// TestUnusableRecordsAtTheStart tries what can be wrong with a file. The program must end
// with one sentence, and leave everything as it was.
func TestUnusableRecordsAtTheStart(t *testing.T) {
	t.Parallel()
	garbage := bytes.Repeat([]byte("garbage!"), 512)
	for name, c := range map[string]struct {
		harm     harm
		sentence string
	}{
		"locked":         {lockFile, "Another program has locked the database file"},
		"header":         {func(t *testing.T, file string) func() { write(t, file, 0, garbage); return func() {} }, "database is damaged"},
		"middle":         {damage, "database is damaged"},
		"read-only file": {func(t *testing.T, file string) func() { chmod(t, file, 0o400); return func() { chmod(t, file, 0o600) } }, "it is read-only"},
		"read-only folder": {func(t *testing.T, file string) func() {
			chmod(t, filepath.Dir(file), 0o500)
			return func() { chmod(t, filepath.Dir(file), 0o700) }
		}, "it is read-only"},
		"folder in its place": {func(t *testing.T, file string) func() {
			if err := errors.Join(os.Remove(file), os.Mkdir(file, 0o700)); err != nil {
				t.Fatal(err)
			}
			return func() {}
		}, "Can’t open the database file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := humble(t)
			file := u.records(t)
			undo := c.harm(t, file)
			bad, _ := os.ReadFile(file)
			code, said := u.serve(t, "SHOPWRIGHT_DATABASE_WAIT=2s")
			if code != 1 || strings.Count(said, "shopwright: ") != 1 || !strings.Contains(said, c.sentence) {
				t.Errorf("exit code %d: %s", code, said)
			}
			if now, _ := os.ReadFile(file); !bytes.Equal(bad, now) {
				t.Error("the file was changed")
			}
			undo()
			if made, _ := filepath.Glob(filepath.Join(u.dir, "*/*.db*")); len(made) > 4 { // with -wal, -shm and .lock
				t.Errorf("there are %v", made)
			}
		})
	}
}

func TestFullDiskAtTheStart(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	undo := fillDisk(t, filepath.Join(dir, "shopwright.db"))
	env := []string{"SHOPWRIGHT_ADDR=127.0.0.1:0", "SHOPWRIGHT_DATA_DIR=" + dir, "SHOPWRIGHT_DEV_LOGIN=true"}
	if code, said := call(t, env, "serve"); code != 1 || !strings.Contains(said, "the disk is full. Free up space") {
		t.Errorf("exit code %d: %s", code, said)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "session.key*")); len(left) > 0 {
		t.Errorf("the secret key is left as %v", left)
	}
	undo()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.move(dir)
	p.start()
}

// user is somebody who may not do everything, as root may, with a folder of their own.
type user struct {
	dir    string
	binary string
	attr   *syscall.SysProcAttr
}

func humble(t *testing.T) *user {
	t.Helper()
	if os.Geteuid() != 0 {
		return &user{dir: t.TempDir(), binary: binary(t)}
	}
	const nobody = 65534
	home, err := os.MkdirTemp("", "shopwright-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	u := &user{dir: filepath.Join(home, "data"), binary: filepath.Join(home, "shopwright")}
	u.attr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	copied := os.WriteFile(u.binary, contentOf(t, binary(t)), 0o755)
	if err := errors.Join(copied, os.Chmod(home, 0o755), os.Mkdir(u.dir, 0o700), os.Chown(u.dir, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	return u
}

// records makes a sound database, which is the user's.
func (u *user) records(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(u.dir, "records")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "shopwright.db")
	fillRecords(t, file)
	if u.attr == nil {
		return file
	}
	for _, path := range []string{folder, file} {
		if err := os.Chown(path, int(u.attr.Credential.Uid), int(u.attr.Credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// serve runs the program as the user, until it ends.
func (u *user) serve(t *testing.T, env ...string) (code int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, u.binary, "serve")
	cmd.Env = append([]string{"SHOPWRIGHT_ADDR=127.0.0.1:0", "SHOPWRIGHT_DATA_DIR=" + u.dir,
		"SHOPWRIGHT_DATABASE_URL=sqlite:" + filepath.Join(u.dir, "records", "shopwright.db")}, env...)
	cmd.Dir, cmd.SysProcAttr = "/", u.attr
	out, _ := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal("the program did not start")
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestStartWaitsForPostgres(t *testing.T) {
	t.Parallel()
	s, database := server(t)
	s.Crash()
	env := []string{"SHOPWRIGHT_ADDR=127.0.0.1:0", "SHOPWRIGHT_DEV_LOGIN=true", "SHOPWRIGHT_DATABASE_URL=" + database}
	code, said := call(t, append(env, "SHOPWRIGHT_DATABASE_WAIT=4s"), "serve")
	if code != 1 || !strings.Contains(said, "shopwright: The database isn’t responding.") {
		t.Errorf("exit code %d: %s", code, said)
	}
	// With three seconds between them. A machine that is slow fits in less.
	if tries := strings.Count(said, "can’t be opened yet"); tries < 1 || tries > 2 {
		t.Errorf("%d tries are logged in four seconds: %s", tries, said)
	}

	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.env = append(p.env, "SHOPWRIGHT_DATABASE_URL="+database)
	back := make(chan error, 1)
	p.said.when("can’t be opened yet", func() { back <- s.Start(context.Background()) })
	p.start()
	if err := <-back; err != nil {
		t.Fatal(err)
	}
}

func TestDatabaseThatRefusesEndsTheStart(t *testing.T) {
	t.Parallel()
	s, database := server(t)
	guarded, err := s.Guarded(t.Context(), "guarded-database", "right")
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		url, sentence string
		code          int
	}{
		"password": {strings.Replace(guarded, ":right@", ":hidden@", 1), "rejects the user or the password", 1},
		"name":     {strings.Replace(database, "/shopwright?", "/elsewhere?", 1), "no database has that name", 1},
		"URL":      {"postgres://me:hidden@host:port/x", "SHOPWRIGHT_DATABASE_URL is invalid", 2},
		"scheme":   {"mysql://me:hidden@host/x", "must be sqlite:PATH or postgres://", 2},
	} {
		env := []string{"SHOPWRIGHT_ADDR=127.0.0.1:0", "SHOPWRIGHT_DEV_LOGIN=true", "SHOPWRIGHT_DATABASE_URL=" + c.url}
		code, said := call(t, env, "serve")
		if code != c.code || !strings.Contains(said, c.sentence) || strings.Count(said, "\n") != 1 || strings.Contains(said, "hidden") {
			t.Errorf("%s: exit code %d: %s", what, code, said)
		}
	}
}
