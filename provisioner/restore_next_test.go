package provisioner

import (
	"reflect"
	"testing"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

func TestNextOfRestoring(t *testing.T) {
	t.Parallel()
	pending := store.Store{Origin: store.Origin{Point: "point"}}
	loaded := store.Store{Origin: store.Origin{Point: "point", Loaded: time.Now()}}
	job := kube.Job{Name: "restore-a"}
	failed := store.Failure{Code: store.RestoreOverdue}
	suspended := kube.Snapshot{Jobs: []kube.Job{{Name: "setup-1", Component: setupComponent, Suspended: true}}}
	waiting := action{Do: wait, Step: store.StepData, Note: store.Note{Code: store.DataLoading, Facts: store.Facts{Doing: "repository"}}}
	for name, c := range map[string]struct {
		st   store.Store
		o    observed
		want action
	}{
		"nothing to load":   {store.Store{}, observed{}, action{}},
		"not begun":         {pending, observed{Snapshot: suspended}, action{Do: createRestore, Step: store.StepData}},
		"another try":       {pending, observed{Restore: restoreRun{pointRun: pointRun{Others: []string{"restore-b"}}}}, action{Do: clearRestores, Step: store.StepData}},
		"another's pod":     {pending, observed{Restore: restoreRun{pointRun: pointRun{Remains: "restore-b-x"}}}, waiting},
		"of another holder": {pending, observed{Restore: restoreRun{pointRun: pointRun{Job: job}}}, action{Do: createRestore, Step: store.StepData}},
		"at work":           {pending, observed{Restore: restoreRun{pointRun: pointRun{Job: job, Granted: true}}}, waiting},
		"failed":            {pending, observed{Restore: restoreRun{pointRun: pointRun{Job: job, Granted: true}, Failure: failed}}, action{Do: failRestore, Step: store.StepData, Failure: failed}},
		"done":              {pending, observed{Restore: restoreRun{pointRun: pointRun{Job: kube.Job{Name: "restore-a", Succeeded: true}, Granted: true}}}, action{Do: recordData, Step: store.StepData}},
		"loaded":            {loaded, observed{Snapshot: suspended}, action{Do: resumeSetup, Step: store.StepWorkloads}},
		"resumed":           {loaded, observed{Snapshot: suspended, Resumed: true}, action{Do: wait, Step: store.StepWorkloads, Note: store.Note{Code: store.ChangesComing}, Outcome: podsStarted(observed{})}},
		"at the setup":      {loaded, observed{}, action{}},
		"gone back":         {store.Store{}, observed{Snapshot: suspended}, action{Do: resumeSetup, Step: store.StepWorkloads}},
	} {
		got, due := loadData(c.st, c.o)
		if !reflect.DeepEqual(got, c.want) || due != (c.want.Do != "") {
			t.Errorf("%s: %+v, %t; want %+v", name, got, due, c.want)
		}
	}
}

func TestRestoreIsReadFromItsJobAndPods(t *testing.T) {
	t.Parallel()
	job := func(j kube.Job) kube.Job { j.Name, j.Component, j.Run = "restore-a", restoreComponent, "job"; return j }
	pod := func(containers ...kube.Container) kube.Pod {
		return kube.Pod{Component: restoreComponent, Run: "job", Ended: true, Containers: containers}
	}
	killed := ended("database", true, 137, "")
	killed.State.Reason, killed.MemoryLimit = outOfMemory, "512Mi"
	for name, c := range map[string]struct {
		job   kube.Job
		pods  []kube.Pod
		doing string
		want  store.Failure
	}{
		"not begun":     {job(kube.Job{}), nil, "repository", store.Failure{}},
		"at the files":  {job(kube.Job{}), []kube.Pod{pod(ended("repository", true, 0, ""), kube.Container{Name: "files", Init: true, State: kube.State{Kind: "running"}})}, "files", store.Failure{}},
		"done":          {job(kube.Job{Succeeded: true}), []kube.Pod{pod(ended("addresses", false, 0, ""))}, "addresses", store.Failure{}},
		"foreign":       {job(kube.Job{Failed: true}), []kube.Pod{pod(ended("repository", true, 12, "wrong password"))}, "repository", store.Failure{Code: store.RepositoryForeign}},
		"no repository": {job(kube.Job{Failed: true}), []kube.Pod{pod(ended("repository", true, 10, "Is there a repository?\nThe target has no repository of the store"))}, "repository", store.Failure{Code: store.PointGone}},
		"no snapshot":   {job(kube.Job{Failed: true}), []kube.Pod{pod(ended("repository", true, 1, `Fatal: could not find snapshot: no matching ID found for prefix "0"`))}, "repository", store.Failure{Code: store.PointGone}},
		"newer":         {job(kube.Job{Failed: true}), []kube.Pod{pod(ended("files", true, 65, "WordPress 7.0, and this store has 6.9\n"))}, "files", store.Failure{Code: store.PointNewer, Facts: store.Facts{Quote: "WordPress 7.0, and this store has 6.9"}}},
		"load failed":   {job(kube.Job{Failed: true}), []kube.Pod{pod(ended("files", true, 0, ""), ended("database", true, 1, "a\nERROR 1064\n"))}, "database", restoreFailed("database", 1, "ERROR 1064")},
		"out of memory": {job(kube.Job{Failed: true}), []kube.Pod{pod(killed)}, "database", store.Failure{Code: store.OutOfMemory, Facts: store.Facts{Container: "database", Limit: "512Mi"}}},
		"overdue":       {job(kube.Job{Failed: true, Reason: pastDeadline}), nil, "repository", store.Failure{Code: store.RestoreOverdue, Facts: store.Facts{Doing: "repository"}}},
	} {
		got := restoreOf(kube.Snapshot{Jobs: []kube.Job{c.job, {Name: "backup-a", Component: backupComponent, Run: "job"}, {Name: "restore-old", Component: restoreComponent, Run: "other"}}, Pods: c.pods}, "job")
		if got.doing() != c.doing || !reflect.DeepEqual(got.Failure, c.want) || !reflect.DeepEqual(got.Others, []string{"restore-old"}) || got.Job.Name != "restore-a" {
			t.Errorf("%s: %+v at %s, want %+v", name, got, got.doing(), c.want)
		}
	}
}

// A Job that somebody has deleted is made again, once its pods are gone.
func TestPodOfADeletedJobRemains(t *testing.T) {
	t.Parallel()
	leaving := kube.Pod{Name: "restore-a-x", Component: restoreComponent, Run: "job", Leaving: true}
	if run := pointRunOf(kube.Snapshot{Pods: []kube.Pod{leaving}}, restoreComponent, "job"); run.Remains != leaving.Name || len(run.pods) != 0 {
		t.Errorf("%+v", run)
	}
	w := &worker{settled: settled{granted: true}, conditions: conditions{vanished: condition{began: time.Now().Add(-time.Minute)}}}
	run := pointRun{Job: kube.Job{Name: "restore-a"}}
	if w.observeGrant(&run); !run.Granted {
		t.Error("a Job that is there is made again")
	}
	w.vanished.began = time.Now().Add(-time.Minute)
	run.Job.Name = ""
	if w.observeGrant(&run); run.Granted || w.settled.granted {
		t.Error("a Job that is gone is not made again")
	}
}

// A disk that goes after the data were loaded doesn't make an empty shop that is said to be restored.
func TestLoadedDataAreNotReplacedByNothing(t *testing.T) {
	t.Parallel()
	st := store.Store{Origin: store.Origin{Point: "point", Loaded: time.Now()}, Volumes: []string{"files"}}
	for name, o := range map[string]observed{
		"its disk":      {Namespace: kube.NamespaceState{Phase: kube.Active}},
		"its namespace": {Namespace: kube.NamespaceState{Phase: kube.Missing}},
	} {
		if got := opening().next(st, o); got.Do != fail || got.Failure.Code != store.DataLost {
			t.Errorf("without %s: %+v", name, got)
		}
	}
}

// Loading may take longer than a store otherwise has to open: its Job has a limit of its own.
func TestLoadingIsNotOverdue(t *testing.T) {
	t.Parallel()
	w := &worker{Provisioner: &Provisioner{timeout: time.Minute}, worked: time.Hour}
	want := action{Do: wait, Step: store.StepData}
	loading := kube.Pod{Containers: []kube.Container{{Name: "files", State: kube.State{Kind: "running"}}}}
	at := observed{Restore: restoreRun{pointRun: pointRun{pods: []kube.Pod{loading}}}}
	if got, err := w.judge(t.Context(), nil, at, want); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}
