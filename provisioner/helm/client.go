// Package helm wraps the Helm SDK in thin verbs; when to use them is decided elsewhere. Outside tests
// no other package imports the SDK, so that a new version of it changes only this folder.
package helm

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// requestTimeout is the timeout of each request, so that an API server that never answers cannot
// block an action for ever.
const requestTimeout = 30 * time.Second

// Client runs Helm actions in one cluster. Configuration, discovery and mapper are shared
// by all of them; it is safe for concurrent use.
type Client struct {
	config    *rest.Config
	discovery discovery.CachedDiscoveryInterface
	mapper    meta.RESTMapper

	mu           sync.Mutex
	capabilities *chartutil.Capabilities
}

// NewClient returns a client for the configuration. It makes no request.
func NewClient(config *rest.Config) (*Client, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1
	config.Timeout = requestTimeout
	plain, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a discovery client: %w", err)
	}
	cached := memory.NewMemCacheClient(plain)
	return &Client{config: config, discovery: cached, mapper: restmapper.NewDeferredDiscoveryRESTMapper(cached)}, nil
}

// scope is where an action works.
type scope struct {
	namespace string
	fresh     bool // see [Request]
}

// configuration is the configuration of one action. Its requests end with the context, so that
// nothing goes on in the background once the verb has returned. Helm's log goes to the journal.
func (c *Client) configuration(ctx context.Context, in scope, said *journal) (*action.Configuration, error) {
	capabilities, err := c.describe()
	if err != nil {
		return nil, fmt.Errorf("ask the cluster what it can do: %w", err)
	}
	config := rest.CopyConfig(c.config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return bound{ctx: ctx, next: next} })
	if in.fresh {
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &untouched{next: next} })
	}
	config.Wrap(said.refusals.wrap)
	config.WarningHandler = said
	getter := &getter{Client: c, config: config, namespace: in.namespace}
	cfg := &action.Configuration{Capabilities: capabilities}
	if err := cfg.Init(getter, in.namespace, "secret", said.logf); err != nil {
		return nil, fmt.Errorf("prepare Helm: %w", err)
	}
	cfg.Releases.Driver = &remembering{Driver: cfg.Releases.Driver, answers: map[string][]*release.Release{}, empty: in.fresh}
	if client, ok := cfg.KubeClient.(*kube.Client); ok {
		cfg.KubeClient = trusting{client}
	}
	return cfg, nil
}

// describe reads the cluster's version and APIs, once. What templates see of them does not change
// while a cluster runs.
func (c *Client) describe() (*chartutil.Capabilities, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.capabilities != nil {
		return c.capabilities, nil
	}
	version, err := c.discovery.ServerVersion()
	if err != nil {
		return nil, err
	}
	apis, err := action.GetVersionSet(c.discovery)
	if err != nil {
		return nil, err
	}
	c.capabilities = &chartutil.Capabilities{
		KubeVersion: chartutil.KubeVersion{Version: version.GitVersion, Major: version.Major, Minor: version.Minor},
		APIVersions: apis,
		HelmVersion: chartutil.DefaultCapabilities.HelmVersion,
	}
	return c.capabilities, nil
}

// bound makes every request end with the context of the action that it belongs to.
type bound struct {
	ctx  context.Context //nolint:containedctx // Helm passes none of its own
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b bound) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := b.ctx.Err(); err != nil {
		return nil, context.Cause(b.ctx)
	}
	ctx, cancel := context.WithCancelCause(inheriting{Context: r.Context(), from: b.ctx})
	stop := context.AfterFunc(b.ctx, func() { cancel(context.Cause(b.ctx)) })
	response, err := b.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		stop()
		cancel(nil)
		return nil, err
	}
	response.Body = &boundBody{ReadCloser: response.Body, done: func() { stop(); cancel(nil) }}
	return response, nil
}

// inheriting adds the values of another context to its own, such as the fence of its requests.
type inheriting struct {
	context.Context //nolint:containedctx // it is one
	from            context.Context
}

// Value implements context.Context.
func (i inheriting) Value(key any) any {
	if value := i.Context.Value(key); value != nil {
		return value
	}
	return i.from.Value(key)
}

// getter gives Helm the shared parts.
type getter struct {
	*Client
	config    *rest.Config
	namespace string
}

// ToRESTConfig implements action.RESTClientGetter.
func (g *getter) ToRESTConfig() (*rest.Config, error) { return g.config, nil }

// ToDiscoveryClient implements action.RESTClientGetter.
func (g *getter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	return g.discovery, nil
}

// ToRESTMapper implements action.RESTClientGetter.
func (g *getter) ToRESTMapper() (meta.RESTMapper, error) { return g.mapper, nil }

// ToRawKubeConfigLoader implements action.RESTClientGetter. Helm asks it for the namespace
// only.
func (g *getter) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	return clientcmd.NewDefaultClientConfig(*clientcmdapi.NewConfig(), &clientcmd.ConfigOverrides{
		Context: clientcmdapi.Context{Namespace: g.namespace},
	})
}
