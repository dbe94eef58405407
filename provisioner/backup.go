package provisioner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// backupPatience is how long a backup may wait for a pod: the quota is full, or admission refuses it.
const backupPatience = 2 * time.Minute

// What is done in a backup.
const (
	clearBackups verb = "clear other backups"
	createBackup verb = "create backup"
	recordPoint  verb = "record point"
	failBackup   verb = "fail backup"
)

// backingUp makes a restore point of a store that is ready. The store is not changed, and stays ready.
func backingUp() kind {
	return kind{
		wanted: (*worker).wantsBackup, observe: (*worker).observeBackup, next: nextBackup,
		acts:    map[verb]act{clearBackups: (*worker).clearBackups, createBackup: (*worker).createBackup},
		ends:    map[verb]act{recordPoint: (*worker).recordPoint, failBackup: (*worker).failBackup},
		abandon: (*worker).abandonBackup,
		recover: (*worker).recoverBackup,
	}
}

// nextBackup makes the point with one Job. What is left of another one is cleared away first, and is seen to
// be gone: its pods may still write to the same repository, whose locks the new Job removes.
func nextBackup(_ store.Store, o observed) action {
	run := o.Backup
	switch {
	case len(run.Others) > 0:
		return action{Do: clearBackups}
	case run.Failure.Code != "":
		return action{Do: failBackup, Step: run.Step}
	case run.Done:
		return action{Do: recordPoint, Step: store.StepManifest}
	case !run.Granted && run.Remains != "":
		return action{Do: wait, Step: run.Step}
	case !run.Granted:
		return action{Do: createBackup, Step: run.Step}
	default:
		return action{Do: wait, Step: run.Step}
	}
}

// wantsBackup reports whether the store can still be backed up, and is what it was when the backup was
// claimed. A backup that a change waited for ends with the waiting.
func (w *worker) wantsBackup(st store.Store) bool {
	if st.Job.After == w.claim.Job.ID {
		return st.Job.Waits() && st.Job.ID == w.claimed
	}
	return st.CanBackUp() && st.Job.ID == w.claimed
}

func (w *worker) observeBackup(ctx context.Context, conn *connection, o *observed) error {
	o.Backup = backupOf(o.Snapshot, w.claim.Job.ID)
	w.observeGrant(&o.Backup.pointRun)
	if o.Backup.Done || o.Backup.Failure.Code != "" {
		return nil
	}
	stuck, hopeless := o.Backup.stuck()
	switch {
	case w.remains(o.Backup.pointRun):
		o.Backup.Failure = stepFailed(store.StepRepository, 0, "the pod "+o.Backup.Remains+" of an earlier backup is still being deleted")
	case w.hopeless.during(hopeless) >= hopelessFor:
		o.Backup.Failure = stuck
	case w.unseen.during(o.Backup.Job.Succeeded && len(o.Backup.pods) == 0) >= patience: // somebody has deleted its pod
		o.Backup.Failure = stepFailed(store.StepManifest, 0, "the pod with the result is gone")
	case w.podless.during(o.Backup.Job.LacksPods()) >= backupPatience:
		w.podless = condition{} // the events are not read at every turn
		if refusal, err := w.refusalOf(ctx, conn, o.Backup.Job); refusal.Code != "" || err != nil {
			o.Backup.Failure = refusal
			return err
		}
	}
	return nil
}

// advanceBackup records the step of the backup when it is another one.
func (w *worker) advanceBackup(ctx context.Context, step store.Step) error {
	if step == "" || step == w.claim.Job.Step {
		return nil
	}
	if err := w.db.AdvanceBackup(ctx, w.claim, step); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claim.Job.Step = step
	return nil
}

func (w *worker) clearBackups(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	return store.Note{}, w.deleteJobs(ctx, conn, o.Backup.Others)
}

// createBackup begins the run, or gives one that another holder has begun what it may lack.
func (w *worker) createBackup(ctx context.Context, conn *connection, _ observed) (store.Note, error) {
	repository, err := w.db.RepositoryOf(ctx, w.claim)
	if errors.Is(err, store.ErrSealed) {
		return store.Note{}, &backupError{store.Failure{Code: store.TargetSealed, Facts: store.Facts{Name: repository.Target.Name}}}
	}
	if err != nil {
		return store.Note{}, err
	}
	cleanup, snapshots, err := w.db.BeginCleanup(ctx, w.claim)
	if err != nil {
		return store.Note{}, err
	}
	run, err := w.runOfBackup(repository)
	if err != nil {
		return store.Note{}, err
	}
	run.Secret["forget"], run.Secret["prune"] = listed(snapshots), nil
	if cleanup.Prune {
		run.Secret["prune"] = listed([]string{"yes"})
	}
	has, err := conn.kube.CreatePointRun(ctx, w.owner(), run)
	if err == nil && !has {
		err = &backupError{store.Failure{Code: store.BackupUnsupported, Facts: store.Facts{Chart: w.claim.Store.ChartVersion}}}
	}
	w.settled.granted = err == nil
	return store.Note{}, err
}

