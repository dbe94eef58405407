package provisioner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

const (
	pingEvery   = 10 * time.Second
	pingTimeout = 5 * time.Second
	retryEvery  = 3 * time.Second
)

// Connector finds the way to the cluster. It may take minutes, where the cluster has to be
// built first, and reports what it does meanwhile.
type Connector func(ctx context.Context, report func(Progress)) (*rest.Config, error)

// Progress is how far a cluster is that is being built or started.
type Progress struct {
	Message string
	Done    int
	Total   int // zero when it cannot be told
}

// Link is the state of the connection to the cluster.
type Link string

// The states of a connection. Work is done only while it is connected.
const (
	Unconfigured Link = "unconfigured" // nobody named a cluster
	Starting     Link = "starting"     // the cluster is being built or started
	Connecting   Link = "connecting"
	Connected    Link = "connected"
	Unreachable  Link = "unreachable"
	Foreign      Link = "foreign" // another cluster answers under this name
)

// ClusterState is what the pages show of the cluster.
type ClusterState struct {
	Name      string
	Link      Link
	Progress  Progress // while starting
	Problem   string   // why it is unreachable or foreign, one sentence
	Version   string
	Simulated bool
	Answering string    // UID of the cluster that answers while the link is foreign
	Since     time.Time // of the present link state
}

// connection is what work needs of a cluster.
type connection struct {
	guard   *kube.Guard
	kube    *kube.Client
	helm    *helm.Client
	account kube.Account // as whom we work there; known before the connection is used
	watcher *kube.Watcher
}

// cluster keeps the connection to one cluster: it finds it, makes sure that it is the one
// that the database means, and watches whether it answers.
type cluster struct {
	record  store.Cluster
	db      *database.DB
	connect Connector
	renew   func() (*rest.Config, error)
	advice  string
	log     *slog.Logger
	changed kube.Signals
	census  *census

	mu    sync.Mutex
	uid   string // that the cluster told of itself
	state ClusterState
	conn  *connection
}

const clusterKey = "cluster"

func newCluster(c Config) *cluster {
	link := Connecting
	if c.Connect == nil {
		link = Unconfigured
	}
	return &cluster{
		record: c.Cluster, db: c.DB, connect: c.Connect, renew: c.Renew, advice: c.Advice, log: c.Log.With("cluster", c.Cluster.Name),
		census: newCensus(),
		state: ClusterState{
			Name: c.Cluster.Name, Link: link, Version: c.Cluster.Version, Simulated: c.Cluster.Simulated, Since: time.Now(),
		},
	}
}

// run keeps the connection until the context is done.
func (c *cluster) run(ctx context.Context) {
	if c.connect == nil {
		return
	}
	conn, err := c.find(ctx)
	if err != nil {
		return // only when the context is done
	}
	c.greet(ctx, conn)
	var watching sync.WaitGroup
	watching.Go(func() {
		conn.watcher.Run(ctx, func() { c.up(conn) })
	})
	c.ping(ctx, conn)
	watching.Wait()
}

// find asks the connector until it has an answer that can be used.
func (c *cluster) find(ctx context.Context) (*connection, error) {
	for pause := retryEvery; ; pause = min(2*pause, time.Minute) {
		config, err := c.connect(ctx, c.starting)
		if err == nil {
			var conn *connection
			if conn, err = newConnection(config, c.renew); err == nil {
				return conn, nil
			}
		}
		if ctx.Err() == nil {
			c.fail(Unreachable, "The cluster can’t be started or found: "+firstLine(err)+".", err)
		}
		if sleep(ctx, pause) != nil {
			return nil, ctx.Err()
		}
	}
}

func newConnection(config *rest.Config, renew func() (*rest.Config, error)) (*connection, error) {
	guard := &kube.Guard{Renew: renew}
	config, err := guard.Config(config)
	if err != nil {
		return nil, err
	}
	client, err := kube.NewClient(config)
	if err != nil {
		return nil, err
	}
	watcher, err := kube.NewWatcher(client)
	if err != nil {
		return nil, err
	}
	releases, err := helm.NewClient(config)
	if err != nil {
		return nil, fmt.Errorf("make a Helm client: %w", err)
	}
	return &connection{guard: guard, kube: client, helm: releases, watcher: watcher}, nil
}

// greet asks the cluster who it is until it is the right one.
func (c *cluster) greet(ctx context.Context, conn *connection) {
	for {
		err := c.identify(ctx, conn)
		if err == nil {
			return
		}
		switch {
		case errors.Is(err, store.ErrStale):
			c.foreign(err)
		case ctx.Err() == nil:
			c.unreachable(err)
		}
		if sleep(ctx, retryEvery) != nil {
			return
		}
	}
}

// identify finds out which cluster answers, and then as whom we work there.
func (c *cluster) identify(ctx context.Context, conn *connection) error {
	if err := c.recognise(ctx, conn); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*pingTimeout) // two questions, on a new connection
	defer cancel()
	account, err := conn.kube.Account(ctx)
	conn.account = account
	return err
}

