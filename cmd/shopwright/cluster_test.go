package main_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// inventory names what is in a store's namespace, without Helm's records and the pods. A job
// is counted only: its name holds a sum of what it was made from.
func inventory(t *testing.T, slug string) (names []string) {
	t.Helper()
	admin, namespace, all := kubetest.Admin(t), "store-"+slug, metav1.ListOptions{}
	ctx := t.Context()
	deployments, err1 := admin.AppsV1().Deployments(namespace).List(ctx, all)
	sets, err2 := admin.AppsV1().StatefulSets(namespace).List(ctx, all)
	jobs, err3 := admin.BatchV1().Jobs(namespace).List(ctx, all)
	services, err4 := admin.CoreV1().Services(namespace).List(ctx, all)
	claims, err5 := admin.CoreV1().PersistentVolumeClaims(namespace).List(ctx, all)
	secrets, err6 := admin.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{LabelSelector: "owner!=helm"})
	ingresses, err7 := admin.NetworkingV1().Ingresses(namespace).List(ctx, all)
	quotas, err8 := admin.CoreV1().ResourceQuotas(namespace).List(ctx, all)
	for _, err := range []error{err1, err2, err3, err4, err5, err6, err7, err8} {
		if err != nil {
			t.Fatal(err)
		}
	}
	add := func(kind string, meta metav1.ObjectMeta) { names = append(names, kind+"/"+meta.Name) }
	each(deployments.Items, func(i int) { add("deployment", deployments.Items[i].ObjectMeta) })
	each(sets.Items, func(i int) { add("statefulset", sets.Items[i].ObjectMeta) })
	each(jobs.Items, func(i int) {
		if metav1.GetControllerOf(&jobs.Items[i]) == nil { // other than what is scheduled makes
			add("job", metav1.ObjectMeta{})
		}
	})
	each(services.Items, func(i int) { add("service", services.Items[i].ObjectMeta) })
	each(claims.Items, func(i int) { add("claim", claims.Items[i].ObjectMeta) })
	each(secrets.Items, func(i int) { add("secret", secrets.Items[i].ObjectMeta) })
	each(ingresses.Items, func(i int) { add("ingress", ingresses.Items[i].ObjectMeta) })
	each(quotas.Items, func(i int) { add("quota", quotas.Items[i].ObjectMeta) })
	slices.Sort(names)
	return names
}

func each[T any](items []T, do func(i int)) {
	for i := range items {
		do(i)
	}
}

func wantOneRelease(t *testing.T, slug string) {
	t.Helper()
	secrets, err := kubetest.Admin(t).CoreV1().Secrets("store-"+slug).List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm"})
	if err != nil {
		t.Fatal(err)
	}
	deployed := 0
	for _, s := range secrets.Items {
		if s.Labels["status"] == "deployed" {
			deployed++
		} else if s.Labels["status"] != "superseded" && s.Labels["status"] != "failed" {
			t.Errorf("%s is %s", s.Name, s.Labels["status"])
		}
	}
	if deployed != 1 {
		t.Errorf("store-%s has %d deployed releases", slug, deployed)
	}
}

func wantNoNamespace(t *testing.T, slug string) {
	t.Helper()
	_, err := kubetest.Admin(t).CoreV1().Namespaces().Get(t.Context(), "store-"+slug, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("store-%s is still there: %v", slug, err)
	}
}

// namespacesOf lists the store namespaces whose names end like that.
func namespacesOf(t *testing.T, mark string) (names []string) {
	t.Helper()
	list, err := kubetest.Admin(t).CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{LabelSelector: "shopwright.dev/store-id"})
	if err != nil {
		t.Fatal(err)
	}
	for _, ns := range list.Items {
		if strings.HasSuffix(ns.Name, mark) {
			names = append(names, ns.Name)
		}
	}
	slices.Sort(names)
	return names
}

// wantNoDisks waits until the volumes are gone that the claims in such namespaces had, which
// the cluster removes after the claims.
func wantNoDisks(t *testing.T, mark string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		list, err := kubetest.Admin(t).CoreV1().PersistentVolumes().List(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		left := slices.DeleteFunc(list.Items, func(v corev1.PersistentVolume) bool {
			return v.Spec.ClaimRef == nil || !strings.HasSuffix(v.Spec.ClaimRef.Namespace, mark)
		})
		if len(left) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%d disks are left, such as that of %s", len(left), left[0].Spec.ClaimRef.Namespace)
		}
	}
}

// databaseImage is that of the pod that runs.
func databaseImage(t *testing.T, slug string) string {
	t.Helper()
	return kubetest.PodImage(t, "store-"+slug, "mariadb-0")
}
