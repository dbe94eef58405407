package store_test

import (
	"testing"

	"shopwright.dev/shopwright/store"
)

// Once the work got past the namespace, which was found empty, what is there is the store's own.
func TestRetryElsewhereKnowsItsOwn(t *testing.T) {
	t.Parallel()
	for step, want := range map[store.Step]bool{store.StepNamespace: true, store.StepRelease: false, store.StepData: false} {
		st := store.Store{Job: store.Job{Kind: store.ChangeJob, Args: store.Args{Change: store.Change{Kind: store.Rebuild, Elsewhere: true}}}}
		st.Job.Failure.Step = step
		if st.TryAgain(store.Actor{}); st.Job.Change.Elsewhere != want {
			t.Errorf("tried again after %s it is %t", step, st.Job.Change.Elsewhere)
		}
	}
}
