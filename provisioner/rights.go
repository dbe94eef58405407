package provisioner

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"shopwright.dev/shopwright/provisioner/kube"
)

// takesEffect bounds how long rights that were given may be unknown to an API server. Mostly
// it is milliseconds.
const takesEffect = 5 * time.Second

// untilEffect is the pause after so many tries of what was forbidden. It returns an error
// when no further try is worth it.
func untilEffect(ctx context.Context, tries int) error {
	pause := 20 * time.Millisecond << tries
	if pause > takesEffect/2 {
		return errors.New("the rights do not take effect")
	}
	return sleep(ctx, pause)
}

// bindRole gives the account its rights in the store's namespace.
func (w *worker) bindRole(ctx context.Context, conn *connection) error {
	if err := conn.kube.BindRole(ctx, w.owner(), conn.account); err != nil {
		return err
	}
	w.boundAt, w.failures = time.Now(), 0
	return nil
}

// getsRights reports whether what was forbidden in the store's namespace is to be tried again,
// after a pause: because the rights have just been given, or are now. Whoever made the
// namespace may have ended before, and somebody may have taken them.
func (w *worker) getsRights(ctx context.Context, err error) bool {
	if !apierrors.IsForbidden(err) || w.settled.namespace.Phase != kube.Active {
		return false
	}
	if conn := w.cluster.connection(); w.boundAt.IsZero() && (conn == nil || w.bindRole(ctx, conn) != nil) {
		return false
	}
	if time.Since(w.boundAt) > takesEffect || untilEffect(ctx, w.failures) != nil {
		w.boundAt = time.Time{} // whoever tries once more gives them anew
		return false
	}
	w.failures++
	return true
}
