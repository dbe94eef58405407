package provisioner

import (
	"context"
	"errors"
	"slices"
	"time"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// maintenanceComponent is the component label of the pod that answers customers while a change restarts
// the shop.
const maintenanceComponent = "maintenance"

// maintenancePatience is how long a change waits for that pod before it goes on without it. A node
// without room for the page must not keep a shop from its upgrade.
const maintenancePatience = 20 * time.Second

// notice is the state of the maintenance page.
type notice string

const (
	noticeDue    notice = ""       // nobody has put it up yet
	noticeComing notice = "coming" // its pod is not ready
	noticeUp     notice = "up"
	noticeNone   notice = "none" // not needed, not in the chart, or not ready in time
)

// nextNotice puts the maintenance page up before the release of a shop changes. due is false when
// nothing is to be done about it.
func nextNotice(st store.Store, o observed) (a action, due bool) {
	changes := st.Job.Change.OfOpenShop() || st.Job.Change.Kind == store.Repair
	if !changes || o.Release.Status == helm.None || o.Release.Change == st.Job.ID {
		return action{}, false
	}
	switch o.Notice {
	case noticeDue:
		return action{Do: showNotice, Step: store.StepRelease}, true
	case noticeComing:
		return action{Do: wait, Step: store.StepRelease, Note: store.Note{Code: store.MaintenanceComing}}, true
	default:
		return action{}, false
	}
}

// observeNotice looks for the pods of the maintenance page among all of the namespace.
func (w *worker) observeNotice(o *observed, s kube.Snapshot) {
	o.Notices = noticePods(s)
	o.Notices = slices.DeleteFunc(o.Notices, func(p kube.Pod) bool { return slices.Contains(w.settled.taken, p.UID) })
	up := slices.ContainsFunc(o.Notices, func(p kube.Pod) bool { return p.Ready == p.Want })
	waited := w.settled.notice == noticeComing && w.noticing.during(!up) >= maintenancePatience
	switch {
	case up:
		o.Notice = noticeUp
	case waited:
		o.Notice = noticeNone
	default:
		o.Notice = w.settled.notice
	}
}

// noticePods are those that show the maintenance page, and are not on their way out.
func noticePods(s kube.Snapshot) []kube.Pod {
	return slices.DeleteFunc(slices.Clone(s.Pods), func(p kube.Pod) bool {
		return p.Component != maintenanceComponent || p.Leaving
	})
}

// showNotice puts the page up if the change restarts the pods that answer customers. If the cluster
// refuses the page's pod, because the quota is full for example, the change goes on without it.
func (w *worker) showNotice(ctx context.Context, conn *connection, _ observed) (store.Note, error) {
	away, err := w.takesAway(ctx, conn)
	if err != nil {
		return store.Note{}, err
	}
	w.settled.notice = noticeNone
	if !away {
		return store.Note{}, nil
	}
	has, err := conn.kube.ShowMaintenance(ctx, w.owner(), runOfJob(w.claim.Store.Job))
	switch {
	case err != nil && terminal(err):
		w.log.Warn("the maintenance page can’t be shown", "error", err)
		return store.Note{}, nil
	case err == nil && has:
		w.settled.notice = noticeComing
	}
	return store.Note{}, err
}

// takesAway reports whether the change stops the pods that answer customers before new ones start. It
// reports false when the release cannot be rendered: applying it fails with the same reason.
func (w *worker) takesAway(ctx context.Context, conn *connection) (bool, error) {
	request, err := w.releaseRequest()
	if err != nil {
		return false, err
	}
	before, err := conn.helm.State(ctx, request.Namespace, request.Name, 0)
	if err != nil {
		return false, unlessUntold(err)
	}
	after, err := conn.helm.Preview(ctx, request)
	if err != nil {
		return false, unlessUntold(err)
	}
	was, err := objectsOf(before.Manifest)
	if err != nil {
		return false, err
	}
	is, err := objectsOf(after.Manifest)
	return slices.ContainsFunc(replaced(was, is), answersCustomers), err
}

func unlessUntold(err error) error {
	if _, refused := errors.AsType[*helm.RefusalError](err); refused || errors.Is(err, helm.ErrNoRevision) {
		return nil
	}
	return err
}

// labelServes is on the pods that a shop's Service sends customers to.
const labelServes = "shopwright.dev/serves"

func answersCustomers(workload object) bool {
	labels := field(field(field(field(workload, "spec"), "template"), "metadata"), "labels")
	return labels[labelServes] != nil
}

func (w *worker) takeNotices(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	return store.Note{}, w.takeNotice(ctx, conn, o.Notices)
}

// takeNotice takes the maintenance page down.
func (w *worker) takeNotice(ctx context.Context, conn *connection, pods []kube.Pod) error {
	var names []string
	for _, pod := range pods {
		names = append(names, pod.Name)
		w.settled.taken = append(w.settled.taken, pod.UID)
	}
	return conn.kube.DeletePods(ctx, w.claim.Store.Namespace, names)
}

// reopen takes down the page that a failed change has left, once the shop's pods are ready. Until then
// customers see the page instead of an error.
func (w *worker) reopen(ctx context.Context, conn *connection) error {
	s := conn.watcher.Snapshot(w.claim.Store.Namespace)
	if ReadyPods(s) != "" {
		return nil
	}
	return w.takeNotice(ctx, conn, noticePods(s))
}
