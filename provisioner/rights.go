package provisioner

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"shopwright.dev/shopwright/provisioner/kube"
)

// takesEffect is how long an API server may take to learn of permissions that were granted. Usually that
// is milliseconds, but this process may be slow in between, so the number of tries counts as well.
const (
	takesEffect  = 30 * time.Second
	longestPause = 3 * time.Second
)

// untilEffect pauses before the next try of a forbidden request, longer after each. It returns an error
// when another try is not worth it.
func untilEffect(ctx context.Context, tries int) error {
	pause := 20 * time.Millisecond << tries
	if pause > longestPause {
		return errors.New("the permissions do not take effect")
	}
	return sleep(ctx, pause)
}

// bindRole grants the account its permissions in the store's namespace. It reports whether they were missing.
func (w *worker) bindRole(ctx context.Context, conn *connection) (lacking bool, err error) {
	lacking, err = conn.kube.BindRole(ctx, w.owner(), conn.account)
	if err == nil {
		w.boundAt, w.failures = time.Now(), 0
	}
	return lacking, err
}

// getsRights reports whether to retry a request that was forbidden in the store's namespace, after a
// pause: because the permissions were granted a moment ago, or are now.
func (w *worker) getsRights(ctx context.Context, err error) bool {
	if !apierrors.IsForbidden(err) || w.settled.namespace.Phase != kube.Active {
		return false
	}
	if time.Since(w.boundAt) > takesEffect && !w.regainsRights(ctx) || untilEffect(ctx, w.failures) != nil {
		return false
	}
	w.failures++
	return true
}

// regainsRights grants the account its permissions again, and reports whether to retry. They are missing
// if the process that created the namespace ended before it granted them, if somebody removed them, and
// while the namespace terminates, which deletes them first.
func (w *worker) regainsRights(ctx context.Context) bool {
	conn := w.cluster.connection()
	if conn == nil {
		return false
	}
	first := w.boundAt.IsZero()
	lacking, err := w.bindRole(ctx, conn)
	if err != nil {
		w.settled = settled{} // check whether the namespace still exists
		return !terminal(err)
	}
	return lacking || first
}
