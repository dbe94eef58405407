// Package kube holds thin verbs over client-go: what Shopwright asks of a cluster, without
// any opinion on when. It knows stores only by namespace and id.
package kube

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Labels that Shopwright sets. Only the store's id decides which store owns an object.
const (
	LabelManagedBy = "app.kubernetes.io/managed-by"
	LabelStoreID   = "shopwright.dev/store-id"
	LabelComponent = "app.kubernetes.io/component"

	managedBy          = "shopwright"
	annotationReplicas = "shopwright.dev/replicas" // how many a workload's chart asks for
	annotationRetried  = "shopwright.dev/retried-at"
	labelSimulated     = "shopwright.dev/simulated" // on kube-system: the nodes run no containers
)

// Client talks to one cluster. It is safe for concurrent use.
type Client struct {
	set    kubernetes.Interface
	config *rest.Config
}

// NewClient returns a client for the configuration, without its own throttle: the API
// server's priority and fairness is the one that knows. Its requests end within half a
// minute, but for logs and for watches that have begun.
func NewClient(config *rest.Config) (*Client, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1
	config.Wrap(newBounded)
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a Kubernetes client: %w", err)
	}
	return &Client{set: set, config: config}, nil
}

// Identity is what tells one cluster from another.
type Identity struct {
	UID       string // of the namespace kube-system
	Version   string // of the API server
	Simulated bool   // its nodes run no containers
}

// Identity asks the cluster who it is.
func (c *Client) Identity(ctx context.Context) (Identity, error) {
	system, err := c.set.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return Identity{}, fmt.Errorf("read namespace kube-system: %w", err)
	}
	version, err := c.set.Discovery().ServerVersion()
	if err != nil {
		return Identity{}, fmt.Errorf("read the API server's version: %w", err)
	}
	return Identity{
		UID:       string(system.UID),
		Version:   version.GitVersion,
		Simulated: system.Labels[labelSimulated] == "true",
	}, nil
}

// Ping asks the cluster for its UID, which is the cheapest proof that it still is itself.
func (c *Client) Ping(ctx context.Context) (uid string, err error) {
	system, err := c.set.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("read namespace kube-system: %w", err)
	}
	return string(system.UID), nil
}

// Secret reads a Secret's data.
func (c *Client) Secret(ctx context.Context, namespace, name string) (map[string][]byte, error) {
	secret, err := c.set.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read secret %s/%s: %w", namespace, name, err)
	}
	return secret.Data, nil
}

// HasSecret reports whether there is a Secret of that name with something in it.
func (c *Client) HasSecret(ctx context.Context, namespace, name string) (bool, error) {
	data, err := c.Secret(ctx, namespace, name)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return len(data) > 0, err
}

// OwnsSecret reports whether there is a Secret of that name which bears the store's id. One that
// the account may not read is not the store's.
func (c *Client) OwnsSecret(ctx context.Context, owner Owner, name string) (bool, error) {
	secret, err := c.set.CoreV1().Secrets(owner.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read secret %s/%s: %w", owner.Namespace, name, err)
	}
	return owner.owns(secret), nil
}

// AddToSecret gives a Secret the entries that it lacks, and leaves the others as they are.
func (c *Client) AddToSecret(ctx context.Context, namespace, name string, data map[string][]byte) error {
	secrets := c.set.CoreV1().Secrets(namespace)
	secret, err := secrets.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read secret %s/%s: %w", namespace, name, err)
	}
	if secret.Data == nil { // a Secret without entries has no map
		secret.Data = map[string][]byte{}
	}
	before := len(secret.Data)
	for key, value := range data {
		if _, there := secret.Data[key]; !there {
			secret.Data[key] = value
		}
	}
	if len(secret.Data) == before {
		return nil
	}
	if _, err := secrets.Update(ctx, secret, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("update secret %s/%s: %w", namespace, name, err)
	}
	return nil
}

// CreateSecret makes a Secret. One that exists gets the entries that it lacks.
func (c *Client) CreateSecret(ctx context.Context, owner Owner, name string, data map[string][]byte) error {
	_, err := c.set.CoreV1().Secrets(owner.Namespace).Create(ctx, &corev1.Secret{
		ObjectMeta: owner.meta(name),
		Data:       data,
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return c.AddToSecret(ctx, owner.Namespace, name, data)
	}
	if err != nil {
		return fmt.Errorf("create secret %s/%s: %w", owner.Namespace, name, err)
	}
	return nil
}
