package provisioner

import (
	"fmt"
	"slices"
	"strings"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// unmet finds what the plan or the cluster lacks for a release, before anything of it is
// made: a volume claim keeps the class that it was made with. A failure without a title
// says that nothing is lacking.
func (w *worker) unmet(conn *connection) (store.Failure, error) {
	short, err := w.shortage(w.engine, w.plan)
	if err != nil {
		return store.Failure{}, err
	}
	if short != "" {
		return planTooSmall(short), nil
	}
	return missingClass(w.site, conn.watcher.Classes()), nil
}

// missingClass looks for the classes that stores are told to use. An ingress that names
// none is left to the cluster: some controllers serve it without any class.
func missingClass(site engine.Spec, c kube.Classes) store.Failure {
	switch {
	case site.StorageClass == "" && !c.DefaultStorage:
		return noDefaultStorage(c.Storage)
	case site.StorageClass != "" && !slices.Contains(c.Storage, site.StorageClass):
		return noSuchClass("storage", "STORAGE_CLASS", site.StorageClass, c.Storage)
	case site.IngressClass != "" && !slices.Contains(c.Ingress, site.IngressClass):
		return noSuchClass("ingress", "INGRESS_CLASS", site.IngressClass, c.Ingress)
	default:
		return store.Failure{}
	}
}

func noDefaultStorage(there []string) store.Failure {
	return store.Failure{
		Title: "The cluster has no default storage class",
		Cause: fmt.Sprintf("The store’s disks name no storage class, and the cluster has no default. Its storage classes: %s.", listOf(there)),
		Next:  "Make one of them the default, or set SHOPWRIGHT_STORAGE_CLASS and restart Shopwright. Then press Retry.",
	}
}

func noSuchClass(kind, setting, name string, there []string) store.Failure {
	return store.Failure{
		Title: fmt.Sprintf("The cluster has no such %s class", kind),
		Cause: fmt.Sprintf("Stores use the %[1]s class %[2]s, but the cluster doesn’t have it. Its %[1]s classes: %[3]s.", kind, name, listOf(there)),
		Next:  fmt.Sprintf("Create that class, or change SHOPWRIGHT_%s and restart Shopwright. Then press Retry.", setting),
	}
}

func planTooSmall(cause string) store.Failure {
	return store.Failure{
		Title: "The plan is too small",
		Cause: cause,
		Next:  "Ask an administrator for a larger plan and press Retry, or delete the store.",
	}
}

func listOf(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
