package handlers

import (
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

// Of a store with a long history the page has events of earlier jobs too: only those of the job count.
func TestTimelineIsThatOfOneJob(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	job := store.Job{ID: "2", Kind: store.ChangeJob, Args: store.Args{Change: store.Change{Kind: store.Upgrade}}, AskedAt: at.Add(time.Minute)}
	for _, other := range []store.Kind{
		store.StepStarted, store.StepProgressed, store.StepFinished, store.StoreFailed, store.StoreReady, store.StoreRetried,
		store.StoreDeleted, store.StoreUndone, store.ChangeCancelled, store.Checked,
	} {
		got := workOn(job, []store.Event{
			{JobID: "1", Kind: other, Step: store.StepSetup, At: at},
			{JobID: "2", Kind: store.UpgradeAsked, At: at.Add(time.Minute)},
			{JobID: "2", Kind: store.StepStarted, Step: store.StepRelease, At: at.Add(2 * time.Minute)},
			{Kind: other, Step: store.StepSetup, At: at.Add(3 * time.Minute)},
		}).view()
		if got.Title != "Upgrading the shop" || len(got.Steps) != len(store.ChangeSteps()) || !got.Running || got.Steps[1].State != views.TickRunning {
			t.Errorf("beside %s of another job the timeline is %+v", other, got)
		}
	}
}
