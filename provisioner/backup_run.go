package provisioner

import (
	"cmp"
	"encoding/json"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// backupComponent is the component label of the pods that make a restore point.
const backupComponent = "backup"

// wrongPassword is restic's exit code for a password that doesn't open the repository. See
// https://restic.readthedocs.io/en/v0.18.1/075_scripting.html#exit-codes.
const wrongPassword = 12

// pastDeadline is Kubernetes' reason for a Job that took too long.
const pastDeadline = "DeadlineExceeded"

// backupRun is the progress of a backup.
type backupRun struct {
	pointRun
	Step     store.Step
	Done     bool
	Manifest store.Manifest      // once it is done
	Cleanup  store.CleanupResult // likewise
	Failure  store.Failure       // once it has failed
}

// backupOf finds the backup that the job makes.
func backupOf(s kube.Snapshot, job string) backupRun {
	run := backupRun{pointRun: pointRunOf(s, backupComponent, job)}
	run.read()
	return run
}

// read takes from the newest pod how far the backup is, and from the Job whether it has ended. A Job that
// has reached its deadline has no pods any more. A pod with a result has made the point, also when it was
// killed while it cleaned up.
func (r *backupRun) read() {
	pod := r.newest()
	r.Step = store.Step(cmp.Or(r.at(), string(store.StepRepository)))
	for _, p := range r.pods {
		if said, whole := reportedBy(p); whole && p.Ended {
			r.Manifest, r.Cleanup, r.Done = said.manifest(), said.cleanup(), true
			return
		}
	}
	switch {
	case r.Job.Succeeded && pod.Ended:
		r.Failure = stepFailed(store.StepManifest, 0, "no result was reported")
	case r.Job.Failed && r.Job.Reason == pastDeadline:
		r.Failure = store.Failure{Code: store.BackupOverdue, Facts: store.Facts{Doing: string(r.Step)}}
	case r.Job.Failed:
		r.Failure = failureOfBackup(pod)
	}
}

// backupReport is what the last container leaves as its termination message, in one line of JSON.
type backupReport struct {
	Repository string       `json:"repository"`
	Simulated  bool         `json:"simulated"`
	Database   resticReport `json:"database"`
	Files      resticReport `json:"files"`
	Manifest   resticReport `json:"manifest"`
	Locked     int          `json:"locked_tables"`
	// Contents is missing if they could not be counted.
	Contents *struct {
		Orders    int `json:"orders"`
		Products  int `json:"products"`
		Customers int `json:"customers"`
	} `json:"contents"`
	// Cleanup is missing if the container was killed during it.
	Cleanup *struct {
		Forgotten bool   `json:"forgotten"`
		Pruned    bool   `json:"pruned"`
		Failed    string `json:"failed"`
	} `json:"cleanup"`
}

func (r backupReport) manifest() store.Manifest {
	m := store.Manifest{
		Repository: r.Repository, Simulated: r.Simulated, LockedTables: r.Locked, Database: r.Database.part(), Files: r.Files.part(), Snapshot: r.Manifest.Snapshot,
	}
	if c := r.Contents; c != nil {
		m.Contents = store.Contents{Counted: true, Orders: c.Orders, Products: c.Products, Customers: c.Customers}
	}
	return m
}

// cleanup is what came of it. Simulated points have no snapshots that could stay.
func (r backupReport) cleanup() store.CleanupResult {
	switch {
	case r.Simulated:
		return store.CleanupResult{Forgotten: true}
	case r.Cleanup == nil:
		return store.CleanupResult{Failed: "it was killed"}
	}
	return store.CleanupResult(*r.Cleanup)
}

// resticReport is the summary of restic backup --json.
type resticReport struct {
	Snapshot string  `json:"snapshot_id"`
	Files    int64   `json:"total_files_processed"`
	Bytes    int64   `json:"total_bytes_processed"`
	Added    int64   `json:"data_added_packed"`
	Seconds  float64 `json:"total_duration"`
}

func (r resticReport) part() store.Part {
	return store.Part{Snapshot: r.Snapshot, Files: r.Files, Bytes: r.Bytes, Added: r.Added, Took: time.Duration(r.Seconds * float64(time.Second)).Round(time.Millisecond)}
}

// reportedBy reads what the pod reports. whole is false if it names not all snapshots.
func reportedBy(pod kube.Pod) (said backupReport, whole bool) {
	text, _ := reportOf(pod)
	err := json.Unmarshal([]byte(text), &said)
	return said, err == nil && said.manifest().Whole()
}

// failureOfBackup is why the pod's containers did not get to their end.
func failureOfBackup(pod kube.Pod) store.Failure {
	for _, c := range pod.Containers {
		if c.State.Kind != "terminated" || c.State.ExitCode == 0 {
			continue
		}
		if c.State.Reason == outOfMemory {
			return memoryShort(pod, c)
		}
		if c.State.ExitCode == wrongPassword {
			return store.Failure{Code: store.RepositoryForeign}
		}
		return stepFailed(store.Step(c.Name), c.State.ExitCode, lastLine(c.State.Message))
	}
	text, code := reportOf(pod)
	return stepFailed(store.StepRepository, code, text)
}

func stepFailed(step store.Step, code int32, quote string) store.Failure {
	return store.Failure{Code: store.BackupStepFailed, Facts: store.Facts{Doing: string(step), ExitCode: code, Quote: quote}}
}
