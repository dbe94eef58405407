package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"shopwright.dev/shopwright/handlers/api/v1"
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
		Pods []v1.Pod `json:"pods" nullable:"false"`
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
	out.Body.Pods = []v1.Pod{}
	for _, pod := range snapshot.Pods {
		out.Body.Pods = append(out.Body.Pods, podOf(pod))
	}
	return out, nil
}

type clusterEventsOutput struct {
	Body struct {
		Events []v1.ClusterEvent `json:"events" nullable:"false"`
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
	out.Body.Events = []v1.ClusterEvent{}
	for _, e := range events[:min(len(events), most)] {
		out.Body.Events = append(out.Body.Events, clusterEvent(e))
	}
	return out, nil
}

func clusterEvent(e kube.Event) v1.ClusterEvent {
	return v1.ClusterEvent{
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

type credentialsOutput struct {
	Body v1.Credentials
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
	return &credentialsOutput{Body: v1.Credentials{Username: login.Username, Password: login.Password, AdminURL: login.URL}}, nil
}

// capacityPatience is how long an answer waits until the nodes are counted.
const capacityPatience = 250 * time.Millisecond

func capacityOf(c provisioner.Capacity) v1.Capacity {
	shown := v1.Capacity{State: string(c.State), CountedAt: at(c.At), Room: []v1.Room{}}
	for _, r := range c.Room {
		shown.Room = append(shown.Room, v1.Room{Engine: r.Engine, Stores: r.Stores, More: r.More})
	}
	return shown
}

type healthOutput struct {
	Body v1.InstallationHealth
}

func (a *API) showHealth(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	cluster := a.Provisioner.Cluster()
	health := v1.InstallationHealth{
		Version: a.Version,
		Cluster: v1.ClusterHealth{
			Name: cluster.Name, Link: string(cluster.Link), Version: cluster.Version, Simulated: cluster.Simulated,
			Problem: legible.Text(cluster.Problem), Since: at(cluster.Since), Capacity: capacityOf(a.Provisioner.Capacity(ctx, capacityPatience)),
		},
		Database: v1.Database{OK: true},
	}
	if e, ok := errors.AsType[*store.Error](a.DB.Check(ctx)); ok {
		health.Database = v1.Database{Problem: e.Message}
	}
	health.OK = health.Database.OK && cluster.Link == provisioner.Connected
	return &healthOutput{Body: health}, nil
}
