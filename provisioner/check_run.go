package provisioner

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// checkComponent is the component label of the pod that shops as a customer would.
const checkComponent = "check"

// checkAttempts is how often a new shop may fail its check: the first customer finds
// everything cold.
const checkAttempts = 2

// placeOrder is the variable by which a check is told to place an order, or to stop before.
const placeOrder = "CHECK_PLACE_ORDER"

// checkRun is the progress of a run of the check. Each attempt has its own pod, so that another
// process can continue the run.
type checkRun struct {
	Name    string
	Attempt int // the newest; zero when there is none
	Done    bool
	Result  store.Check // once it is done
}

// runOfJob names the run of a check by the random end of the job's id, since dashes separate the
// run from the attempt.
func runOfJob(j store.Job) string { return j.ID[strings.LastIndex(j.ID, "-")+1:] }

// runOf finds the run among the store's pods.
func runOf(s kube.Snapshot, name string) checkRun {
	run := checkRun{Name: name}
	for _, pod := range s.Pods {
		of, attempt, _ := strings.Cut(pod.Check, "-")
		n, err := strconv.Atoi(attempt)
		if of != name || err != nil || n <= run.Attempt {
			continue
		}
		run.Attempt, run.Done = n, pod.Ended
		if pod.Ended {
			run.Result = resultOf(pod)
		}
	}
	return run
}

func (r checkRun) key(attempt int) string { return fmt.Sprintf("%s-%d", r.Name, attempt) }

// failed reports whether the newest attempt has come to nothing.
func (r checkRun) failed() bool { return r.Done && !r.Result.OK }

// report is what a check leaves as its termination message, in one line of JSON.
type report struct {
	OK        bool   `json:"ok"`
	Simulated bool   `json:"simulated"`
	Closed    bool   `json:"closed"`
	Order     string `json:"order"`
	Failed    string `json:"failed"`
	Message   string `json:"message"`
	Steps     []struct {
		Name string `json:"name"`
		MS   int64  `json:"ms"`
	} `json:"steps"`
}

func resultOf(pod kube.Pod) store.Check {
	if limit, killed := killedForMemory(pod); killed {
		return store.Check{Failed: store.AtCheck, Note: store.Note{Code: store.CheckOutOfMemory, Facts: store.Facts{Limit: limit}}}
	}
	text, code := reportOf(pod)
	var said report
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		return store.Check{Failed: store.AtCheck, Note: store.Quote(text)}
	}
	check := store.Check{
		OK: (said.OK || said.Simulated) && code == 0, Simulated: said.Simulated, Closed: said.Closed,
		Order: said.Order, Failed: said.Failed,
	}
	if said.Message != "" {
		check.Note = store.Quote(said.Message)
	}
	for _, step := range said.Steps {
		check.Steps = append(check.Steps, store.CheckStep{Name: step.Name, Took: time.Duration(step.MS) * time.Millisecond})
	}
	return check
}

// killedForMemory reports whether the pod's container took more memory than its limit.
func killedForMemory(pod kube.Pod) (limit string, killed bool) {
	for _, c := range pod.Containers {
		if c.State.Kind == "terminated" && !c.Init && c.State.Reason == outOfMemory {
			return c.MemoryLimit, true
		}
	}
	return "", false
}

// reportOf is what the pod's container has left, or what Kubernetes says of its end.
func reportOf(pod kube.Pod) (text string, code int32) {
	for _, c := range pod.Containers {
		if c.State.Kind == "terminated" && !c.Init {
			return cmp.Or(c.State.Message, pod.Message, c.State.Reason), c.State.ExitCode
		}
	}
	return cmp.Or(pod.Message, pod.Phase), 1
}

// createCheck begins the next attempt of the job's run.
func (w *worker) createCheck(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	if w.settled.release.Test == "" {
		w.settled.untested = true
		return store.Note{Code: store.NoCheck}, nil
	}
	attempt := o.Check.Attempt + 1
	err := w.beginCheck(ctx, conn, o.Snapshot, kube.CheckRun{
		Manifest: w.settled.release.Test, Key: o.Check.key(attempt), Env: map[string]string{placeOrder: strconv.FormatBool(w.placesOrder())},
	})
	if err == nil {
		w.settled.attempt = attempt
	}
	return store.Note{}, err
}

// placesOrder reports whether the customer buys something. A store is not ready before one has.
func (w *worker) placesOrder() bool {
	return w.claim.Job.Kind != store.CheckJob || w.claim.Job.Place
}

// observeRun finds the job's run, as far as the watches show what this holder has begun.
func (w *worker) observeRun(o *observed, name string) {
	o.Check, o.Untested, o.Address = runOf(o.Snapshot, name), w.settled.untested, w.settled.address
	unseen := o.Check.Attempt < w.settled.attempt
	switch {
	case w.unseen.during(unseen) >= patience: // somebody has removed it
		w.settled.attempt = 0
	case unseen:
		o.Check = checkRun{Name: o.Check.Name, Attempt: w.settled.attempt}
	}
}

// beginCheck makes room for a run and makes its pod.
func (w *worker) beginCheck(ctx context.Context, conn *connection, s kube.Snapshot, run kube.CheckRun) error {
	if err := conn.kube.DeletePods(ctx, w.claim.Store.Namespace, checkPods(s, run.Key)); err != nil {
		return err
	}
	return conn.kube.CreateCheck(ctx, w.owner(), run)
}

// checkPods are those of every run but one.
func checkPods(s kube.Snapshot, but string) (names []string) {
	for _, pod := range s.Pods {
		if pod.Check != "" && pod.Check != but {
			names = append(names, pod.Name)
		}
	}
	return names
}

// isShop tells pods of the shop from those that do something once.
func isShop(p kube.Pod) bool {
	return !slices.Contains([]string{setupComponent, checkComponent, backupComponent, restoreComponent}, p.Component)
}

func shopPods(s kube.Snapshot) []kube.Pod {
	return slices.DeleteFunc(slices.Clone(s.Pods), func(p kube.Pod) bool { return !isShop(p) })
}

func checkFailed(c store.Check) store.Failure {
	return store.Failure{Code: store.OrderFailed, Facts: store.Facts{Doing: c.Failed}, Note: c.Note}
}
