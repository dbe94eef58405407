package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"shopwright.dev/shopwright/deploy/devcluster/internal/process"
	"shopwright.dev/shopwright/deploy/devcluster/internal/progress"
)

// Session is a cluster that this program has brought up, or found up.
type Session struct {
	*Cluster
	// Owner says that this program started the cluster's processes.
	Owner bool

	options UpOptions
	once    sync.Once
	dead    chan struct{} // closed when a process has ended that should not have
	cause   error         // why, set before dead is closed
}

func newSession(c *Cluster, o UpOptions) *Session {
	return &Session{Cluster: c, options: o, dead: make(chan struct{})}
}

// run starts processes where the cluster's are: on the real node's machine if it has one.
func (s *Session) run(commands ...process.Command) error {
	for _, command := range commands {
		if s.Node != nil {
			holder, err := s.holder()
			if err != nil {
				return err
			}
			command = s.Node.Inside(holder, command)
		}
		if err := s.launch(command); err != nil {
			return err
		}
	}
	return nil
}

// launch starts a process, writes it down and watches over it.
func (s *Session) launch(command process.Command) error {
	command.Bound = s.options.Bound
	child, err := process.Start(command)
	if err != nil {
		return err
	}
	if err := s.registry().Add(child.Process); err != nil {
		return err
	}
	go func() {
		<-child.Done()
		s.bury(child)
	}()
	return nil
}

func (s *Session) bury(child *process.Child) {
	s.once.Do(func() {
		s.cause = fmt.Errorf("%s has ended; this is the end of its log %s:\n%s", child.Name, child.Log, tail(child.Log))
		close(s.dead)
	})
}

// Hold stays with the cluster until ctx ends or one of its processes does, which is an error, and then ends the
// cluster in order.
func (s *Session) Hold(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return s.stop()
	case <-s.dead:
		return errors.Join(s.cause, s.stop())
	}
}

// untilDeath returns a context for the time of the start, which the end of a process ends.
func (s *Session) untilDeath(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, fail := context.WithCancelCause(ctx)
	tooLong := fmt.Errorf("the cluster was not ready after %v; look at the logs in %s", startTimeout, s.path("logs"))
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, tooLong)
	go func() {
		select {
		case <-s.dead:
			fail(s.cause)
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// grant renews Shopwright's access to a cluster that is up.
func (s *Session) grant(ctx context.Context) error {
	admin, err := s.Admin()
	if err != nil {
		return err
	}
	defer admin.Close()
	return s.admit(ctx, admin, s.options.Roles)
}

func (s *Session) reportStart(message string) {
	s.options.Report(progress.Event{Phase: progress.Start, Message: message})
}

func (s *Session) reportReady(how string) {
	event := progress.Event{
		Phase:           progress.Ready,
		Message:         fmt.Sprintf("%s: the API server is %s, its pods are %s", how, s.Server(), s.pods()),
		AdminKubeconfig: s.AdminKubeconfig(),
	}
	if len(s.options.Roles) > 0 {
		event.Kubeconfig = s.PlatformKubeconfig()
	}
	s.options.Report(event)
}

func (c *Cluster) pods() string {
	if c.Node == nil {
		return "simulated"
	}
	return fmt.Sprintf("real, and its Ingresses are at http://%s", c.Node.Address())
}

// tailLines is how much of a log an error repeats.
const tailLines = 8

func tail(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(string(bytes.TrimSpace(raw)), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
