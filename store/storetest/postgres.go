// Package storetest gives tests real databases: a SQLite file, or a database of its own on
// a Postgres server that the test process starts for itself.
package storetest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Server is a Postgres server that listens on a Unix socket in a folder of its own.
type Server struct {
	dir  string
	user string
	bin  string
	attr *syscall.SysProcAttr
	cmd  *exec.Cmd
	log  *bytes.Buffer
}

// StartPostgres makes a fresh cluster with the newest Postgres on this machine and starts
// it. Stop ends it and removes its data.
func StartPostgres(ctx context.Context) (*Server, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "shopwright-pg-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for Postgres: %w", err)
	}
	s := &Server{dir: dir, bin: bin}
	if err := errors.Join(s.initialize(ctx), s.Start(ctx)); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Crash ends the server without any word to its clients. Start brings it back.
func (s *Server) Crash() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(syscall.SIGQUIT) // immediate shutdown
		_ = s.cmd.Wait()
	}
	s.cmd = nil
}

// Stop ends the server at once and removes its data.
func (s *Server) Stop() error {
	s.Crash()
	return os.RemoveAll(s.dir)
}

// URL is the address of one of the server's databases.
func (s *Server) URL(database string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.User(s.user), Path: "/" + database,
		RawQuery: url.Values{"host": {s.dir}, "sslmode": {"disable"}}.Encode(),
	}).String()
}

// CreateDatabase makes an empty database of that name and returns its address.
func (s *Server) CreateDatabase(ctx context.Context, name string) (string, error) {
	db, err := sql.Open("pgx", s.URL("postgres"))
	if err != nil {
		return "", fmt.Errorf("connect to Postgres: %w", err)
	}
	defer db.Close() //nolint:errcheck // nothing is left to lose
	if _, err := db.ExecContext(ctx, `CREATE DATABASE "`+name+`"`); err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	return s.URL(name), nil
}

// Guarded makes a role that needs the password, and an empty database of that name which
// belongs to it. It returns the database's address with the role and the password.
func (s *Server) Guarded(ctx context.Context, name, password string) (string, error) {
	db, err := sql.Open("pgx", s.URL("postgres"))
	if err != nil {
		return "", fmt.Errorf("connect to Postgres: %w", err)
	}
	defer db.Close() //nolint:errcheck // nothing is left to lose
	for _, statement := range []string{
		`CREATE ROLE "` + name + `" LOGIN IN ROLE guarded PASSWORD '` + password + `'`,
		`CREATE DATABASE "` + name + `" OWNER "` + name + `"`,
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return "", fmt.Errorf("make the guarded database %s: %w", name, err)
		}
	}
	u, err := url.Parse(s.URL(name))
	if err != nil {
		return "", err
	}
	u.User = url.UserPassword(name, password)
	return u.String(), nil
}

// access lets everybody in but those in the role guarded, who need their password.
const access = "local all +guarded scram-sha-256\nlocal all all trust\n"

func (s *Server) initialize(ctx context.Context) error {
	attr, name, err := s.account()
	if err != nil {
		return err
	}
	s.user, s.attr = name, attr
	initdb := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), "-D", s.data(), "-U", name, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
	initdb.SysProcAttr, initdb.Dir = attr, s.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	return os.WriteFile(filepath.Join(s.data(), "pg_hba.conf"), []byte(access), 0o600) // it keeps its owner
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Start starts the server and returns when it answers.
func (s *Server) Start(ctx context.Context) error {
	s.log = &bytes.Buffer{}
	s.cmd = exec.Command(filepath.Join(s.bin, "postgres"), "-D", s.data(), "-k", s.dir, "-c", "listen_addresses=",
		"-c", "fsync=off", "-c", "max_connections=400")
	s.cmd.SysProcAttr, s.cmd.Dir, s.cmd.Stderr, s.cmd.Stdout = s.attr, s.dir, s.log, s.log
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	if err := s.wait(ctx); err != nil {
		return fmt.Errorf("%w: %s", err, s.log.String())
	}
	return s.makeGuarded(ctx)
}

func (s *Server) makeGuarded(ctx context.Context) error {
	db, err := sql.Open("pgx", s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to Postgres: %w", err)
	}
	defer db.Close() //nolint:errcheck // nothing is left to lose
	var there bool
	if err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'guarded')`).Scan(&there); err != nil || there {
		return err
	}
	_, err = db.ExecContext(ctx, `CREATE ROLE guarded`)
	return err
}

// account is whom the server runs as: it refuses to run as root, so there it is the user
// that Debian's package makes.
func (s *Server) account() (*syscall.SysProcAttr, string, error) {
	if os.Geteuid() != 0 {
		me, err := user.Current()
		if err != nil {
			return nil, "", fmt.Errorf("find the current user: %w", err)
		}
		return &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}, me.Username, nil
	}
	postgres, err := user.Lookup("postgres")
	if err != nil {
		return nil, "", fmt.Errorf("find the user postgres (apt-get install postgresql makes it): %w", err)
	}
	uid, uidErr := strconv.Atoi(postgres.Uid)
	gid, gidErr := strconv.Atoi(postgres.Gid)
	if err := errors.Join(uidErr, gidErr, os.Chown(s.dir, uid, gid)); err != nil {
		return nil, "", fmt.Errorf("hand the folder to the user postgres: %w", err)
	}
	return &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
		Pdeathsig:  syscall.SIGQUIT,
	}, "postgres", nil
}

func (s *Server) wait(ctx context.Context) error { return s.waitFor(ctx, s.URL("postgres")) }

// waitFor returns when something answers at the address.
func (s *Server) waitFor(ctx context.Context, address string) error {
	db, err := sql.Open("pgx", address)
	if err != nil {
		return fmt.Errorf("connect to Postgres: %w", err)
	}
	defer db.Close() //nolint:errcheck // nothing is left to lose
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for Postgres: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("no Postgres server is installed: run apt-get install postgresql")
	}
	newest := found[0]
	for _, f := range found {
		if version(f) > version(newest) {
			newest = f
		}
	}
	return filepath.Dir(newest), nil
}

func version(initdb string) int {
	parts := strings.Split(initdb, "/")
	n, err := strconv.Atoi(parts[len(parts)-3])
	if err != nil {
		return 0
	}
	return n
}
