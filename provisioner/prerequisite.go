package provisioner

import (
	"slices"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// unmet finds what the plan or the cluster lacks for a release, before anything of it is
// made: a volume claim keeps the class that it was made with. A failure without a code
// says that nothing is lacking.
func (w *worker) unmet(conn *connection) (store.Failure, error) {
	short, err := w.shortage(w.engine, w.plan)
	if err != nil {
		return store.Failure{}, err
	}
	if len(short.Shortages) > 0 {
		return store.Failure{Code: store.PlanTooSmall, Facts: short}, nil
	}
	return missingClass(w.site, conn.watcher.Classes()), nil
}

// missingClass looks for the classes that stores are told to use. An ingress that names
// none is left to the cluster: some controllers serve it without any class.
func missingClass(site engine.Spec, c kube.Classes) store.Failure {
	switch {
	case site.StorageClass == "" && !c.DefaultStorage:
		return store.Failure{Code: store.NoDefaultStorage, Facts: store.Facts{Names: c.Storage}}
	case site.StorageClass != "" && !slices.Contains(c.Storage, site.StorageClass):
		return store.Failure{Code: store.NoStorageClass, Facts: store.Facts{Name: site.StorageClass, Names: c.Storage}}
	case site.IngressClass != "" && !slices.Contains(c.Ingress, site.IngressClass):
		return store.Failure{Code: store.NoIngressClass, Facts: store.Facts{Name: site.IngressClass, Names: c.Ingress}}
	default:
		return store.Failure{}
	}
}
