package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"shopwright.dev/shopwright/deploy/devcluster/internal/api"
	"shopwright.dev/shopwright/deploy/devcluster/internal/build"
	"shopwright.dev/shopwright/deploy/devcluster/internal/filelock"
	"shopwright.dev/shopwright/deploy/devcluster/internal/node"
	"shopwright.dev/shopwright/deploy/devcluster/internal/pki"
	"shopwright.dev/shopwright/deploy/devcluster/internal/process"
	"shopwright.dev/shopwright/deploy/devcluster/internal/progress"
	"shopwright.dev/shopwright/deploy/devcluster/internal/simulate"
)

// startTimeout bounds the time from the first process to a cluster that is ready. Usually it takes three seconds; on a
// machine with much else to do it has taken two minutes. The end of a process is noticed at once.
const startTimeout = 5 * time.Minute

// answerTimeout is how long a cluster that is said to be up may take to answer.
const answerTimeout = 30 * time.Second

// UpOptions say which cluster to bring up, and how.
type UpOptions struct {
	// Dir is the state directory, Source the folder of the modules to build, Bin the directory of the binaries.
	Dir, Source, Bin string
	// Nodes are the cluster's kind of nodes; a state directory keeps to one.
	Nodes build.Nodes
	// Images is the folder that a real node keeps its images in, an absolute path; empty for one in the state directory.
	Images string
	// Port is the first of five ports in a row; 0 chooses free ones.
	Port int
	// Roles are the files with the rights of Shopwright's service account; without any there is no such account.
	Roles []string
	// Bound ends the cluster with the calling thread, which the caller has locked and keeps.
	Bound bool
	// Report hears of the progress.
	Report progress.Reporter
}

// Up brings a cluster up and returns when pods can run there. Where one is up already it renews Shopwright's access
// alone; the session is then not the owner.
func Up(ctx context.Context, o UpOptions) (*Session, error) {
	c, release, err := lock(ctx, o.Dir, o.Report)
	if err != nil {
		return nil, err
	}
	defer release()
	s := newSession(c, o)
	if err := s.keepToNodes(); err != nil {
		return nil, err
	}
	if c.answers(ctx) {
		if err := s.grant(ctx); err != nil {
			return nil, err
		}
		s.reportReady("Already up")
		return s, nil
	}
	s.Owner = true
	if err := s.bringUp(ctx); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return s, nil
}

// lock opens the cluster in dir, which is made where it is missing, for one program at a time.
func lock(ctx context.Context, dir string, report progress.Reporter) (c *Cluster, release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("make the state directory: %w", err)
	}
	release, err = filelock.Acquire(ctx, filepath.Join(dir, "lock"), func() {
		report(progress.Event{Phase: progress.Start, Message: "Waiting for another devcluster command on " + dir})
	})
	if err != nil {
		return nil, nil, err
	}
	c, err = openOrCreate(dir)
	if err != nil {
		release()
	}
	return c, release, err
}

// answers reports whether every process runs and the API server is ready.
func (c *Cluster) answers(ctx context.Context) bool {
	running, err := c.registry().Running(c.components()...)
	if err != nil || len(running) < len(c.components()) {
		return false
	}
	admin, err := c.Admin()
	if err != nil {
		return false
	}
	defer admin.Close()
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	return admin.Get(ctx, "/readyz", nil) == nil
}

// bringUp builds what is missing and starts everything, after ending what an earlier run may have left.
func (s *Session) bringUp(ctx context.Context) error {
	if s.options.Bound {
		if err := s.registerSupervisor(); err != nil {
			return err
		}
	}
	if err := s.stop(); err != nil {
		return err
	}
	bin, err := build.Ensure(ctx, s.options.Source, s.options.Bin, s.options.Nodes, s.options.Report)
	if err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	return s.start(ctx, bin)
}

// registerSupervisor writes this program down, so that Down on another terminal ends it rather than its parts.
func (s *Session) registerSupervisor() error {
	self, err := process.Find(supervisorName, os.Getpid())
	if err != nil {
		return err
	}
	return s.registry().Add(self)
}

// prepare writes all that the processes read.
func (s *Session) prepare(ctx context.Context) error {
	addresses, err := s.choosePlace(ctx)
	if err != nil {
		return err
	}
	if err := s.save(); err != nil {
		return err
	}
	if err := pki.Ensure(s.PKI(), addresses...); err != nil {
		return err
	}
	if err := s.writeComponentKubeconfigs(); err != nil || s.Node != nil {
		return err
	}
	return s.writeSimulation()
}

