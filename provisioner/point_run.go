package provisioner

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// pointRun is the progress of a Job that makes a restore point or loads one.
type pointRun struct {
	Job     kube.Job // no name when there is none yet
	Others  []string // Jobs of earlier runs
	Remains string   // a pod of an earlier run, or of a Job that was deleted, which may still write; empty for none
	Granted bool     // this holder has seen that the Job has what it needs
	pods    []kube.Pod
}

// pointRunOf finds the run of that job of ours among those of the component.
func pointRunOf(s kube.Snapshot, component, id string) pointRun {
	var run pointRun
	for _, job := range s.Jobs {
		switch {
		case job.Component != component || job.Run == "":
		case job.Run == id:
			run.Job = job
		default:
			run.Others = append(run.Others, job.Name)
		}
	}
	for _, pod := range s.Pods {
		switch {
		case pod.Component != component || pod.Run == "":
		case pod.Run == id && !pod.Leaving:
			run.pods = append(run.pods, pod)
		case !pod.Ended:
			run.Remains = pod.Name
		}
	}
	slices.SortStableFunc(run.pods, func(a, b kube.Pod) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return run
}

// newest is the pod of the last try.
func (r pointRun) newest() (pod kube.Pod) {
	if len(r.pods) > 0 {
		pod = r.pods[len(r.pods)-1]
	}
	return pod
}

// at is the name of the container that the newest pod has come to; empty before the first one.
func (r pointRun) at() (name string) {
	for _, c := range r.newest().Containers {
		if c.State.Kind == "running" || c.State.Kind == "terminated" {
			name = c.Name
		}
	}
	return name
}

// observeGrant notes whether this holder has seen that the Job has what it needs, and that it has to be made again if
// somebody has deleted it.
func (w *worker) observeGrant(run *pointRun) {
	run.Granted = w.settled.granted
	if w.vanished.during(run.Granted && run.Job.Name == "") >= patience {
		run.Granted, w.settled.granted = false, false
	}
}

// remains reports whether the next run has waited too long for the pods of another one to go.
func (w *worker) remains(run pointRun) bool {
	return w.remaining.during(!run.Granted && run.Remains != "") >= backupPatience
}

// stuck finds what keeps the pods from starting.
func (r pointRun) stuck() (store.Failure, bool) { return hopeless(kube.Snapshot{Pods: r.pods}) }

// refusalOf looks for the reason why a Job has no pod.
func (w *worker) refusalOf(ctx context.Context, conn *connection, job kube.Job) (f store.Failure, err error) {
	events, err := conn.kube.Events(ctx, w.claim.Store.Namespace)
	if err != nil {
		return store.Failure{}, err
	}
	for _, e := range events {
		if e.Warning && e.Reason == "FailedCreate" && e.Object == "job/"+job.Name && !endsByItself(e.Message) {
			f = podsRefused(e)
		}
	}
	return f, nil
}

func (w *worker) deleteJobs(ctx context.Context, conn *connection, names []string) error {
	for _, name := range names {
		if err := conn.kube.DeleteJob(ctx, w.claim.Store.Namespace, name); err != nil {
			return err
		}
	}
	return nil
}

// clearAfter deletes the Job of a run that has ended, and its Secret with it. One that stays is deleted by
// Kubernetes an hour later, or by the next run.
func (w *worker) clearAfter(ctx context.Context, conn *connection, run pointRun) {
	if run.Job.Name == "" {
		return
	}
	if err := w.deleteJobs(ctx, conn, []string{run.Job.Name}); err != nil {
		w.log.Warn("the Job stays for now", "job", run.Job.Name, "error", err)
	}
}

// newPointRun is a run with what opens the repository: the files are those that the charts' scripts read.
func newPointRun(template string, job store.Job, r store.Repository) (kube.PointRun, error) {
	endpoint, err := url.Parse(r.Target.Endpoint)
	if err != nil {
		return kube.PointRun{}, fmt.Errorf("read the endpoint of backup target %s: %w", r.Target.Name, err)
	}
	lookup := "auto"
	if r.Target.PathStyle {
		lookup = "path"
	}
	credentials := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", r.Target.KeyID, r.Target.Secret)
	return kube.PointRun{
		Template: template, ID: job.ID, Key: runOfJob(job), Host: endpoint.Hostname(),
		Secret: map[string][]byte{
			"repository": []byte(r.URL()), "password": []byte(r.Password), "credentials": []byte(credentials), "region": []byte(r.Target.Region),
			"lookup": []byte(lookup), "ca.crt": []byte(r.Target.CA),
		},
	}, nil
}

// withoutPointRuns is a namespace without the pods of backups and of restoring, which say nothing about the shop.
func withoutPointRuns(s kube.Snapshot) kube.Snapshot {
	s.Pods = slices.DeleteFunc(slices.Clone(s.Pods), func(p kube.Pod) bool {
		return p.Component == backupComponent || p.Component == restoreComponent
	})
	return s
}
