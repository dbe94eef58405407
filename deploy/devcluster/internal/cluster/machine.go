package cluster

import (
	"context"
	"fmt"
	"io"
	"os"

	"shopwright.dev/shopwright/deploy/devcluster/internal/build"
	"shopwright.dev/shopwright/deploy/devcluster/internal/image"
	"shopwright.dev/shopwright/deploy/devcluster/internal/node"
	"shopwright.dev/shopwright/deploy/devcluster/internal/process"
)

// HoldCommand is the command of this program that holds the namespaces of a real node. It gets the node's folder.
const HoldCommand = "hold-node"

// dnsAddress is the name service's, within the range of Services.
const dnsAddress = "10.96.0.10"

// images are the references of what every real node runs.
type images struct{ Pause, Addons string }

// imageName is the reference of a program's image. Other builds have other names, so that none is taken for another.
func imageName(p build.Program) string { return "devcluster.test/" + p.Name + ":" + p.Version }

// startMachine starts what a real node consists of below Kubernetes and loads the images that it needs.
func (s *Session) startMachine(ctx context.Context, bin build.Binaries) (images, error) {
	s.reportStart("Starting the node's machine")
	programs, named, err := nodePrograms(bin)
	if err != nil {
		return images{}, err
	}
	if err := s.hold(ctx, named.Pause); err != nil {
		return images{}, err
	}
	if err := s.run(s.Node.Containerd(containerdName, s.logPath(containerdName))); err != nil {
		return images{}, err
	}
	answers := func(ctx context.Context) error {
		_, err := s.inNode(ctx, nil, "ctr", "version")
		return err
	}
	if err := poll(ctx, "the container runtime", answers); err != nil {
		return images{}, err
	}
	for _, p := range programs {
		if err := s.loadProgram(ctx, p); err != nil {
			return images{}, err
		}
	}
	return named, nil
}

func nodePrograms(bin build.Binaries) ([]build.Program, images, error) {
	pause, err := bin.Pause()
	if err != nil {
		return nil, images{}, err
	}
	addons, err := bin.Addons()
	if err != nil {
		return nil, images{}, err
	}
	return []build.Program{pause, addons}, images{Pause: imageName(pause), Addons: imageName(addons)}, nil
}

// hold starts the holder of the node's namespaces and lays the cable into them.
func (s *Session) hold(ctx context.Context, pauseImage string) error {
	if err := s.Node.Prepare(); err != nil {
		return err
	}
	settings := node.Settings{PKI: s.PKI(), ProxyKubeconfig: s.kubeconfigPath(proxyName), PauseImage: pauseImage, DNS: dnsAddress}
	if err := s.Node.Configure(settings); err != nil {
		return err
	}
	if err := s.launch(s.Node.Holder(nodeName, s.logPath(nodeName), HoldCommand)); err != nil {
		return err
	}
	if err := poll(ctx, "the node's namespaces", func(context.Context) error { return s.Node.Held() }); err != nil {
		return err
	}
	holder, err := s.holder()
	if err != nil {
		return err
	}
	return s.Node.Connect(holder)
}

// holder is the process that holds the node's namespaces.
func (c *Cluster) holder() (int, error) {
	running, err := c.registry().Running(nodeName)
	if err != nil {
		return 0, err
	}
	if len(running) == 0 {
		return 0, fmt.Errorf("%w: its node does not run", ErrNoCluster)
	}
	return running[0].PID, nil
}

// inNode runs a program on the node to its end, with in as its standard input.
func (c *Cluster) inNode(ctx context.Context, in io.Reader, program string, args ...string) ([]byte, error) {
	holder, err := c.holder()
	if err != nil {
		return nil, err
	}
	out, err := c.Node.Run(ctx, holder, in, program, args...)
	if err != nil {
		return nil, fmt.Errorf("%s on the node: %w\n%s", program, err, out)
	}
	return out, nil
}

// loadProgram makes an image of a program and gives it to the node, unless it has it.
func (s *Session) loadProgram(ctx context.Context, p build.Program) error {
	has, err := s.HasImage(ctx, imageName(p))
	if err != nil || has {
		return err
	}
	path := s.path(p.Name + ".tar")
	defer os.Remove(path)
	if err := image.Pack(path, imageName(p), p.Path); err != nil {
		return err
	}
	packed, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the image of %s: %w", p.Name, err)
	}
	defer packed.Close()
	return s.LoadImages(ctx, packed)
}

// HasImage reports whether the node has an image of that full reference.
func (c *Cluster) HasImage(ctx context.Context, reference string) (bool, error) {
	out, err := c.inNode(ctx, nil, "ctr", "--namespace", "k8s.io", "images", "list", "--quiet", "name=="+reference)
	return len(out) > 0, err
}

// LoadImages gives the node images as `docker save` writes them.
func (c *Cluster) LoadImages(ctx context.Context, saved io.Reader) error {
	if c.Node == nil {
		return errSimulated
	}
	_, err := c.inNode(ctx, saved, "ctr", "--namespace", "k8s.io", "images", "import", "-")
	return err
}

func (c *Cluster) kubelet(bin build.Binaries) process.Command {
	return process.Command{Name: kubeletName, Path: bin.Node(), Log: c.logPath(kubeletName), Args: []string{
		"kubelet", "--config=" + c.Node.KubeletConfig(), "--kubeconfig=" + c.kubeconfigPath(kubeletName),
		"--root-dir=" + c.Node.KubeletRoot(), "--hostname-override=" + node.Name, "--node-ip=" + c.Node.Address().String(),
	}}
}

func (c *Cluster) proxy(bin build.Binaries) process.Command {
	return process.Command{Name: proxyName, Path: bin.Node(), Log: c.logPath(proxyName), Args: []string{
		"proxy", "--config=" + c.Node.ProxyConfig(),
	}}
}
