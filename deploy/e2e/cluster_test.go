//go:build e2e

// Package e2e_test runs Shopwright and its shops on a real node, and is their operator, merchant
// and customer. `make e2e` makes the node and the images that it needs.
package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/remotecommand"

	"shopwright.dev/shopwright/views/browsertest"
)

// domain is where all names lead to the Ingresses of the node.
const domain = "devcluster.test"

// cluster is the one on the real node, seen by its operator.
type cluster struct {
	kubernetes.Interface
	kubeconfig string
	config     *rest.Config
	evidence   string // folder of what is left for people to look at
}

func connect(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{kubeconfig: required(t, "SHOPWRIGHT_E2E_KUBECONFIG"), evidence: required(t, "SHOPWRIGHT_E2E_EVIDENCE")}
	var err error
	if c.config, err = clientcmd.BuildConfigFromFlags("", c.kubeconfig); err != nil {
		t.Fatal(err)
	}
	if c.Interface, err = kubernetes.NewForConfig(c.config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.keepEvidence(t) })
	return c
}

func required(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: run make e2e", name)
	}
	return value
}

// helm runs Helm's command line as the operator, and returns what it printed.
func (c *cluster) helm(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), required(t, "SHOPWRIGHT_E2E_HELM"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("helm %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// exec runs a command in the first container of a pod and returns what it printed.
func (c *cluster) exec(t *testing.T, namespace, pod string, command ...string) string {
	t.Helper()
	request := c.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Command: command, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	executor, err := remotecommand.NewSPDYExecutor(c.config, "POST", request.URL())
	if err != nil {
		t.Fatal(err)
	}
	var out, complaints bytes.Buffer
	if err := executor.StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdout: &out, Stderr: &complaints}); err != nil {
		t.Fatalf("%v in %s: %v\n%s", command, pod, err, complaints.String())
	}
	return out.String()
}

// pods are those with the label in the namespace.
func (c *cluster) pods(t *testing.T, namespace, selector string) []corev1.Pod {
	t.Helper()
	list, err := c.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// browser is one that finds the shops, which no name server knows.
func (c *cluster) browser(t *testing.T) *browsertest.Browser {
	t.Helper()
	return browsertest.Open(t, chromedp.Flag("host-resolver-rules", "MAP *."+domain+" "+c.address()))
}

// address is the node's, where the Ingresses are.
func (c *cluster) address() string {
	server, err := url.Parse(c.config.Host)
	if err != nil {
		panic(err) // client-go has connected to it
	}
	return server.Hostname()
}

// picture leaves what the browser shows.
func (c *cluster) picture(b *browsertest.Browser, name string) {
	b.Picture(filepath.Join(c.evidence, name+".png"))
}

// note says something in the log, and again in the summary of the run.
func (c *cluster) note(t *testing.T, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	t.Log(line)
	summary, err := os.OpenFile(filepath.Join(c.evidence, "summary.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintln(summary, line)
	if err := errors.Join(err, summary.Close()); err != nil {
		t.Fatal(err)
	}
}

// within asks until it is so.
func within(t *testing.T, limit time.Duration, what string, holds func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !holds(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}
