// Package kubetest gives tests the development control plane that `make test` starts: a real
// API server with simulated nodes, and the switches that make pods and requests fail.
package kubetest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Platform is the configuration of the platform's own account, which may do no more than
// its ClusterRole says.
func Platform(t testing.TB) *rest.Config { return load(t, PlatformKubeconfig(t)) }

// PlatformKubeconfig is the path of the platform's kubeconfig.
func PlatformKubeconfig(t testing.TB) string {
	t.Helper()
	return filepath.Join(state(t), "platform.kubeconfig")
}

// PlatformClient is a client of the platform's own account.
func PlatformClient(t testing.TB) kubernetes.Interface {
	t.Helper()
	return clientOf(t, Platform(t))
}

// AdminKubeconfig is the path of the administrator's kubeconfig.
func AdminKubeconfig(t testing.TB) string {
	t.Helper()
	return filepath.Join(state(t), "admin.kubeconfig")
}

// Admin is a client that may do everything, for looking at what the platform did.
func Admin(t testing.TB) kubernetes.Interface {
	t.Helper()
	return adminOf(t, state(t))
}

// Impersonating is the configuration of an account that the administrator plays.
func Impersonating(t testing.TB, as rest.ImpersonationConfig) *rest.Config {
	t.Helper()
	config := load(t, AdminKubeconfig(t))
	config.Impersonate = as
	return config
}

func adminOf(t testing.TB, dir string) kubernetes.Interface {
	t.Helper()
	config := load(t, filepath.Join(dir, "admin.kubeconfig"))
	config.ContentType = runtime.ContentTypeProtobuf // which carries what is not valid UTF-8, too
	return clientOf(t, config)
}

func clientOf(t testing.TB, config *rest.Config) kubernetes.Interface {
	t.Helper()
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatalf("make a client: %v", err)
	}
	return set
}

// Simulate sets switches for the pods of a namespace, such as fail=image-pull, before or
// after it exists.
func Simulate(t testing.TB, namespace string, switches ...string) {
	t.Helper()
	run(t, append([]string{"sim", "--state", state(t), namespace}, switches...)...)
}

func load(t testing.TB, path string) *rest.Config {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatalf("load %s: %v", path, err)
	}
	config.QPS = -1
	return config
}

func state(t testing.TB) string { return needed(t, "SHOPWRIGHT_TEST_CLUSTER") }

func needed(t testing.TB, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: this test needs the development control plane that `make test` starts", name)
	}
	return value
}

func run(t testing.TB, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, needed(t, "SHOPWRIGHT_TEST_DEVCLUSTER"), args...).CombinedOutput()
	if err != nil {
		t.Errorf("devcluster %s: %v: %s", strings.Join(args, " "), err, out)
	}
}
