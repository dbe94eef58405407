package provisioner

import (
	"context"
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// ErrUnreachable says that the cluster cannot be asked now.
var ErrUnreachable = errors.New("the cluster is unreachable")

// Cluster returns the last known state of the cluster.
func (p *Provisioner) Cluster() ClusterState { return p.cluster.State() }

// SubscribeCluster returns a channel that is signalled when the state of the cluster
// changes, and a function that ends it.
func (p *Provisioner) SubscribeCluster() (changed <-chan struct{}, cancel func()) {
	return p.cluster.changed.Subscribe(clusterKey)
}

// Snapshot returns what the watches say about the store, without any call to the API
// server. ok is false while the cluster cannot be reached.
func (p *Provisioner) Snapshot(st store.Store) (s kube.Snapshot, ok bool) {
	conn := p.cluster.connection()
	if conn == nil {
		return kube.Snapshot{}, false
	}
	return conn.watcher.Snapshot(st.Namespace), true
}

// RetainsDisks reports whether the store's disks stay in the cluster when it is deleted, because their storage
// class says so.
func (p *Provisioner) RetainsDisks(st store.Store) bool {
	conn := p.cluster.connection()
	return conn != nil && len(conn.watcher.Retained(st.Namespace)) > 0
}

// SubscribeStore returns a channel that is signalled when anything of the store changes in
// the cluster, and a function that ends it. While the cluster cannot be reached nothing is
// signalled: subscribe again when that changes.
func (p *Provisioner) SubscribeStore(st store.Store) (changed <-chan struct{}, cancel func()) {
	conn := p.cluster.connection()
	if conn == nil {
		return nil, func() {}
	}
	return conn.watcher.Subscribe(st.Namespace)
}

// Login is what a shop's owner signs in to it with.
type Login struct {
	Username string
	Password string
	URL      string
}

// Credentials reads the store's admin login from its Secret. They are kept nowhere else.
func (p *Provisioner) Credentials(ctx context.Context, st store.Store) (Login, error) {
	conn := p.cluster.connection()
	if conn == nil {
		return Login{}, ErrUnreachable
	}
	e, known := p.engines.Find(st.Engine)
	if !known {
		return Login{}, fmt.Errorf("read credentials: no engine %q", st.Engine)
	}
	var data map[string][]byte
	err := conn.inNamespace(ctx, ownerOf(st), func() (err error) {
		data, err = conn.kube.Secret(ctx, st.Namespace, credentialsSecret)
		return err
	})
	if apierrors.IsNotFound(err) || errors.Is(err, errNoNamespace) {
		return Login{}, &store.Error{Code: store.NotFound, Message: "The store has no credentials yet. They are created shortly after the store."}
	}
	if err != nil {
		return Login{}, err
	}
	username, password := e.Login(data)
	return Login{Username: username, Password: password, URL: e.AdminURL(p.storeURL(st))}, nil
}

// Usage returns how much of its quota the store uses, as the cluster counts it. It is empty for
// a store that has no quota yet.
func (p *Provisioner) Usage(ctx context.Context, st store.Store) (uses []kube.Use, err error) {
	conn := p.cluster.connection()
	if conn == nil {
		return nil, ErrUnreachable
	}
	err = conn.inNamespace(ctx, ownerOf(st), func() (err error) {
		uses, err = conn.kube.QuotaUse(ctx, st.Namespace)
		return err
	})
	if apierrors.IsNotFound(err) || errors.Is(err, errNoNamespace) || errors.Is(err, kube.ErrForeign) {
		return nil, nil
	}
	return uses, err
}

// Events lists what the cluster reported about the store, newest first.
func (p *Provisioner) Events(ctx context.Context, st store.Store) ([]kube.Event, error) {
	conn := p.cluster.connection()
	if conn == nil {
		return nil, ErrUnreachable
	}
	var events []kube.Event
	err := conn.inNamespace(ctx, ownerOf(st), func() (err error) {
		events, err = conn.kube.Events(ctx, st.Namespace)
		return err
	})
	if errors.Is(err, errNoNamespace) || errors.Is(err, kube.ErrForeign) {
		return nil, nil
	}
	return events, err
}

// errNoNamespace says that there is nothing of the store in the cluster.
var errNoNamespace = errors.New("the store has no namespace")

// inNamespace does something in the namespace of the store and in no other of that name. If
// the account has lost its rights there, they are given to it again.
func (c *connection) inNamespace(ctx context.Context, owner kube.Owner, do func() error) error {
	state, err := c.kube.Namespace(ctx, owner)
	if err != nil {
		return err
	}
	if state.Phase == kube.Missing {
		return errNoNamespace
	}
	if err = do(); !apierrors.IsForbidden(err) {
		return err
	}
	_, bindErr := c.kube.BindRole(ctx, owner, c.account)
	switch {
	case apierrors.HasStatusCause(bindErr, corev1.NamespaceTerminatingCause):
		return errNoNamespace
	case bindErr != nil:
		return bindErr
	}
	for tries := 0; apierrors.IsForbidden(err) && untilEffect(ctx, tries) == nil; tries++ {
		err = do()
	}
	return err
}

// FollowEvents watches what the cluster reports about the store. All who follow one store
// share a watch.
func (p *Provisioner) FollowEvents(st store.Store) (*Following, error) {
	return p.events.follow(st.Namespace)
}

// eventWatches are the event watches that somebody looks at, by namespace.
type eventWatches struct {
	cluster *cluster
	mu      sync.Mutex
	watches map[string]*sharedWatch
}

type sharedWatch struct {
	*kube.EventWatch
	followers int
}

func newEventWatches(c *cluster) *eventWatches {
	return &eventWatches{cluster: c, watches: map[string]*sharedWatch{}}
}

// Following is one reader's hold on a shared watch of events.
type Following struct {
	Changed <-chan struct{} // signalled when there is something new
	watch   *kube.EventWatch
	end     func()
}

// Events returns those that are known now, newest first.
func (f *Following) Events() []kube.Event { return f.watch.Events() }

// Close ends the hold; with the last one the watch ends.
func (f *Following) Close() { f.end() }

func (e *eventWatches) follow(namespace string) (*Following, error) {
	conn := e.cluster.connection()
	if conn == nil {
		return nil, ErrUnreachable
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	shared := e.watches[namespace]
	if shared == nil {
		watch, err := conn.kube.WatchEvents(namespace)
		if err != nil {
			return nil, err
		}
		shared = &sharedWatch{EventWatch: watch}
		e.watches[namespace] = shared
	}
	shared.followers++
	changed, cancel := shared.Subscribe()
	end := sync.OnceFunc(func() { cancel(); e.leave(namespace, shared) })
	return &Following{Changed: changed, watch: shared.EventWatch, end: end}, nil
}

func (e *eventWatches) leave(namespace string, shared *sharedWatch) {
	e.mu.Lock()
	shared.followers--
	last := shared.followers == 0
	if last && e.watches[namespace] == shared {
		delete(e.watches, namespace)
	}
	e.mu.Unlock()
	if last {
		shared.Close()
	}
}

func (e *eventWatches) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for namespace, shared := range e.watches {
		shared.Close()
		delete(e.watches, namespace)
	}
}
