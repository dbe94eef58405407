package provisioner

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"shopwright.dev/shopwright/provisioner/kube"
)

// takesEffect bounds how long rights that were given may be unknown to an API server. Mostly
// it is milliseconds, but this process may have little time of its own in between: so many
// tries are made as well.
const (
	takesEffect  = 30 * time.Second
	longestPause = 3 * time.Second
)

// untilEffect is the pause after so many tries of what was forbidden. It returns an error
// when no further try is worth it.
func untilEffect(ctx context.Context, tries int) error {
	pause := 20 * time.Millisecond << tries
	if pause > longestPause {
		return errors.New("the permissions do not take effect")
	}
	return sleep(ctx, pause)
}

// bindRole gives the account its rights in the store's namespace. It reports whether it did
// not have them.
func (w *worker) bindRole(ctx context.Context, conn *connection) (lacking bool, err error) {
	lacking, err = conn.kube.BindRole(ctx, w.owner(), conn.account)
	if err == nil {
		w.boundAt, w.failures = time.Now(), 0
	}
	return lacking, err
}

// getsRights reports whether what was forbidden in the store's namespace is to be tried again,
// after a pause: because the rights were given a moment ago, or are now.
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

// regainsRights gives the account its rights again. Whoever made the namespace may have ended
// before it did, somebody may have taken them, and they go first when the namespace goes.
func (w *worker) regainsRights(ctx context.Context) bool {
	conn := w.cluster.connection()
	if conn == nil {
		return false
	}
	first := w.boundAt.IsZero()
	lacking, err := w.bindRole(ctx, conn)
	if err != nil {
		w.settled = settled{} // whether there still is a namespace
		return !terminal(err)
	}
	return lacking || first
}
