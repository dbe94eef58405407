package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"shopwright.dev/shopwright/provisioner"
)

// connector chooses how to reach the cluster: the configured kubeconfig, the service account of the pod
// we run in, or a development control plane. It never uses the current context of a user by accident.
// wait returns when everything that connect started has ended, which happens after its context is done.
func (c *config) connector(log *slog.Logger) (connect provisioner.Connector, wait func()) {
	nothing := func() {}
	switch {
	case c.Kubeconfig != "":
		return fromKubeconfig(c.Kubeconfig, c.KubeContext), nothing
	case os.Getenv("KUBERNETES_SERVICE_HOST") != "":
		return func(context.Context, func(provisioner.Progress)) (*rest.Config, error) {
			return rest.InClusterConfig()
		}, nothing
	case c.DevCluster != "":
		dev := &devCluster{command: strings.Fields(c.DevCluster), log: log}
		return dev.connect, dev.running.Wait
	default:
		return nil, nothing
	}
}

// advice returns a hint for when the cluster cannot be reached, or nothing.
func (c *config) advice() string {
	_, err := os.Stat("/.dockerenv") // Docker creates it
	if err != nil || c.Kubeconfig == "" {
		return ""
	}
	cluster, err := loadKubeconfig(c.Kubeconfig, c.KubeContext)
	if err != nil || !isLoopbackURL(cluster.Host) {
		return ""
	}
	return "In a container " + cluster.Host + " is the container itself: run it with --network host, or use a kubeconfig with an address that reaches the cluster."
}

func isLoopbackURL(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// fromKubeconfig reads the file again for each connection: its credentials may have been renewed.
func fromKubeconfig(path, name string) provisioner.Connector {
	return func(context.Context, func(provisioner.Progress)) (*rest.Config, error) {
		return loadKubeconfig(path, name)
	}
}

// renewal returns a function that reads the kubeconfig again, or nil if credentials renew themselves.
func (c *config) renewal() func() (*rest.Config, error) {
	if c.Kubeconfig == "" {
		return nil
	}
	return func() (*rest.Config, error) { return loadKubeconfig(c.Kubeconfig, c.KubeContext) }
}

// loadKubeconfig returns the configuration of the context with that name, or of the only context if the
// name is empty. Like kubectl, it resolves relative paths from the kubeconfig's directory. It reads
// certificate files, so that two configurations can be compared.
func loadKubeconfig(path, name string) (*rest.Config, error) {
	loaded, err := clientcmd.LoadFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	if err := clientcmd.ResolveLocalPaths(loaded); err != nil {
		return nil, fmt.Errorf("find the files of the kubeconfig: %w", err)
	}
	if name == "" && len(loaded.Contexts) > 1 {
		return nil, fmt.Errorf("the kubeconfig has %d contexts: choose one with SHOPWRIGHT_KUBE_CONTEXT", len(loaded.Contexts))
	}
	if name == "" && len(loaded.Contexts) == 0 {
		return nil, errors.New("the kubeconfig has no context")
	}
	loaded.CurrentContext = name
	if name == "" {
		for only := range loaded.Contexts {
			loaded.CurrentContext = only
		}
	}
	if err := errors.Join(clientcmdapi.MinifyConfig(loaded), clientcmdapi.FlattenConfig(loaded)); err != nil {
		return nil, fmt.Errorf("read what the kubeconfig refers to: %w", err)
	}
	return clientcmd.NewDefaultClientConfig(*loaded, &clientcmd.ConfigOverrides{}).ClientConfig()
}

// devCluster runs the development control plane as a child process that stops when its standard input
// closes. So it stops with us, even if we are killed.
type devCluster struct {
	command []string
	log     *slog.Logger
	running sync.WaitGroup
}

// progressLine is one line of the standard output of the child.
type progressLine struct {
	Phase      string `json:"phase"`
	Message    string `json:"message"`
	Done       int    `json:"done"`
	Total      int    `json:"total"`
	Kubeconfig string `json:"kubeconfig"`
}

// stopTimeout is how long the control plane may take to end.
const stopTimeout = 30 * time.Second

// connect starts the control plane and returns when it is ready. The control plane runs until the context
// is done.
func (d *devCluster) connect(ctx context.Context, tell func(provisioner.Progress)) (*rest.Config, error) {
	tell(provisioner.Progress{Message: "Checking the development control plane"})
	child := exec.CommandContext(ctx, d.command[0], d.command[1:]...) //nolint:gosec // the operator names it
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}           // so that Ctrl-C reaches only us: we stop the child ourselves
	child.Cancel = func() error { return child.Process.Signal(syscall.SIGTERM) }
	child.WaitDelay = stopTimeout
	child.Stderr = os.Stderr
	out, outErr := child.StdoutPipe()
	_, inErr := child.StdinPipe() // stays open while we run
	if err := errors.Join(outErr, inErr); err != nil {
		return nil, fmt.Errorf("prepare the development control plane: %w", err)
	}
	if err := child.Start(); err != nil {
		return nil, fmt.Errorf("start the development control plane: %w", err)
	}
	kubeconfig, err := d.follow(out, tell)
	if err != nil {
		return nil, errors.Join(err, child.Wait())
	}
	d.running.Go(func() { d.drain(ctx, child, out) })
	return fromKubeconfig(kubeconfig, "")(ctx, tell)
}

// drain logs the output of the child until it ends.
func (d *devCluster) drain(ctx context.Context, child *exec.Cmd, out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		d.log.Debug(lines.Text())
	}
	if err := child.Wait(); err != nil && ctx.Err() == nil {
		d.log.Error("the development control plane stopped; restart Shopwright to start it again", "error", err)
	}
}

// follow reports the progress of the child until it is ready or fails.
func (d *devCluster) follow(out io.Reader, tell func(provisioner.Progress)) (kubeconfig string, err error) {
	said := ""
	decoder := json.NewDecoder(out)
	for {
		var r progressLine
		if err := decoder.Decode(&r); err != nil {
			return "", fmt.Errorf("the development control plane stopped before it was ready: %w", err)
		}
		if r.Message != said {
			d.log.Info(r.Message)
			said = r.Message
		}
		switch r.Phase {
		case "ready":
			return r.Kubeconfig, nil
		case "failed":
			return "", errors.New(r.Message)
		default:
			tell(provisioner.Progress{Message: r.Message, Done: r.Done, Total: r.Total})
		}
	}
}
