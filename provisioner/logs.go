package provisioner

import (
	"context"
	"errors"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
)

// Why a log cannot be read now.
var (
	ErrNoContainer = errors.New("no such container")
	ErrNotStarted  = errors.New("the container has not started")
	ErrNoLog       = errors.New("no such log")
	ErrNoSecrets   = errors.New("the secrets to mask in the log are unknown")
	ErrLogRefused  = errors.New("the service account can’t read logs")
)

// LogRefusal is the error of a log that the cluster refused.
type LogRefusal struct {
	Reason error  // one of those above
	Said   string // by the cluster
}

// Error implements error.
func (r *LogRefusal) Error() string { return r.Reason.Error() + ": " + r.Said }

// Unwrap returns the reason.
func (r *LogRefusal) Unwrap() error { return r.Reason }

// LogQuery names a container of a store, and which part of its log is wanted.
type LogQuery struct {
	Pod       string
	Container string
	kube.LogOptions
}

// LogLine is a line of a log as people may read it.
type LogLine struct {
	At   time.Time
	Text string // one line, legible, without the store's secrets
	Cut  int    // bytes that are missing at its end
}

// Log is a container's log while it is read.
type Log struct {
	lines *kube.Log
	mask  mask
}

// OpenLog opens the log of one of the store's containers. Reading ends when the context does.
func (p *Provisioner) OpenLog(ctx context.Context, st store.Store, q LogQuery) (*Log, error) {
	conn := p.cluster.connection()
	if conn == nil {
		return nil, ErrUnreachable
	}
	snapshot := conn.watcher.Snapshot(st.Namespace)
	container, ok := FindContainer(snapshot.Pods, q.Pod, q.Container)
	switch {
	case !ok:
		return nil, ErrNoContainer
	case !container.HasLog(q.Previous):
		return nil, ErrNotStarted
	}
	log := &Log{}
	err := conn.inNamespace(ctx, ownerOf(st), func() (err error) {
		if log.mask, err = conn.mask(ctx, st.Namespace); err != nil {
			return err
		}
		log.lines, err = conn.kube.Log(ctx, st.Namespace, q.Pod, q.Container, q.LogOptions)
		return err
	})
	if err != nil {
		return nil, whyNoLog(err)
	}
	return log, nil
}

// FindContainer finds a container in a pod of that name.
func FindContainer(pods []kube.Pod, pod, container string) (kube.Container, bool) {
	p := slices.IndexFunc(pods, func(p kube.Pod) bool { return p.Name == pod })
	if p < 0 {
		return kube.Container{}, false
	}
	c := slices.IndexFunc(pods[p].Containers, func(c kube.Container) bool { return c.Name == container })
	if c < 0 {
		return kube.Container{}, false
	}
	return pods[p].Containers[c], true
}

// LikelyContainer names the container whose log somebody is likely to look for: the first
// that runs, or else one that has a log, or any.
func LikelyContainer(pods []kube.Pod) (pod, container string) {
	for _, good := range []func(kube.Container) bool{
		func(c kube.Container) bool { return c.State.Kind == "running" && !c.Init },
		func(c kube.Container) bool { return c.HasLog(false) },
		func(kube.Container) bool { return true },
	} {
		for _, pod := range pods {
			if at := slices.IndexFunc(pod.Containers, good); at >= 0 {
				return pod.Name, pod.Containers[at].Name
			}
		}
	}
	return "", ""
}

// mask reads what must be hidden. No log is shown while that is unknown.
func (c *connection) mask(ctx context.Context, namespace string) (mask, error) {
	credentials, err := c.kube.Secret(ctx, namespace, credentialsSecret)
	if apierrors.IsNotFound(err) {
		return nil, ErrNoSecrets
	}
	if err != nil {
		return nil, err
	}
	mail, err := c.kube.Secret(ctx, namespace, sharedMail)
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, err
	}
	return newMask(append(engine.Secrets(credentials), string(mail["password"]))), nil
}

func whyNoLog(err error) error {
	switch {
	case errors.Is(err, errNoNamespace), errors.Is(err, kube.ErrForeign), apierrors.IsNotFound(err):
		return ErrNoContainer
	case apierrors.IsForbidden(err):
		return &LogRefusal{ErrLogRefused, said(err)}
	case apierrors.IsBadRequest(err), apierrors.IsInternalError(err):
		return &LogRefusal{ErrNoLog, said(err)} // the node has none, or does not answer
	}
	return err
}

// said is the message in an API server's error.
func said(err error) string {
	if status, ok := errors.AsType[*apierrors.StatusError](err); ok {
		return status.ErrStatus.Message
	}
	return err.Error()
}

// Next returns the next line, or io.EOF after the last one.
func (l *Log) Next() (LogLine, error) {
	line, err := l.lines.Next()
	if err != nil {
		return LogLine{}, err
	}
	cut := line.Cut > 0
	return LogLine{At: line.At, Text: l.mask.hide(legible.Line(string(line.Text), cut), cut), Cut: line.Cut}, nil
}

// Buffered reports whether the next line is there already.
func (l *Log) Buffered() bool { return l.lines.Buffered() }

// Close ends the reading.
func (l *Log) Close() error { return l.lines.Close() }
