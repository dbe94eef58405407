package handlers

import (
	"strings"
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

// Each step of a backup ends with the next one, and the last with what came of it.
func TestTimelineOfABackup(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	job := store.Job{ID: "1", Kind: store.BackupJob, AskedAt: at}
	event := func(after time.Duration, kind store.Kind, step store.Step) store.Event {
		return store.Event{JobID: "1", Kind: kind, Step: step, At: at.Add(after)}
	}
	made, failed := event(9*time.Second, store.BackupDone, store.StepManifest), event(9*time.Second, store.BackupFailed, store.StepManifest)
	made.Data.Note = store.Note{Code: store.PointSimulated}
	failed.Data.Failure = store.Failure{Code: store.BackupOverdue, Facts: store.Facts{Doing: "manifest"}}
	cancelled := event(9*time.Second, store.BackupCancelled, store.StepManifest)
	for want, end := range map[string]store.Event{
		"done 1s; done 2s; done 0s; done 5s; done 1s Simulated: nothing was written":    made,
		"done 1s; done 2s; done 0s; done 5s; bad 1s Backup timed out":                   failed,
		"done 1s; done 2s; done 0s; done 5s; bad 1s Backup cancelled by another change": cancelled,
	} {
		got := workOn(job, []store.Event{
			event(0, store.BackupAsked, ""), event(time.Second, store.BackupProgressed, store.StepRepository),
			event(3*time.Second, store.BackupProgressed, store.StepFiles), event(8*time.Second, store.BackupProgressed, store.StepManifest), end,
		}).view()
		if steps := described(got.Steps); steps != want || got.Running || got.Took != 9*time.Second {
			t.Errorf("it is told as %s, want %s, in %s", steps, want, got.Took)
		}
	}
	early := workOn(job, []store.Event{event(time.Second, store.BackupFailed, "")}).view()
	if early.Running || early.Steps[0].State != views.TickBad {
		t.Errorf("what has failed in the queue is %+v", early)
	}
}

func described(steps []views.TimelineStep) string {
	words := map[views.Tick]string{views.TickDone: "done", views.TickBad: "bad", views.TickRunning: "running", views.TickToDo: "todo"}
	var all []string
	for _, s := range steps {
		text := words[s.State] + " " + s.Took.String()
		if s.State == views.TickBad || s.Name == "Manifest" {
			text += " " + s.Message
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}
