package provisioner

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"shopwright.dev/shopwright/store"
)

// runGuarded is run, except that a panic ends the work on this store only, and not the program
// with the work on all others.
func (w *worker) runGuarded(ctx context.Context) (err error) {
	defer func() {
		if value := recover(); value != nil {
			w.log.Error("the work on the store panicked", "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
			err = w.failPanicked(ctx)
		}
	}()
	return w.run(ctx)
}

// failPanicked records that the work cannot go on. A shop that was being checked has failed its
// check. A removal has no failure that a person could retry, so it is tried again after a pause.
func (w *worker) failPanicked(ctx context.Context) (err error) {
	st := w.claim.Store
	switch {
	case w.claim.Job.Kind == store.CheckJob:
		check := store.Check{Failed: "check", Message: "The check ended with an internal error of Shopwright."}
		_, err = w.db.RecordCheck(ctx, w.claim, check, w.nextCheck(false))
	case st.Desired == store.Present:
		_, err = w.db.Fail(ctx, w.claim, panicked())
	default:
		err = w.db.PutOff(ctx, w.claim, lookAgain)
	}
	if err != nil && !errors.Is(err, store.ErrStale) {
		w.log.Error("what the panic means for the store is not recorded", "error", err)
	}
	return err
}
