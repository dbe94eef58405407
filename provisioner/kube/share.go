package kube

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/retry"
)

// Shared is a Secret that stores get a copy of.
type Shared struct {
	Namespace string // of the original
	Name      string // of the original
	Copy      string // name of the copies
}

// NoOriginalError says that a Secret which stores share is not there.
type NoOriginalError struct{ Shared }

// Error implements error.
func (e *NoOriginalError) Error() string {
	return fmt.Sprintf("the secret %s/%s, shared by the stores, doesn’t exist", e.Namespace, e.Name)
}

// ShareSecret makes the store's copy the same as the original, or returns a NoOriginalError.
// The original is read last before the copy is written, so that of two who write at once
// none leaves an old one.
func (c *Client) ShareSecret(ctx context.Context, owner Owner, s Shared) error {
	raced := func(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }
	return retry.OnError(retry.DefaultRetry, raced, func() error {
		there, err := c.set.CoreV1().Secrets(owner.Namespace).Get(ctx, s.Copy, metav1.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("read secret %s/%s: %w", owner.Namespace, s.Copy, err)
		}
		if err != nil {
			there = nil
		}
		original, err := c.set.CoreV1().Secrets(s.Namespace).Get(ctx, s.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return &NoOriginalError{s}
		}
		if err != nil {
			return fmt.Errorf("read secret %s/%s: %w", s.Namespace, s.Name, err)
		}
		return c.writeCopy(ctx, there, &corev1.Secret{ObjectMeta: owner.meta(s.Copy), Type: original.Type, Data: original.Data})
	})
}

// writeCopy replaces the present object, nil if there is none, with the wanted one.
func (c *Client) writeCopy(ctx context.Context, there, wanted *corev1.Secret) (err error) {
	api := c.set.CoreV1().Secrets(wanted.Namespace)
	if there != nil && there.Type == wanted.Type {
		if maps.EqualFunc(there.Data, wanted.Data, slices.Equal) {
			return nil
		}
		wanted.ResourceVersion = there.ResourceVersion
		_, err = api.Update(ctx, wanted, metav1.UpdateOptions{})
		return doing(err, "update", wanted)
	}
	if there != nil { // the type of a secret stays what it is
		err = api.Delete(ctx, there.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &there.UID}})
		if err != nil && !apierrors.IsNotFound(err) {
			return doing(err, "replace", wanted)
		}
	}
	_, err = api.Create(ctx, wanted, metav1.CreateOptions{})
	return doing(err, "create", wanted)
}

func doing(err error, what string, secret *corev1.Secret) error {
	if err != nil {
		return fmt.Errorf("%s secret %s/%s: %w", what, secret.Namespace, secret.Name, err)
	}
	return nil
}

// WatchShared returns a channel that is signalled when an original is there and when it has
// changed, and a function that ends it.
func (c *Client) WatchShared(shared []Shared) (changed <-chan struct{}, end func(), err error) {
	set, err := c.throttled()
	if err != nil {
		return nil, nil, err
	}
	signals := &Signals{}
	changed, unsubscribe := signals.Subscribe("")
	var informers []cache.SharedIndexInformer
	for _, s := range shared {
		// Rights by name allow to watch by name only.
		one := kind{set.CoreV1().RESTClient(), "secrets", &corev1.Secret{}}.informer(s.Namespace, func(o *metav1.ListOptions) {
			o.FieldSelector = "metadata.name=" + s.Name
		})
		tell := func(any) { signals.Send("") }
		if _, err := one.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: tell, UpdateFunc: func(_, object any) { tell(object) },
		}); err != nil {
			return nil, nil, fmt.Errorf("watch secret %s/%s: %w", s.Namespace, s.Name, err)
		}
		informers = append(informers, one)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { runInformers(ctx, func() {}, informers...) })
	return changed, func() { cancel(); running.Wait(); unsubscribe() }, nil
}
