package kubetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// ControlPlane is a second one, which a test may spoil.
type ControlPlane struct {
	t   testing.TB
	dir string
}

// Another is a control plane beside the one that `make test` starts. The tests that need it
// at the same time share it; it is started for the first of them and ends with the last.
func Another(t testing.TB) ControlPlane {
	t.Helper()
	dir, err := second.hold(needed(t, "SHOPWRIGHT_TEST_DEVCLUSTER"))
	if err != nil {
		t.Fatalf("start a second control plane: %v", err)
	}
	t.Cleanup(func() {
		if err := second.release(); err != nil {
			t.Errorf("end the second control plane: %v", err)
		}
	})
	return ControlPlane{t: t, dir: dir}
}

// Platform is the configuration of the platform's own account.
func (c ControlPlane) Platform() *rest.Config {
	c.t.Helper()
	return load(c.t, filepath.Join(c.dir, "platform.kubeconfig"))
}

// Admin is a client that may do everything.
func (c ControlPlane) Admin() kubernetes.Interface {
	c.t.Helper()
	return adminOf(c.t, c.dir)
}

// second is shared by all tests of the process.
var second shared

// shared is a running control plane and how many tests use it.
type shared struct {
	mu      sync.Mutex
	users   int
	dir     string
	command *exec.Cmd
	leash   io.Closer // it ends by itself when this closes, as it does when the process dies
}

func (s *shared) hold(devcluster string) (dir string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users == 0 {
		if err := s.start(devcluster); err != nil {
			return "", err
		}
	}
	s.users++
	return s.dir, nil
}

func (s *shared) release() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users > 0 {
		return nil
	}
	return s.end()
}

func (s *shared) start(devcluster string) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "shopwright-another-"); err != nil {
		return err
	}
	s.command = exec.Command(devcluster, "up", "--foreground", "--progress", "json", "--state", s.dir,
		"--role", filepath.Join(root, "charts/platform/templates/clusterrole.yaml"), "--source", filepath.Join(root, "deploy/devcluster"))
	s.command.Stderr = os.Stderr
	leash, err := s.command.StdinPipe()
	if err != nil {
		return err
	}
	out, err := s.command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.command.Start(); err != nil {
		return err
	}
	s.leash = leash
	if err := untilUp(out); err != nil {
		return errors.Join(err, s.end())
	}
	return nil
}

func (s *shared) end() error {
	return errors.Join(s.leash.Close(), s.command.Wait(), os.RemoveAll(s.dir))
}

// untilUp reads the progress until the control plane is ready.
func untilUp(progress io.Reader) error {
	for lines := json.NewDecoder(progress); ; {
		var line struct{ Phase, Message string }
		if err := lines.Decode(&line); err != nil {
			return fmt.Errorf("it ended before it was ready: %w", err)
		}
		switch line.Phase {
		case "ready":
			return nil
		case "failed":
			return errors.New(line.Message)
		}
	}
}

// moduleRoot is the folder of the module that is tested: tests run in their package's.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod in any folder above")
		}
		dir = filepath.Dir(dir)
	}
}
