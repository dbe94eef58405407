package main

import (
	"context"
	"errors"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"shopwright.dev/shopwright/store"
)

// sweep removes every store that a bench has made, by whichever peer, and returns when they
// are gone: what goes away beside a measurement would be measured too.
func (b *bench) sweep(ctx context.Context) error {
	set, err := kubernetes.NewForConfig(b.admin.config)
	if err != nil {
		return err
	}
	found, err := benchNamespaces(ctx, set)
	if err != nil || len(found) == 0 {
		return err
	}
	b.note("%s: removing %d namespaces", b.section, len(found))
	if _, err := each(ctx, found, 16, func(ctx context.Context, name string) error { return empty(ctx, set, name) }); err != nil {
		return err
	}
	return until(ctx, time.Second, func(ctx context.Context) (bool, error) {
		found, err := benchNamespaces(ctx, set)
		return len(found) == 0, err
	})
}

func benchNamespaces(ctx context.Context, set kubernetes.Interface) ([]string, error) {
	list, err := set.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var found []string
	for _, namespace := range list.Items {
		if strings.HasPrefix(namespace.Name, store.Namespace("bench-")) {
			found = append(found, namespace.Name)
		}
	}
	return found, nil
}

// empty removes the workloads and the volumes before the namespace: a namespace without pods goes at once,
// one with pods waits for them much longer than they take.
func empty(ctx context.Context, set kubernetes.Interface, namespace string) error {
	background := metav1.DeletePropagationBackground
	o, all := metav1.DeleteOptions{PropagationPolicy: &background}, metav1.ListOptions{}
	apps, batch := set.AppsV1(), set.BatchV1()
	err := errors.Join(
		batch.CronJobs(namespace).DeleteCollection(ctx, o, all), apps.Deployments(namespace).DeleteCollection(ctx, o, all),
		apps.StatefulSets(namespace).DeleteCollection(ctx, o, all), batch.Jobs(namespace).DeleteCollection(ctx, o, all),
		set.CoreV1().Pods(namespace).DeleteCollection(ctx, o, all), // a check is nobody's
		set.CoreV1().PersistentVolumeClaims(namespace).DeleteCollection(ctx, o, all),
	)
	if err != nil {
		return err
	}
	err = until(ctx, 100*time.Millisecond, func(ctx context.Context) (bool, error) {
		pods, err := set.CoreV1().Pods(namespace).List(ctx, all)
		return err == nil && len(pods.Items) == 0, err
	})
	if err != nil {
		return err
	}
	return set.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{})
}
