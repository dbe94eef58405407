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

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// ControlPlane is another one, which a test may spoil.
type ControlPlane struct {
	t   testing.TB
	dir string
}

// Another is a control plane beside the one that `make test` starts. The tests that need it
// at the same time share it; it is started for the first of them and ends with the last.
func Another(t testing.TB) ControlPlane {
	t.Helper()
	return second.open(t)
}

// Bare is a control plane like Another, but without anything of the platform's: it has
// neither its account nor its roles.
func Bare(t testing.TB) ControlPlane {
	t.Helper()
	return bare.open(t)
}

// AdminKubeconfig is the path of a kubeconfig that may do everything.
func (c ControlPlane) AdminKubeconfig() string { return filepath.Join(c.dir, "admin.kubeconfig") }

// AccountKubeconfig is the path of a kubeconfig that signs in as a service account, with a
// token that is good for an hour.
func (c ControlPlane) AccountKubeconfig(namespace, name string) string {
	c.t.Helper()
	token, err := c.Admin().CoreV1().ServiceAccounts(namespace).CreateToken(c.t.Context(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		c.t.Fatalf("request a token: %v", err)
	}
	admin := load(c.t, c.AdminKubeconfig())
	config := clientcmdapi.NewConfig()
	config.Clusters["cluster"] = &clientcmdapi.Cluster{Server: admin.Host, CertificateAuthorityData: admin.CAData}
	config.AuthInfos["account"] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
	config.Contexts["account"] = &clientcmdapi.Context{Cluster: "cluster", AuthInfo: "account"}
	config.CurrentContext = "account"
	path := filepath.Join(c.t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// Simulate sets switches as the function of that name does.
func (c ControlPlane) Simulate(namespace string, switches ...string) {
	c.t.Helper()
	run(c.t, append([]string{"sim", "--state", c.dir, namespace}, switches...)...)
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

// second and bare are shared by all tests of the process.
var (
	second = shared{roles: []string{"clusterrole.yaml", "policy.yaml"}}
	bare   shared
)

// shared is a running control plane and how many tests use it.
type shared struct {
	roles   []string // templates of the platform's chart that say what its account may do
	mu      sync.Mutex
	users   int
	dir     string
	command *exec.Cmd
	leash   io.Closer // it ends by itself when this closes, as it does when the process dies
}

func (s *shared) open(t testing.TB) ControlPlane {
	t.Helper()
	dir, err := s.hold(needed(t, "SHOPWRIGHT_TEST_DEVCLUSTER"))
	if err != nil {
		t.Fatalf("start another control plane: %v", err)
	}
	t.Cleanup(func() {
		if err := s.release(); err != nil {
			t.Errorf("end the other control plane: %v", err)
		}
	})
	return ControlPlane{t: t, dir: dir}
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
	args := []string{"up", "--foreground", "--progress", "json", "--state", s.dir, "--source", filepath.Join(root, "deploy/devcluster")}
	for _, role := range s.roles {
		args = append(args, "--role", filepath.Join(root, "charts/platform/templates", role))
	}
	s.command = exec.Command(devcluster, args...)
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
