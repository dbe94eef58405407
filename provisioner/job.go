package provisioner

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// kind is how jobs of a kind are done: look, decide, act, and again.
type kind struct {
	// wanted reports whether the store, as it is now, still needs the job.
	wanted func(*worker, store.Store) bool
	// observe reads what next has to know beside what the watches show.
	observe func(*worker, context.Context, *connection, *observed) error
	// next decides what to do about a store. It is pure: the same store and the same observation give
	// the same action.
	next func(store.Store, observed) action
	// judge turns a wait that has no prospect into a failure; nil where none does.
	judge func(*worker, context.Context, *connection, observed, action) (action, error)
	// acts do what next decides, one by one. Each may be done twice.
	acts map[verb]act
	// ends are acts that record what became of the job.
	ends map[verb]act
	// abandon takes back what is under way of a job that the store no longer needs; nil where nothing is.
	abandon func(*worker, context.Context, *connection) error
	// recover decides what an error means. done is true when nothing is left to do for this holder.
	recover func(w *worker, held *lease, err error) (done bool)
}

// kindOf is the registry of kinds.
func kindOf(k store.JobKind) kind {
	switch k {
	case store.OpenJob, store.DrillJob:
		return opening()
	case store.ChangeJob:
		return changing()
	case store.RemoveJob:
		return removing()
	case store.CheckJob:
		return checking()
	case store.BackupJob:
		return backingUp()
	default:
		panic("no kind of job " + string(k))
	}
}

// wantsWork reports whether there is work on the store itself.
func (*worker) wantsWork(st store.Store) bool { return st.Wanted() }

// act does one thing and says what came of it.
type act func(*worker, context.Context, *connection, observed) (came store.Note, err error)

// verb is one thing that can be done about a store.
type verb string

// What is done in every kind of job. The others are beside what does them.
const (
	wait verb = "wait"
	pass verb = "pass" // a step at which there is nothing to wait for any more
	fail verb = "fail"
)

// action is what to do next, and the step of which it is a part.
type action struct {
	Do      verb
	Step    store.Step
	Note    store.Note    // what a person should know while it waits
	Outcome store.Note    // what the step comes to once there is nothing to wait for any more
	Failure store.Failure // when it fails
}

// stage is a part of the work. due is false when nothing is left to do in it.
type stage func(store.Store, observed) (a action, due bool)

// inOrder is the first action that is due, in stages of which the last always has one.
func inOrder(stages ...stage) func(store.Store, observed) action {
	return func(st store.Store, o observed) (a action) {
		for _, s := range stages {
			var due bool
			if a, due = s(st, o); due {
				break
			}
		}
		return a
	}
}

// observed is what the cluster says about one store.
type observed struct {
	Namespace   kube.NamespaceState
	Foreign     bool // a namespace of that name does not bear the store's id
	Unlabelled  bool // it holds the store's objects nevertheless
	Limits      bool
	Credentials bool
	Volumes     int  // claims that may hold data
	Cleared     bool // this holder has asked the claims to go
	Release     helm.Release
	Behind      bool          // the watches do not show yet what was applied
	Unmet       store.Failure // what is lacking for a release; no code when nothing is
	Applied     bool          // by this holder, for this job: what the watches do not show is on its way
	Reset       bool          // by this holder, for this job
	OldSetup    string        // UID of the setup job that was removed then
	Snapshot    kube.Snapshot
	Notice      notice     // whether customers are told that the shop is away
	Notices     []kube.Pod // that tell them
	Check       checkRun   // that opens the store
	Backup      backupRun
	Restore     restoreRun    // of a store whose data are still to be loaded
	Resumed     bool          // the setup, by this holder
	Untested    bool          // the engine has no check
	Address     store.Reached // the public address, as it was last asked
	Misled      time.Duration // how long it has given wrong answers
	Emptying    time.Duration // how long the namespace has been waited for to get empty
	Retained    []string      // persistent volumes that stay when their claims go
	Shopping    time.Duration // how long the check has been waited for
}

// act records where the work stands, then does the one thing that is to be done. What is to
// be waited for is left to the caller.
func (w *worker) act(ctx context.Context, conn *connection, o observed, a action) (done bool, err error) {
	k := kindOf(w.claim.Job.Kind)
	if end, ends := k.ends[a.Do]; ends {
		_, err := end(w, ctx, conn, o)
		return err == nil, err
	}
	if err := w.advance(ctx, a); err != nil {
		return false, err
	}
	switch a.Do {
	case fail:
		return w.giveUp(ctx, a.Failure)
	case wait, pass:
		w.failures = 0
		if a.Outcome.Code != "" {
			w.outcome = a.Outcome
		}
		return false, nil
	}
	do, known := k.acts[a.Do]
	if !known {
		return false, fmt.Errorf("no step %s in a job of the kind %s", a.Do, w.claim.Job.Kind)
	}
	outcome, err := do(w, ctx, conn, o)
	if err != nil {
		return false, err
	}
	w.outcome, w.failures = outcome, 0
	return false, nil
}

// advance records the step of the action, or what is new about it. A check shows no steps, and a backup
// has its own: the store stays ready meanwhile.
func (w *worker) advance(ctx context.Context, a action) error {
	st := w.claim.Store
	switch w.claim.Job.Kind {
	case store.CheckJob:
		return nil
	case store.BackupJob:
		return w.advanceBackup(ctx, a.Step)
	}
	if a.Step == st.Job.Step && (a.Note.Code == "" || reflect.DeepEqual(a.Note, w.said)) {
		return nil
	}
	progress := store.Progress{Step: a.Step, Finished: w.outcome, Note: a.Note}
	st, err := w.db.Advance(ctx, w.claim, progress)
	if err != nil {
		return err
	}
	if a.Step != w.claim.Store.Job.Step {
		w.outcome = store.Note{}
	}
	w.said = a.Note
	w.hold(st)
	return nil
}

func (w *worker) hold(st store.Store) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claim = w.claim.On(st)
}
