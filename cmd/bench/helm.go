package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/store"
)

// releaseName is that of the release in each namespace, as the platform names it.
const releaseName = "store"

// helmCLI is Helm's own command line, which waits for what it made: what people use by hand
// and what many systems call.
type helmCLI struct {
	*bench
	at  target
	set kubernetes.Interface
}

func newHelmCLI(b *bench, at target) (*helmCLI, error) {
	set, err := kubernetes.NewForConfig(at.config)
	return &helmCLI{bench: b, at: at, set: set}, err
}

func (h *helmCLI) close() {}

func (h *helmCLI) create(ctx context.Context, name string) error {
	values, err := h.valuesFile(name)
	if err != nil {
		return err
	}
	return h.run(ctx, "upgrade", "--install", "--create-namespace", "--wait", "--wait-for-jobs",
		"--namespace", store.Namespace(name), "--values", values, releaseName, h.chart)
}

// remove uninstalls and waits, then removes the namespace, which Helm leaves.
func (h *helmCLI) remove(ctx context.Context, name string) error {
	namespace := store.Namespace(name)
	if err := h.run(ctx, "uninstall", "--wait", "--namespace", namespace, releaseName); err != nil {
		return err
	}
	return removeNamespace(ctx, h.set, namespace)
}

func (h *helmCLI) valuesFile(name string) (string, error) {
	values, err := neutralValues(name)
	if err != nil {
		return "", err
	}
	data, err := yaml.Marshal(values)
	if err != nil {
		return "", err
	}
	path := filepath.Join(h.scratch, name+".yaml")
	return path, os.WriteFile(path, data, 0o600)
}

// neutralValues are those of a store that no platform keeps a record of.
func neutralValues(name string) (map[string]any, error) {
	return neutral{}.Values(engine.Spec{StoreID: name, Name: name, Host: name + ".localhost", SecretName: credentialsName})
}

// run gives Helm a home of its own, where it keeps what it discovers from one call to the
// next, as it does for people.
func (h *helmCLI) run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, h.helm, args...) //nolint:gosec // the Makefile names the program
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.scratch, "KUBECONFIG=" + h.at.kubeconfig}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("helm %s: %w: %s", args[0], err, said.String())
	}
	return nil
}

// removeNamespace deletes the namespace and returns when it is gone.
func removeNamespace(ctx context.Context, set kubernetes.Interface, name string) error {
	only := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()}
	list, err := set.CoreV1().Namespaces().List(ctx, only)
	if err != nil || len(list.Items) == 0 {
		return err
	}
	only.ResourceVersion = list.ResourceVersion
	watch, err := set.CoreV1().Namespaces().Watch(ctx, only)
	if err != nil {
		return err
	}
	defer watch.Stop()
	if err := set.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	for event := range watch.ResultChan() {
		if _, is := event.Object.(*corev1.Namespace); is && event.Type == "DELETED" {
			return nil
		}
	}
	return fmt.Errorf("the watch on namespace %s ended before it was gone", name)
}