func (c *cluster) recognise(ctx context.Context, conn *connection) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	id, err := conn.kube.Identity(ctx)
	if err != nil {
		return err
	}
	c.set(func(s *ClusterState) { s.Answering = id.UID })
	if err := c.db.RecordClusterSeen(ctx, c.record.ID, id.UID, id.Version, id.Simulated); err != nil {
		return err
	}
	conn.guard.Expect(id.UID)
	c.set(func(s *ClusterState) { s.Version, s.Simulated = id.Version, id.Simulated })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uid = id.UID
	return nil
}

// ping notices when the cluster goes away, comes back, or is another one.
func (c *cluster) ping(ctx context.Context, conn *connection) {
	for sleep(ctx, c.pause()) == nil {
		c.check(ctx, conn)
	}
}

// pause is shorter while work waits for the cluster.
func (c *cluster) pause() time.Duration {
	if c.connection() == nil {
		return retryEvery
	}
	return pingEvery
}

func (c *cluster) check(ctx context.Context, conn *connection) {
	ping, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	uid, err := conn.kube.Ping(ping)
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, kube.ErrOtherCluster):
		c.foreign(err)
	case err != nil:
		c.unreachable(err)
	case uid != c.known():
		c.foreign(fmt.Errorf("kube-system has the UID %s, not %s", uid, c.known()))
	case !c.meant(ping):
		c.foreign(errReplaced)
	case conn.watcher.Synced():
		c.up(conn)
	}
}

var errReplaced = errors.New("another cluster has taken its place")

// meant reports whether the database still means this cluster, as far as it can be read.
func (c *cluster) meant(ctx context.Context) bool {
	uid, err := c.db.ClusterUID(ctx, c.record.ID)
	return err != nil || uid == c.known()
}

// doubt is called by work that could not reach the API server: it need not wait for the
// next ping to be known.
func (c *cluster) doubt(ctx context.Context) {
	if conn := c.connection(); conn != nil {
		c.check(ctx, conn)
	}
}

func (c *cluster) unreachable(err error) { c.fail(Unreachable, c.explain(err), err) }

// explain says why the cluster cannot be worked with, and what to do. What an API server says comes over a
// connection: advice on the connection has nothing to do with it.
func (c *cluster) explain(err error) string {
	helper, silent := errors.AsType[*kube.HelperError](err)
	_, answered := errors.AsType[*apierrors.StatusError](err)
	switch {
	case silent:
		return "Can’t connect to the cluster: the program " + helper.Command + ", which provides the kubeconfig’s credentials, doesn’t finish. Run it manually to see what it waits for, or use a kubeconfig with a service account token."
	case apierrors.IsUnauthorized(err):
		return "The cluster rejects the credentials. Renew them in the kubeconfig; Shopwright reloads it automatically."
	case answered:
		return "The cluster returned an unexpected response: " + firstLine(err) + "."
	}
	return strings.TrimSpace("The cluster isn’t responding: " + firstLine(err) + ". " + c.advice)
}

func (c *cluster) foreign(err error) {
	c.fail(Foreign, "Another cluster answers under this name. Work has stopped. Configure the right cluster and restart Shopwright, or, if it is lost, let an administrator bring its stores back under Administration, Clusters.", err)
}

func (c *cluster) starting(p Progress) {
	c.set(func(s *ClusterState) { s.Link, s.Progress = Starting, p })
}

func (c *cluster) fail(link Link, problem string, err error) {
	if c.State().Link != link {
		c.log.Warn("cluster is "+string(link), "error", err, "problem", problem)
	}
	c.set(func(s *ClusterState) { s.Link, s.Problem = link, problem })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = nil
}

func (c *cluster) up(conn *connection) {
	c.mu.Lock()
	c.conn = conn
	c.mu.Unlock()
	if c.State().Link != Connected {
		c.log.Info("cluster is connected", "version", c.State().Version)
	}
	c.set(func(s *ClusterState) { s.Link, s.Problem, s.Progress = Connected, "", Progress{} })
}

// set changes the state and tells who listens, if it is another one.
func (c *cluster) set(change func(*ClusterState)) {
	c.mu.Lock()
	before := c.state
	change(&c.state)
	if c.state.Link != before.Link {
		c.state.Since = time.Now()
	}
	changed := c.state != before
	c.mu.Unlock()
	if changed {
		c.changed.Send(clusterKey)
	}
}

// State returns the last known state of the cluster.
func (c *cluster) State() ClusterState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// known is the UID of the cluster that the database means.
func (c *cluster) known() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.uid
}

// connection returns what work needs, or nil while there must be none.
func (c *cluster) connection() *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn
}

// wait returns the connection as soon as there is one.
func (c *cluster) wait(ctx context.Context) (*connection, error) {
	changed, cancel := c.changed.Subscribe(clusterKey)
	defer cancel()
	for {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if conn := c.connection(); conn != nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

// waitAtMost returns no connection when there is none within that time.
func (c *cluster) waitAtMost(ctx context.Context, limit time.Duration) (*connection, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := c.wait(limited)
	if err != nil && ctx.Err() == nil {
		return nil, nil //nolint:nilnil // neither is wrong
	}
	return conn, err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
