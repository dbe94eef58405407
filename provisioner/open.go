package provisioner

import (
	"context"
	"maps"

	"shopwright.dev/shopwright/provisioner/kube"
)

// opening brings a store about that was never ready.
func opening() kind {
	return kind{
		wanted:  (*worker).wantsWork,
		observe: (*worker).observeOpen,
		next:    inOrder(checkNamespace, checkData, ensureNamespace, ensureLimitsAndCredentials, ensureRelease, loadData, awaitWorkloads, proveSale),
		acts:    together(namespaceActs(), releaseActs(), restoreActs(), saleActs()),
		ends:    together(restoreEnds(), saleEnds()),
		judge:   (*worker).judge,
		recover: (*worker).recover,
	}
}

func together(all ...map[verb]act) map[verb]act {
	acts := map[verb]act{}
	for _, some := range all {
		maps.Copy(acts, some)
	}
	return acts
}

// observeOpen reads how far a store is on its way to be ready.
func (w *worker) observeOpen(ctx context.Context, conn *connection, o *observed) (err error) {
	w.observeNotice(o, o.Snapshot)
	o.Snapshot = withoutScheduled(o.Snapshot)
	w.observeReplaced(o)
	w.observeOpening(o)
	if err := w.observeNamespace(ctx, conn, o); err != nil || o.Foreign || o.Namespace.Phase != kube.Active {
		return err
	}
	if err := w.observeParts(ctx, conn, o); err != nil {
		return err
	}
	if !w.settled.applied {
		if o.Unmet, err = w.unmet(conn); err != nil {
			return err
		}
	}
	if err := w.observeRestore(ctx, conn, o); err != nil {
		return err
	}
	return w.observeRelease(ctx, conn, o)
}
