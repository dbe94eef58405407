// Package ingress is an ingress controller for one node: it passes requests to the Services that Ingresses name, and
// tells the Ingresses its address. It knows hosts and paths (as in networking.k8s.io/v1), and neither TLS nor
// annotations.
package ingress

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// listen is where customers come in. The pod has the node's network.
const listen = ":80"

// controller keeps the table of routes as the Ingresses and Services of the cluster say.
type controller struct {
	client   kubernetes.Interface
	address  string
	informer informers.SharedInformerFactory
	changed  chan struct{}
	routes   atomic.Pointer[table]
}

// Run serves until ctx ends, and writes address into the status of every Ingress.
func Run(ctx context.Context, address string) error {
	config, err := rest.InClusterConfig()
	if err != nil {
		return fmt.Errorf("find the API server: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client of the API server: %w", err)
	}
	c := &controller{
		client: client, address: address, changed: make(chan struct{}, 1), informer: informers.NewSharedInformerFactory(client, 0),
	}
	if err := c.watch(ctx); err != nil {
		return err
	}
	go c.follow(ctx)
	return c.serve(ctx)
}

// watch fills the table for the first time.
func (c *controller) watch(ctx context.Context) error {
	change := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { c.poke() },
		UpdateFunc: func(any, any) { c.poke() },
		DeleteFunc: func(any) { c.poke() },
	}
	for _, informer := range []cache.SharedIndexInformer{
		c.informer.Networking().V1().Ingresses().Informer(), c.informer.Core().V1().Services().Informer(),
	} {
		if _, err := informer.AddEventHandler(change); err != nil {
			return fmt.Errorf("watch the cluster: %w", err)
		}
	}
	c.informer.Start(ctx.Done())
	c.informer.WaitForCacheSync(ctx.Done())
	return c.update(ctx)
}

func (c *controller) poke() {
	select {
	case c.changed <- struct{}{}:
	default: // one look at the cluster is due already
	}
}

func (c *controller) follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.changed:
			if err := c.update(ctx); err != nil {
				slog.Error("the routes are as they were", "error", err)
			}
		}
	}
}

func (c *controller) update(ctx context.Context) error {
	ingresses, err := c.informer.Networking().V1().Ingresses().Lister().List(labels.Everything())
	if err != nil {
		return fmt.Errorf("list Ingresses: %w", err)
	}
	c.routes.Store(newTable(ingresses, c.backend))
	for _, i := range ingresses {
		if err := c.tell(ctx, i); err != nil {
			slog.Warn("an Ingress does not know its address", "namespace", i.Namespace, "name", i.Name, "error", err)
		}
	}
	return nil
}

// backend is where a Service is found. One that there is not has no address, nor has what is no Service.
func (c *controller) backend(namespace string, service *networking.IngressServiceBackend) string {
	if service == nil {
		return ""
	}
	found, err := c.informer.Core().V1().Services().Lister().Services(namespace).Get(service.Name)
	if err != nil {
		return ""
	}
	for _, port := range found.Spec.Ports {
		if port.Port == service.Port.Number || service.Port.Name != "" && port.Name == service.Port.Name {
			return net.JoinHostPort(found.Spec.ClusterIP, fmt.Sprint(port.Port))
		}
	}
	return ""
}

func (c *controller) tell(ctx context.Context, ingress *networking.Ingress) error {
	told := ingress.Status.LoadBalancer.Ingress
	if len(told) == 1 && told[0].IP == c.address {
		return nil
	}
	ingress = ingress.DeepCopy()
	ingress.Status.LoadBalancer.Ingress = []networking.IngressLoadBalancerIngress{{IP: c.address}}
	_, err := c.client.NetworkingV1().Ingresses(ingress.Namespace).UpdateStatus(ctx, ingress, meta.UpdateOptions{})
	return err
}

func (c *controller) serve(ctx context.Context) error {
	server := &http.Server{
		Addr: listen, ReadHeaderTimeout: 30 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.routes.Load().ServeHTTP(w, r) }),
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve customers: %w", err)
	}
	return nil
}
