package provisioner

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// restoreComponent is the component label of the pods that load a restore point.
const restoreComponent = "restore"

// What is done for the data of a store that is opened with a restore point.
const (
	clearRestores verb = "clear other restores"
	createRestore verb = "create restore"
	failRestore   verb = "fail restore"
	recordData    verb = "record data"
	resumeSetup   verb = "resume setup"
)

func restoreActs() map[verb]act {
	return map[verb]act{
		clearRestores: (*worker).clearRestores, createRestore: (*worker).createRestore, recordData: (*worker).recordData, resumeSetup: (*worker).resumeSetup,
	}
}

func restoreEnds() map[verb]act { return map[verb]act{failRestore: (*worker).failRestore} }

// pointNewer is the exit code of the charts' scripts for a point of a newer program. The last line says of which.
const pointNewer = 65

// What restic says of a point that is not in the target any more: an exit code, and a part of a message.
const (
	noRepository = 10
	noSnapshot   = "could not find snapshot"
)

// restoreRun is the progress of loading a restore point.
type restoreRun struct {
	pointRun
	Failure store.Failure // once it has failed
}

// restoreOf finds what the job loads.
func restoreOf(s kube.Snapshot, job string) restoreRun {
	run := restoreRun{pointRun: pointRunOf(s, restoreComponent, job)}
	switch {
	case run.Job.Failed && run.Job.Reason == pastDeadline:
		run.Failure = store.Failure{Code: store.RestoreOverdue, Facts: store.Facts{Doing: run.doing()}}
	case run.Job.Failed:
		run.Failure = run.failure()
	}
	return run
}

// doing is the container that the run has come to.
func (r restoreRun) doing() string {
	if name := r.at(); name != "" {
		return name
	}
	return "repository"
}

// atWork reports whether a container has begun to load. How long that takes is for the Job to bound.
func (r restoreRun) atWork() bool { return r.at() != "" }

// failure is why the containers did not get to their end.
func (r restoreRun) failure() store.Failure {
	pod := r.newest()
	for _, c := range pod.Containers {
		switch {
		case c.State.Kind != "terminated" || c.State.ExitCode == 0:
		case c.State.Reason == outOfMemory:
			return memoryShort(pod, c)
		case c.State.ExitCode == wrongPassword:
			return store.Failure{Code: store.RepositoryForeign}
		case c.State.ExitCode == pointNewer:
			return store.Failure{Code: store.PointNewer, Facts: store.Facts{Quote: lastLine(c.State.Message)}}
		case c.State.ExitCode == noRepository, strings.Contains(c.State.Message, noSnapshot):
			return store.Failure{Code: store.PointGone}
		default:
			return restoreFailed(c.Name, c.State.ExitCode, lastLine(c.State.Message))
		}
	}
	text, code := reportOf(pod)
	return restoreFailed(r.doing(), code, text)
}

func restoreFailed(doing string, code int32, quote string) store.Failure {
	return store.Failure{Code: store.RestoreStepFailed, Facts: store.Facts{Doing: doing, ExitCode: code, Quote: quote}}
}

// loadData has the data loaded before the setup, which finds a shop then. What is left of another run is cleared
// away first, and is seen to be gone: its pods may still write. A setup that is suspended while there is nothing
// to load, as after a rollback to a release that was made for loading, is resumed.
func loadData(st store.Store, o observed) (action, bool) {
	run, setup := o.Restore, setupJob(o.Snapshot)
	loading := store.Note{Code: store.DataLoading, Facts: store.Facts{Doing: run.doing()}}
	switch {
	case !st.Origin.Pending() && setup.Suspended && !o.Resumed:
		return action{Do: resumeSetup, Step: store.StepWorkloads}, true
	case !st.Origin.Pending() && setup.Suspended:
		return action{Do: wait, Step: store.StepWorkloads, Note: store.Note{Code: store.ChangesComing}, Outcome: podsStarted(o)}, true
	case !st.Origin.Pending():
		return action{}, false
	case len(run.Others) > 0:
		return action{Do: clearRestores, Step: store.StepData}, true
	case run.Failure.Code != "":
		return action{Do: failRestore, Step: store.StepData, Failure: run.Failure}, true
	case run.Granted && run.Job.Succeeded:
		return action{Do: recordData, Step: store.StepData}, true
	case !run.Granted && run.Remains == "":
		return action{Do: createRestore, Step: store.StepData}, true
	default:
		return action{Do: wait, Step: store.StepData, Note: loading}, true
	}
}

