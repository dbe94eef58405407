package provisioner

import (
	"reflect"
	"testing"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

func TestNextOfBackup(t *testing.T) {
	t.Parallel()
	job := kube.Job{Name: "backup-a"}
	failed := store.Failure{Code: store.BackupOverdue}
	for name, c := range map[string]struct {
		run  backupRun
		want action
	}{
		"nothing":           {backupRun{Step: store.StepRepository}, action{Do: createBackup, Step: store.StepRepository}},
		"another one":       {backupRun{pointRun: pointRun{Others: []string{"backup-b"}, Job: job}, Done: true}, action{Do: clearBackups}},
		"another's pod":     {backupRun{pointRun: pointRun{Remains: "backup-b-x"}, Step: store.StepRepository}, action{Do: wait, Step: store.StepRepository}},
		"done beside it":    {backupRun{pointRun: pointRun{Job: job, Remains: "backup-b-x"}, Step: store.StepManifest, Done: true}, action{Do: recordPoint, Step: store.StepManifest}},
		"of another holder": {backupRun{pointRun: pointRun{Job: job}, Step: store.StepFiles}, action{Do: createBackup, Step: store.StepFiles}},
		"at work":           {backupRun{pointRun: pointRun{Job: job, Granted: true}, Step: store.StepDatabase}, action{Do: wait, Step: store.StepDatabase}},
		"done":              {backupRun{pointRun: pointRun{Job: job}, Step: store.StepManifest, Done: true}, action{Do: recordPoint, Step: store.StepManifest}},
		"failed":            {backupRun{pointRun: pointRun{Job: job, Granted: true}, Step: store.StepFiles, Failure: failed}, action{Do: failBackup, Step: store.StepFiles}},
	} {
		if got := nextBackup(store.Store{}, observed{Backup: c.run}); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// ended is a container that has ended with that code and message.
func ended(name string, init bool, code int32, message string) kube.Container {
	return kube.Container{Name: name, Init: init, State: kube.State{Kind: "terminated", ExitCode: code, Message: message}}
}

func TestBackupIsReadFromItsJobAndPods(t *testing.T) {
	t.Parallel()
	const whole = `{"database":{"snapshot_id":"a","total_bytes_processed":5,"data_added_packed":3,"total_duration":1.5},"files":{"snapshot_id":"b","total_files_processed":2},"manifest":{"snapshot_id":"c"},"locked_tables":1,"contents":{"orders":7,"products":3,"customers":0}}`
	now := time.Now()
	pod := func(age time.Duration, over bool, containers ...kube.Container) kube.Pod {
		return kube.Pod{Component: backupComponent, Run: "point", Ended: over, CreatedAt: now.Add(-age), Containers: containers}
	}
	job := func(j kube.Job) kube.Job { j.Name, j.Component, j.Run = "backup-a", backupComponent, "point"; return j }
	const cleaned = `,"cleanup":{"forgotten":true,"pruned":false,"failed":"exit code 1: Fatal"}}`
	with := func(report, more string) string { return report[:len(report)-1] + more }
	running := kube.Container{Name: "files", Init: true, State: kube.State{Kind: "running"}}
	waiting := kube.Container{Name: "manifest", State: kube.State{Kind: "waiting"}}
	done := store.Manifest{
		Database: store.Part{Snapshot: "a", Bytes: 5, Added: 3, Took: 1500 * time.Millisecond}, Files: store.Part{Snapshot: "b", Files: 2}, Snapshot: "c", LockedTables: 1,
		Contents: store.Contents{Counted: true, Orders: 7, Products: 3},
	}
	for name, c := range map[string]struct {
		job  kube.Job
		pods []kube.Pod
		step store.Step
		done bool
		want store.Manifest
		fail store.Failure
		rest store.CleanupResult
	}{
		"not begun":    {job: job(kube.Job{}), step: store.StepRepository},
		"at the files": {job: job(kube.Job{}), pods: []kube.Pod{pod(0, false, ended("database", true, 0, ""), running, waiting)}, step: store.StepFiles},
		"second try":   {job: job(kube.Job{}), pods: []kube.Pod{pod(0, false, running), pod(time.Minute, true, ended("manifest", false, 1, ""))}, step: store.StepFiles},
		"done":         {job: job(kube.Job{Succeeded: true}), pods: []kube.Pod{pod(0, true, ended("manifest", false, 0, whole))}, step: store.StepManifest, done: true, want: done, rest: store.CleanupResult{Failed: "it was killed"}},
		"cleaned up": {job: job(kube.Job{}), pods: []kube.Pod{pod(0, true, ended("manifest", false, 0, with(whole, cleaned)))}, step: store.StepManifest, done: true, want: done,
			rest: store.CleanupResult{Forgotten: true, Failed: "exit code 1: Fatal"}},
		"killed while it cleaned up": {job: job(kube.Job{}), pods: []kube.Pod{pod(0, false, running), pod(time.Minute, true, ended("manifest", false, 137, whole))}, step: store.StepFiles,
			done: true, want: done, rest: store.CleanupResult{Failed: "it was killed"}},
		"killed before it was done": {job: job(kube.Job{Failed: true}), pods: []kube.Pod{pod(0, true, ended("manifest", false, 137, "{}"))}, step: store.StepManifest, fail: stepFailed(store.StepManifest, 137, "{}")},
		"simulated":                 {job: job(kube.Job{Succeeded: true}), pods: []kube.Pod{pod(0, true, ended("manifest", false, 0, `{"simulated":true}`))}, step: store.StepManifest, done: true, want: store.Manifest{Simulated: true}, rest: store.CleanupResult{Forgotten: true}},
		"pod not ended":             {job: job(kube.Job{Succeeded: true}), pods: []kube.Pod{pod(0, false, running)}, step: store.StepFiles},
		"no result":                 {job: job(kube.Job{Succeeded: true}), pods: []kube.Pod{pod(0, true, ended("manifest", false, 0, "{}"))}, step: store.StepManifest, fail: stepFailed(store.StepManifest, 0, "no result was reported")},
		"foreign":                   {job: job(kube.Job{Failed: true}), pods: []kube.Pod{pod(0, true, ended("repository", true, 12, "Fatal: wrong password"), waiting)}, step: store.StepRepository, fail: store.Failure{Code: store.RepositoryForeign}},
		"dump failed":               {job: job(kube.Job{Failed: true}), pods: []kube.Pod{pod(0, true, ended("repository", true, 0, ""), ended("database", true, 1, "a\nGot error\n"))}, step: store.StepDatabase, fail: stepFailed(store.StepDatabase, 1, "Got error")},
		"overdue":                   {job: job(kube.Job{Failed: true, Reason: "DeadlineExceeded"}), step: store.StepRepository, fail: store.Failure{Code: store.BackupOverdue, Facts: store.Facts{Doing: "repository"}}},
	} {
		got := backupOf(kube.Snapshot{Jobs: []kube.Job{c.job, {Name: "setup-1"}, {Name: "backup-old", Component: backupComponent, Run: "other"}, {Name: "restore-old", Component: restoreComponent, Run: "other"}}, Pods: append(c.pods, kube.Pod{Name: "wordpress"}, kube.Pod{Name: "backup-old-x", Component: backupComponent, Run: "other", Leaving: true}, kube.Pod{Name: "backup-old-y", Component: backupComponent, Run: "other", Ended: true})}, "point")
		if got.Step != c.step || got.Done != c.done || !reflect.DeepEqual(got.Failure, c.fail) || c.done && got.Manifest != c.want || got.Cleanup != c.rest || len(got.Others) != 1 || got.Remains != "backup-old-x" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
