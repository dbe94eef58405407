package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
)

func (a *API) registerCluster() {
	register(a, operation{
		id: "list-pods", method: http.MethodGet, path: "/stores/{id}/pods", tag: tagCluster, scope: store.ReadStores,
		summary: "List the pods of a store",
	}, a.listPods)
	register(a, operation{
		id: "list-cluster-events", method: http.MethodGet, path: "/stores/{id}/events", tag: tagCluster, scope: store.ReadStores,
		summary: "List a store’s Kubernetes events", description: "Newest first, 200 at most.",
	}, a.listClusterEvents)
	register(a, operation{
		id: "show-credentials", method: http.MethodGet, path: "/stores/{id}/credentials", tag: tagCluster, scope: store.ReadCredentials,
		summary: "Show the admin login of a store", description: "Read from the store’s namespace, the only place that stores it. The audit log records each request.",
	}, a.showCredentials)
	register(a, operation{
		id: "show-health", method: http.MethodGet, path: "/health", tag: tagCluster,
		summary: "Show the health of the cluster and the database",
	}, a.showHealth)
}

type podsOutput struct {
	Body struct {
		Pods []Pod `json:"pods" nullable:"false"`
	}
}

func (a *API) listPods(ctx context.Context, in *StoreInput) (*podsOutput, error) {
	st, err := a.DB.FindStore(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	snapshot, known := a.Clusters.Of(st).Snapshot(st)
	if !known {
		return nil, provisioner.ErrUnreachable
	}
	out := &podsOutput{}
	out.Body.Pods = []Pod{}
	for _, pod := range snapshot.Pods {
		out.Body.Pods = append(out.Body.Pods, podOf(pod))
	}
	return out, nil
}

// ClusterEvent is what some part of Kubernetes reported about an object.
type ClusterEvent struct {
	Warning bool       `json:"warning"`
	Object  string     `json:"object" example:"pod/mariadb-0"`
	Reason  string     `json:"reason" example:"FailedScheduling"`
	Message string     `json:"message"`
	Count   int32      `json:"count"`
	First   *time.Time `json:"first,omitempty"`
	Last    *time.Time `json:"last,omitempty"`
}

type clusterEventsOutput struct {
	Body struct {
		Events []ClusterEvent `json:"events" nullable:"false"`
	}
}

func (a *API) listClusterEvents(ctx context.Context, in *StoreInput) (*clusterEventsOutput, error) {
	st, err := a.DB.FindStore(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	events, err := a.Clusters.Of(st).Events(ctx, st)
	if err != nil {
		return nil, a.ofCluster(ctx, st, err)
	}
	const most = 200
	out := &clusterEventsOutput{}
	out.Body.Events = []ClusterEvent{}
	for _, e := range events[:min(len(events), most)] {
		out.Body.Events = append(out.Body.Events, clusterEvent(e))
	}
	return out, nil
}

func clusterEvent(e kube.Event) ClusterEvent {
	return ClusterEvent{
		Warning: e.Warning, Object: word(e.Object), Reason: word(e.Reason), Message: legible.Text(e.Message),
		Count: e.Count, First: at(e.First), Last: at(e.Last),
	}
}

// ofCluster is what went wrong where the cluster was asked: what a person can be told stays,
// and everything else means that it did not answer as it should.
func (a *API) ofCluster(ctx context.Context, st store.Store, err error) error {
	if _, told := errors.AsType[*store.Error](err); told {
		return err
	}
	if !errors.Is(err, provisioner.ErrUnreachable) && ctx.Err() == nil {
		a.Log.Warn("the cluster can’t be read", "store", st.ID, "error", err)
	}
	return errClusterAway
}

// Credentials are what a shop's owner signs in to it with.
type Credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
	AdminURL string `json:"admin_url"`
}

type credentialsOutput struct {
	Body Credentials
}

func (a *API) showCredentials(ctx context.Context, in *StoreInput) (*credentialsOutput, error) {
	who := actorOf(ctx)
	st, err := a.DB.FindStore(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	login, err := a.Shops.Credentials(ctx, who, st)
	if err != nil {
		return nil, a.ofCluster(ctx, st, err)
	}
	return &credentialsOutput{Body: Credentials{Username: login.Username, Password: login.Password, AdminURL: login.URL}}, nil
}

// InstallationHealth tells what can be used now.
type InstallationHealth struct {
	OK       bool          `json:"ok" doc:"Whether both are available."`
	Version  string        `json:"version"`
	Cluster  ClusterHealth `json:"cluster"`
	Database Database      `json:"database"`
}

// ClusterHealth is the state of the connection to the cluster.
type ClusterHealth struct {
	Name      string     `json:"name"`
	Link      string     `json:"link" enum:"unconfigured,starting,connecting,connected,unreachable,foreign"`
	Version   string     `json:"version,omitempty" example:"v1.37.0"`
	Simulated bool       `json:"simulated" doc:"Whether the nodes are simulated and run no containers."`
	Problem   string     `json:"problem,omitempty"`
	Since     *time.Time `json:"since,omitempty"`
	Capacity  Capacity   `json:"capacity"`
}

// Capacity is how many more stores the nodes of a cluster hold.
type Capacity struct {
	State     string     `json:"state" enum:"unknown,forbidden,counted" doc:"Unknown until the nodes are counted, and while the cluster isn’t connected; forbidden if Shopwright isn’t allowed to list nodes."`
	CountedAt *time.Time `json:"counted_at,omitempty"`
	Room      []Room     `json:"room" nullable:"false"`
}

// Room is how many more stores of an engine fit, if they are all of that engine.
type Room struct {
	Engine string `json:"engine"`
	Stores int    `json:"stores" doc:"Estimated number of further stores, from the requests of the engine’s chart."`
	More   bool   `json:"more" doc:"Whether more than that fit."`
}

// capacityPatience is how long an answer waits until the nodes are counted.
const capacityPatience = 250 * time.Millisecond

func capacityOf(c provisioner.Capacity) Capacity {
	shown := Capacity{State: string(c.State), CountedAt: at(c.At), Room: []Room{}}
	for _, r := range c.Room {
		shown.Room = append(shown.Room, Room{Engine: r.Engine, Stores: r.Stores, More: r.More})
	}
	return shown
}

// Database is the state of the database.
type Database struct {
	OK      bool   `json:"ok"`
	Problem string `json:"problem,omitempty"`
}

type healthOutput struct {
	Body InstallationHealth
}

func (a *API) showHealth(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	cluster := a.Provisioner.Cluster()
	health := InstallationHealth{
		Version: a.Version,
		Cluster: ClusterHealth{
			Name: cluster.Name, Link: string(cluster.Link), Version: cluster.Version, Simulated: cluster.Simulated,
			Problem: legible.Text(cluster.Problem), Since: at(cluster.Since), Capacity: capacityOf(a.Provisioner.Capacity(ctx, capacityPatience)),
		},
		Database: Database{OK: true},
	}
	if e, ok := errors.AsType[*store.Error](a.DB.Check(ctx)); ok {
		health.Database = Database{Problem: e.Message}
	}
	health.OK = health.Database.OK && cluster.Link == provisioner.Connected
	return &healthOutput{Body: health}, nil
}
