package engine_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	corev1 "k8s.io/api/core/v1"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

// database is where the script that starts Medusa's PostgreSQL works.
type database struct {
	dir  string
	port string
	who  *syscall.Credential // PostgreSQL refuses root
}

func newDatabase(t *testing.T) database {
	t.Helper()
	dir, err := os.MkdirTemp("", "database") // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	script := ""
	enginetest.Each(medusa(t, unchanged), func(c *corev1.ConfigMap) { script += c.Data["database.sh"] })
	for name, content := range map[string]string{"database.sh": script, "database-password": ownersPassword} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d := database{dir: dir, port: freePort(t)}
	if os.Geteuid() == 0 {
		d.who = credentialOf(t, "postgres")
		if err := os.Chown(dir, int(d.who.Uid), int(d.who.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func freePort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

func credentialOf(t testing.TB, name string) *syscall.Credential {
	t.Helper()
	found, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(found.Uid, 10, 32)
	gid, _ := strconv.ParseUint(found.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// start runs the script as its pod does, and returns what ends all of it. SIGQUIT is a crash
// to PostgreSQL, after which nothing of it is left: its processes leave their group.
func (d database) start(t *testing.T) (end func(syscall.Signal)) {
	t.Helper()
	programs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(programs) == 0 {
		t.Fatal("PostgreSQL is missing: apt-get install postgresql")
	}
	cmd := exec.Command("sh", filepath.Join(d.dir, "database.sh"), "-c", "port="+d.port, "-c", "unix_socket_directories="+d.dir)
	cmd.Dir = d.dir
	cmd.Env = []string{"PATH=" + programs[len(programs)-1] + ":" + os.Getenv("PATH"), "VOLUME=" + d.dir, "CREDENTIALS=" + d.dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: d.who}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = func(signal syscall.Signal) {
		_ = syscall.Kill(-cmd.Process.Pid, signal)
		_ = cmd.Wait()
	}
	t.Cleanup(func() { end(syscall.SIGQUIT) })
	return end
}

// ask signs in over the network as that user.
func (d database) ask(t *testing.T, name string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, fmt.Sprintf("postgres://%s:%s@127.0.0.1:%s/medusa?sslmode=disable", name, ownersPassword, d.port))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS kept (n int)")
	return err
}

func (d database) has(name string) bool {
	_, err := os.Stat(filepath.Join(d.dir, name))
	return err == nil
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(15 * time.Minute); time.Now().Before(end); <-tick.C {
		if holds() {
			return
		}
	}
	t.Fatalf("not within a minute: %s", what)
}

// A pod may be moved while its database is being made: what is half made is made anew, and
// what was complete stays.
func TestMedusasDatabaseSurvivesInterruptions(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	for _, made := range []string{"new/PG_VERSION", "new/pg_hba.conf", "new/global/pg_control"} {
		end := d.start(t)
		eventually(t, made, func() bool { return d.has(made) })
		end(syscall.SIGKILL)
		if d.has("data") {
			t.Fatalf("killed at %s, it counts as complete", made)
		}
	}
	end := d.start(t)
	eventually(t, "the database answers", func() bool { return d.ask(t, "medusa") == nil })
	if err := d.ask(t, "postgres"); err == nil || !strings.Contains(err.Error(), "no pg_hba.conf entry") {
		t.Errorf("the superuser over the network: %v", err)
	}
	end(syscall.SIGQUIT)
	d.start(t)
	eventually(t, "the database answers after a crash", func() bool { return d.ask(t, "medusa") == nil })
	if d.has("new") {
		t.Error("a second database was begun")
	}
}