func (w *worker) observeRestore(ctx context.Context, conn *connection, o *observed) (err error) {
	o.Resumed = w.settled.resumed
	if !w.claim.Store.Origin.Pending() {
		return nil
	}
	o.Restore = restoreOf(o.Snapshot, w.claim.Store.Job.ID)
	w.observeGrant(&o.Restore.pointRun)
	if o.Restore.Job.Succeeded || o.Restore.Failure.Code != "" {
		return nil
	}
	stuck, hopeless := o.Restore.stuck()
	switch {
	case w.remains(o.Restore.pointRun):
		o.Restore.Failure = restoreFailed("repository", 0, "the pod "+o.Restore.Remains+" of an earlier try is still being deleted")
	case w.loading.during(hopeless) >= hopelessFor:
		o.Restore.Failure = stuck
	case w.unloaded.during(o.Restore.Job.LacksPods()) >= backupPatience:
		w.unloaded = condition{} // the events are not read at every turn
		o.Restore.Failure, err = w.refusalOf(ctx, conn, o.Restore.Job)
	}
	return err
}

func (w *worker) clearRestores(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	return store.Note{}, w.deleteJobs(ctx, conn, o.Restore.Others)
}

// restoreError ends the loading of a restore point with a failure.
type restoreError struct{ failure store.Failure }

// Error implements error.
func (e *restoreError) Error() string {
	return "the data can’t be restored: " + string(e.failure.Code)
}

// createRestore begins the run, or gives one that another holder has begun what it may lack.
func (w *worker) createRestore(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	st := w.claim.Store
	point, repository, err := w.db.OriginRepository(ctx, w.claim)
	switch {
	case errors.Is(err, store.ErrSealed):
		return store.Note{}, &restoreError{store.Failure{Code: store.TargetSealed, Facts: store.Facts{Name: repository.Target.Name}}}
	case store.ErrorCode(err) == store.NotFound:
		return store.Note{}, &restoreError{store.Failure{Code: store.PointGone}}
	case err != nil:
		return store.Note{}, err
	}
	if made, here := point.Manifest.Version, w.engine.Version(o.Release.Values); !w.engine.Opens(made, here) {
		return store.Note{}, &restoreError{store.Failure{Code: store.PointNewer, Facts: store.Facts{Quote: fmt.Sprintf("%s %s, and this store has %s", w.engine.Label(), made, here)}}}
	}
	run, err := newPointRun(kube.RestoreTemplate, st.Job, repository)
	if err != nil {
		return store.Note{}, err
	}
	run.Point = point.ID
	run.Secret["database-snapshot"], run.Secret["files-snapshot"] = []byte(point.Manifest.Database.Snapshot), []byte(point.Manifest.Files.Snapshot)
	run.Secret["old-url"] = []byte(st.Origin.URL)
	has, err := conn.kube.CreatePointRun(ctx, w.owner(), run)
	if err == nil && !has {
		err = &restoreError{store.Failure{Code: store.RestoreUnsupported, Facts: store.Facts{Chart: st.ChartVersion}}}
	}
	w.settled.granted, w.settled.data = err == nil, point.Manifest
	return store.Note{}, err
}

// recordData records that the data are there.
func (w *worker) recordData(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	st, err := w.db.RecordData(ctx, w.claim, o.Release.Claims)
	if err != nil {
		return store.Note{}, err
	}
	w.hold(st)
	w.clearAfter(ctx, conn, o.Restore.pointRun)
	if w.settled.data.Simulated {
		return store.Note{Code: store.DataSimulated}, nil
	}
	return store.Note{Code: store.DataLoaded, Facts: store.Facts{Bytes: w.settled.data.Bytes()}}, nil
}

// failRestore records why the data could not be loaded.
func (w *worker) failRestore(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	failure := o.Restore.Failure
	if failure.Code == store.RepositoryForeign || failure.Code == store.PointGone {
		if _, repository, err := w.db.OriginRepository(ctx, w.claim); err == nil {
			failure.Facts.Name = repository.Target.Name
		}
	}
	if _, err := w.giveUp(ctx, failure); err != nil {
		return store.Note{}, err
	}
	w.clearAfter(ctx, conn, o.Restore.pointRun)
	return store.Note{}, nil
}

func (w *worker) resumeSetup(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	err := conn.kube.ResumeJob(ctx, w.claim.Store.Namespace, setupJob(o.Snapshot).Name)
	w.settled.resumed = err == nil
	return store.Note{}, err
}
