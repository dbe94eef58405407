package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// poolerPort is only part of a socket's name: nothing listens on the network.
const poolerPort = "6432"

// Pooler starts PgBouncer in that mode (session or transaction) with the settings of a fresh installation in
// front of the database, and returns the address that leads through it. It ends with the test.
func (s *Server) Pooler(t testing.TB, mode, database string) string {
	t.Helper()
	dir, err := os.MkdirTemp(s.dir, "pooler-")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "pgbouncer.ini")
	settings := fmt.Sprintf("[databases]\n%[1]s = host=%[2]s user=%[3]s\n[pgbouncer]\nauth_type = any\npool_mode = %[4]s\nlisten_port = %[5]s\nunix_socket_dir = %[6]s\n",
		database, s.dir, s.user, mode, poolerPort, dir)
	if err := errors.Join(os.WriteFile(file, []byte(settings), 0o644), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	said := &bytes.Buffer{}
	pooler := exec.Command("pgbouncer", file)
	pooler.SysProcAttr, pooler.Stdout, pooler.Stderr = s.attr, said, said
	if err := pooler.Start(); err != nil {
		t.Fatalf("start PgBouncer (apt-get install pgbouncer): %v", err)
	}
	t.Cleanup(func() {
		_ = pooler.Process.Signal(syscall.SIGINT) // it ends when its clients have
		_ = pooler.Wait()
	})
	through := (&url.URL{
		Scheme: "postgres", User: url.User(s.user), Path: "/" + database,
		RawQuery: url.Values{"host": {dir}, "port": {poolerPort}, "sslmode": {"disable"}}.Encode(),
	}).String()
	if err := s.waitFor(context.Background(), through); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return through
}
