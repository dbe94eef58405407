package handlers

import (
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
)

// The oldest events of a long history are not read: whichever is then the first one, the work that
// was asked for last is told.
func TestTimelineOfALongHistory(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, first := range []store.Kind{
		store.StepStarted, store.StepProgressed, store.StepFinished, store.StoreFailed, store.StoreReady, store.StoreRetried,
		store.StoreDeleted, store.StoreUndone, store.ChangeCancelled, store.Checked,
	} {
		got := timeline([]store.Event{
			{Kind: first, Step: store.StepSetup, At: at},
			{Kind: store.UpgradeAsked, At: at.Add(time.Minute)},
			{Kind: store.StepStarted, Step: store.StepRelease, At: at.Add(2 * time.Minute)},
		})
		if got.Title != "Upgrading the shop" || len(got.Steps) != len(store.ChangeSteps()) || !got.Running {
			t.Errorf("after %s the timeline is %+v", first, got)
		}
	}
}