// choosePlace chooses where the cluster's processes listen, and returns the addresses that are not the loopback's.
func (s *Session) choosePlace(ctx context.Context) ([]net.IP, error) {
	if s.Node != nil {
		s.Ports = nodePorts
		return []net.IP{s.Node.Address()}, nil
	}
	ports, err := choosePorts(ctx, s.options.Port, s.Ports)
	s.Ports = ports
	return nil, err
}

// keepToNodes sees to it that a cluster gets the kind of nodes that it had before, if it was ever up.
func (s *Session) keepToNodes() error {
	begun := s.Ports != (Ports{})
	switch {
	case begun && (s.Node != nil) != (s.options.Nodes == build.Real):
		return fmt.Errorf("the cluster in %s has another kind of nodes: choose another state directory", s.Dir)
	case s.options.Nodes == build.Simulated || begun:
		return nil
	}
	if err := node.Check(s.Dir); err != nil {
		return err
	}
	network, err := node.ChooseNetwork()
	if err != nil {
		return err
	}
	s.Node = &node.Node{Dir: s.path(nodeName), Images: s.options.Images, Network: network}
	if s.Node.Images == "" {
		s.Node.Images = s.path("images")
	}
	return nil
}

func (c *Cluster) writeSimulation() error {
	const line = "%s stdout F This container is simulated: it has no log.\n"
	log := fmt.Sprintf(line, time.Now().UTC().Format(time.RFC3339Nano))
	if err := replaceFile(c.path("container.log"), []byte(log)); err != nil {
		return err
	}
	stages, err := simulate.Stages(c.path("container.log"))
	if err != nil {
		return err
	}
	return replaceFile(c.path("kwok.yaml"), stages)
}

// start starts the processes in order and furnishes the cluster.
func (s *Session) start(ctx context.Context, bin build.Binaries) error {
	ctx, cancel := s.untilDeath(ctx)
	defer cancel()
	err := s.startInOrder(ctx, bin)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause // what failed failed because of this
	}
	return err
}

func (s *Session) startInOrder(ctx context.Context, bin build.Binaries) error {
	var use images
	if s.Node != nil {
		var err error
		if use, err = s.startMachine(ctx, bin); err != nil {
			return err
		}
	}
	s.reportStart("Starting etcd and the API server")
	if err := s.run(s.etcd(bin), s.apiServer(bin)); err != nil {
		return err
	}
	admin, err := s.Admin()
	if err != nil {
		return err
	}
	defer admin.Close()
	ready := func(ctx context.Context) error { return admin.Get(ctx, "/readyz", nil) }
	if err := poll(ctx, "the API server", ready); err != nil {
		return err
	}
	// Only now: earlier the controller manager would find no roles for itself, and end.
	startNodes := s.startSimulated
	if s.Node != nil {
		startNodes = func(ctx context.Context, admin *api.Client, bin build.Binaries) error {
			return s.startReal(ctx, admin, bin, use)
		}
	}
	if err := startNodes(ctx, admin, bin); err != nil {
		return err
	}
	if err := s.admit(ctx, admin, s.options.Roles); err != nil {
		return err
	}
	s.reportReady("Ready")
	return nil
}

func (s *Session) startSimulated(ctx context.Context, admin *api.Client, bin build.Binaries) error {
	if err := s.prepareNodes(ctx, admin); err != nil {
		return err
	}
	s.reportStart("Starting controllers, scheduler and simulated nodes")
	if err := s.run(s.controllerManager(bin), s.scheduler(bin), s.kwok(bin)); err != nil {
		return err
	}
	return furnish(ctx, admin)
}

func (s *Session) startReal(ctx context.Context, admin *api.Client, bin build.Binaries, use images) error {
	s.reportStart("Starting controllers, scheduler and the node")
	if err := s.run(s.controllerManager(bin), s.scheduler(bin), s.kubelet(bin), s.proxy(bin)); err != nil {
		return err
	}
	return s.furnishReal(ctx, admin, use)
}

// prepareNodes makes the cluster fit for a kwok to start in.
func (s *Session) prepareNodes(ctx context.Context, admin *api.Client) error {
	if err := freeNodes(ctx, admin); err != nil {
		return err
	}
	if err := simulate.InstallLogs(ctx, admin); err != nil {
		return err
	}
	return poll(ctx, "the kind of logs", func(ctx context.Context) error { return simulate.LogsServed(ctx, admin) })
}