// runOfBackup is what the Job needs: the files are those that the chart's script reads.
func (w *worker) runOfBackup(r store.Repository) (kube.PointRun, error) {
	st := w.claim.Store
	about, err := json.Marshal(map[string]any{
		"id": st.ID, "name": st.Name, "slug": st.Slug, "host": st.Host, "engine": st.Engine, "template": st.Template, "country": st.Country, "currency": st.Currency,
		"generation": st.Generation, "revision": st.Revision, "chart": st.ChartVersion, "plan": st.Plan,
	})
	if err != nil {
		return kube.PointRun{}, fmt.Errorf("describe store %s: %w", st.ID, err)
	}
	run, err := newPointRun(kube.BackupTemplate, w.claim.Job, r)
	run.Point, run.Secret["store.json"] = w.claim.Job.ID, about
	return run, err
}

// listed is a file with one entry in each line.
func listed(entries []string) []byte {
	var file []byte
	for _, entry := range entries {
		file = append(append(file, entry...), '\n')
	}
	return file
}

func (w *worker) recordPoint(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	st, manifest := w.claim.Store, o.Backup.Manifest
	if err := w.db.FinishCleanup(ctx, w.claim, o.Backup.Cleanup); err != nil {
		return store.Note{}, err
	}
	if o.Backup.Cleanup.Failed != "" {
		w.log.Warn("restore points that are not kept stay in the target for now", "quote", o.Backup.Cleanup.Failed)
	}
	manifest.Generation, manifest.Revision, manifest.Chart = st.Generation, st.Revision, st.ChartVersion
	if err := w.db.RecordPoint(ctx, w.claim, manifest); err != nil {
		return store.Note{}, err
	}
	w.clearAfter(ctx, conn, o.Backup.pointRun)
	return store.Note{}, nil
}

func (w *worker) failBackup(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	failure := o.Backup.Failure
	if failure.Code == store.RepositoryForeign {
		if repository, err := w.db.RepositoryOf(ctx, w.claim); err == nil {
			failure.Facts.Name = repository.Target.Name
		}
	}
	if err := w.db.FailBackup(ctx, w.claim, failure); err != nil {
		return store.Note{}, err
	}
	w.log.Warn("the backup failed", "code", failure.Code, "step", failure.Facts.Doing, "exit", failure.Facts.ExitCode, "quote", failure.Facts.Quote)
	w.clearAfter(ctx, conn, o.Backup.pointRun)
	return store.Note{}, nil
}

// abandonBackup deletes the Job of a backup that was cancelled, before somebody else works on the store.
func (w *worker) abandonBackup(ctx context.Context, conn *connection) error {
	run := backupOf(conn.watcher.Snapshot(w.claim.Store.Namespace), "")
	return w.deleteJobs(ctx, conn, run.Others)
}

// backupError ends a backup with a failure.
type backupError struct{ failure store.Failure }

// Error implements error.
func (e *backupError) Error() string { return "the backup can’t be made: " + string(e.failure.Code) }

// recoverBackup decides what an error of a backup means: another turn, a failure, or that it goes on
// later.
func (w *worker) recoverBackup(ctx *lease, err error) (done bool) {
	refused, final := errors.AsType[*backupError](err)
	switch {
	case errors.Is(err, store.ErrStale): // it was cancelled, which the next turn sees, or others have claimed the store
		st, unread := w.db.UnguardedStore(ctx, w.claim.Store.ID)
		return unread != nil || w.wantsBackup(st)
	case terminal(err) && w.getsRights(ctx, err):
		return false
	case terminal(err):
		refused, final = &backupError{store.Failure{Code: store.RequestDenied, Facts: store.Facts{Quote: firstLine(err)}}}, true
	}
	if final {
		if err = w.db.FailBackup(ctx, w.claim, refused.failure); err == nil {
			w.log.Warn("the backup failed", "code", refused.failure.Code)
			return true
		}
	}
	w.log.Warn("the backup can’t go on", "error", err)
	w.cluster.doubt(ctx)
	_ = sleep(ctx, pingEvery) // the next to claim it would meet the same
	return true
}

// lastLine is the last line of a text that is not empty.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
