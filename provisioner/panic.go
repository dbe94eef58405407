package provisioner

import (
	"context"
	"errors"

	"shopwright.dev/shopwright/provisioner/service"
	"shopwright.dev/shopwright/store"
)

// runGuarded is run, except that a panic ends the work on this store only, and not the program
// with the work on all others.
func (w *worker) runGuarded(ctx context.Context) error {
	err := service.Guard(func() error { return w.run(ctx) })
	if panicked, ok := errors.AsType[*service.PanicError](err); ok {
		w.log.Error("the work on the store panicked", "error", panicked)
		return w.failPanicked(ctx)
	}
	return err
}

// failPanicked records that the work cannot go on. A shop that was being checked has failed its
// check, and a backup has failed. A removal has no failure that a person could retry, so it is tried again after a pause.
func (w *worker) failPanicked(ctx context.Context) (err error) {
	st := w.claim.Store
	switch {
	case w.claim.Job.Kind == store.CheckJob:
		err = w.failCheck(ctx, store.Note{Code: store.CheckBroken})
	case w.claim.Job.Kind == store.BackupJob:
		err = w.db.FailBackup(ctx, w.claim, store.Failure{Code: store.InternalError})
	case st.Desired == store.Present:
		_, err = w.db.Fail(ctx, w.claim, store.Failure{Code: store.InternalError})
	default:
		err = w.db.PutOff(ctx, w.claim, lookAgain)
	}
	if err != nil && !errors.Is(err, store.ErrStale) {
		w.log.Error("the panic can’t be recorded on the store", "error", err)
	}
	return err
}
