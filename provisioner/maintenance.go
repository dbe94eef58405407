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

// maintenanceComponent is the component label of the pod that answers customers while a change has
// taken the shop away.
const maintenanceComponent = "maintenance"

// maintenancePatience is how long a change waits for that pod before it goes on without: where the
// node has no room for it, a shop that must be changed is more important.
const maintenancePatience = 20 * time.Second

// notice is whether customers are told that the shop is away.
type notice string

const (
	noticeDue    notice = ""       // nobody has put it up yet
	noticeComing notice = "coming" // its pod is not ready
	noticeUp     notice = "up"
	noticeNone   notice = "none" // the shop stays, the chart has none, or its pod does not get ready
)

// nextNotice puts the maintenance page up before the release of a shop changes. due is false when
// nothing is to be done about it.
func nextNotice(st store.Store, o observed) (a action, due bool) {
	changes := st.Change.OfOpenShop() || st.Change.Kind == store.Repair
	if !changes || o.Release.Status == helm.None || o.Release.Change == st.Change.ID {
		return action{}, false
	}
	switch o.Notice {
	case noticeDue:
		return action{Do: showNotice, Step: store.StepRelease}, true
	case noticeComing:
		return action{Do: wait, Step: store.StepRelease, Message: "Putting up the maintenance page"}, true
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

// showNotice puts the page up where the change takes away what customers reach. A cluster that refuses
// its pod, for want of room in the quota say, is no reason to leave the shop as it is.
func (w *worker) showNotice(ctx context.Context, conn *connection) error {
	away, err := w.takesAway(ctx, conn)
	if err != nil {
		return err
	}
	w.settled.notice = noticeNone
	if !away {
		return nil
	}
	has, err := conn.kube.ShowMaintenance(ctx, w.owner(), openingRun(w.claim.Store))
	switch {
	case err != nil && terminal(err):
		w.log.Warn("customers see no maintenance page", "error", err)
		return nil
	case err == nil && has:
		w.settled.notice = noticeComing
	}
	return err
}

// takesAway reports whether the pods that answer customers go before others come. What cannot be told,
// since the chart refuses or the revision is gone, is said by who applies it.
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

// takeNotice takes the maintenance page down, so that customers meet the shop only.
func (w *worker) takeNotice(ctx context.Context, conn *connection, pods []kube.Pod) error {
	var names []string
	for _, pod := range pods {
		names = append(names, pod.Name)
		w.settled.taken = append(w.settled.taken, pod.UID)
	}
	return conn.kube.DeletePods(ctx, w.claim.Store.Namespace, names)
}

// reopen takes down the page that a change has left which came to nothing, once the shop's pods are
// ready. Until then customers read a sentence in place of an error.
func (w *worker) reopen(ctx context.Context, conn *connection) error {
	s := conn.watcher.Snapshot(w.claim.Store.Namespace)
	if ReadyPods(s) != "" {
		return nil
	}
	return w.takeNotice(ctx, conn, noticePods(s))
}
