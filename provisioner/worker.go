package provisioner

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
)

// lookAgain bounds how long a wait trusts the watches to tell of every change.
const lookAgain = 5 * time.Second

// worker brings one claimed store to where it should be: observe, decide, act, again.
type worker struct {
	*Provisioner
	mu     sync.Mutex // guards claim and worked against the renewal
	claim  store.Claim
	engine engine.Engine
	log    *slog.Logger

	settled settled
	claimed string // the id of the store's own job when this one was claimed
	job     string // the id of the job that settled, the plan and the fields below are about
	plan    store.Plan
	outcome store.Note    // what the present step came to
	said    store.Note    // the last note of the present step
	boundAt time.Time     // when the account was last given its rights in the namespace
	worked  time.Duration // on this job, while the cluster could be reached
	conditions
	failures int    // in a row, for the pause between tries
	trouble  string // the last error that may pass
}

// conditions are what a worker has seen hold during this job.
type conditions struct {
	hopeless  condition // a failure is in sight
	podless   condition // something lacks pods
	remaining condition // pods of an earlier backup or restore are still there
	vanished  condition // the Job that was made for one isn’t there
	loading   condition // what loads the data can’t be started
	unloaded  condition // it lacks a pod
	crowded   condition // the quota is full
	unseen    condition // the watch does not show the check
	locked    condition // others keep beginning actions on the release
	misled    condition // the address gives wrong answers
	behind    condition // the watches do not show what was applied
	noticing  condition // the maintenance page is waited for
	emptying  condition // the namespace is waited for to get empty
	shopping  condition // the check is waited for
}

// run works until the store is where it should be, needs a person, or is no longer ours.
func (w *worker) run(ctx context.Context) error {
	held := holdLease(ctx, w.claim.From)
	var renewing sync.WaitGroup
	renewing.Go(func() { held.keep(w.renew) })
	defer func() { held.end(nil); renewing.Wait() }()
	w.claimed = w.claim.Store.Job.ID
	for {
		done, err := w.turn(held)
		if done || held.Err() != nil {
			return context.Cause(held)
		}
		if err != nil && kindOf(w.claim.Job.Kind).recover(w, held, err) {
			return context.Cause(held)
		}
		if w.isRefused() {
			return w.putOff(ctx)
		}
	}
}

const (
	triesInARow = 12              // of a removal that the cluster does not let pass, before others have their turn
	putOffFor   = 2 * time.Minute // until it is tried again
)

// isRefused reports whether a removal gets no further. Unlike other work it never fails, and would
// keep its place from others for ever.
func (w *worker) isRefused() bool {
	return w.claim.Job.Kind == store.RemoveJob && w.failures >= triesInARow && w.cluster.connection() != nil
}

func (w *worker) putOff(ctx context.Context) error {
	w.log.Warn("the deletion is postponed", "step", w.claim.Job.Step, "for", w.putOffFor)
	return w.db.PutOff(ctx, w.claim, w.putOffFor)
}

// turn is one round. It waits for the cluster first, which is not working time, and gives up when
// that takes long: the next holder of the claim continues from the recorded step.
func (w *worker) turn(ctx context.Context) (done bool, err error) {
	conn, err := w.cluster.waitAtMost(ctx, w.giveBack)
	if conn == nil || err != nil {
		return err == nil, err
	}
	updates := w.subscribe(conn)
	defer updates.cancel()
	if err := w.reload(ctx); err != nil {
		return false, err
	}
	kind := kindOf(w.claim.Job.Kind)
	if !kind.wanted(w, w.claim.Store) {
		return w.abandon(ctx, conn)
	}
	began := time.Now()
	var o observed
	defer func() {
		if !o.Restore.atWork() { // a large shop takes long, and the steps after it have their time
			w.addWork(time.Since(began))
		}
	}()
	if o, err = w.observe(ctx, conn); err != nil {
		return false, err
	}
	a := kind.next(w.claim.Store, o)
	if a.Do == wait && kind.judge != nil {
		if a, err = kind.judge(w, ctx, conn, o, a); err != nil {
			return false, err
		}
	}
	done, err = w.act(ctx, conn, o, a)
	if err == nil && a.Do == wait {
		updates.wait(ctx, w.lookAgain)
	}
	return done, err
}

// abandon ends the work on a job that the store no longer needs.
func (w *worker) abandon(ctx context.Context, conn *connection) (done bool, err error) {
	if abandon := kindOf(w.claim.Job.Kind).abandon; abandon != nil {
		err = abandon(w, ctx, conn)
	}
	return err == nil, err
}

// reload reads what people want now. Another job starts with a clean slate.
func (w *worker) reload(ctx context.Context) error {
	st, err := w.db.UnguardedStore(ctx, w.claim.Store.ID)
	if err != nil {
		return err
	}
	claim := w.claim.On(st)
	if claim.Job.ID != w.job {
		if w.plan, err = w.db.UnguardedPlan(ctx, st.Plan); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claim = claim
	if claim.Job.ID != w.job {
		w.job, w.worked, w.settled = claim.Job.ID, claim.Job.Worked, settled{}
		w.said, w.outcome, w.conditions = store.Note{}, store.Note{}, conditions{}
	}
	return nil
}

// lockedOut reports whether others have kept us from the release for so long that it must be
// told. What an earlier holder left is unlocked, and does not come back.
func (w *worker) lockedOut(err error) (f store.Failure, out bool) {
	locked, ok := errors.AsType[*helm.LockedError](err)
	if w.locked.during(ok) < patience {
		return store.Failure{}, false
	}
	return releaseLocked(locked), true
}

// outdated reports whether an error says that the record is not as it was read. If that is
// not because people want something else now, the claim is lost: looking again would find the
// same until the next renewal tells.
func (w *worker) outdated(held *lease, err error) bool {
	if !errors.Is(err, store.ErrStale) {
		return false
	}
	w.settled = settled{}
	if st, unread := w.db.UnguardedStore(held, w.claim.Store.ID); unread == nil && st.Job.ID == w.job {
		held.lose(err)
	}
	return true
}

// recover decides what an error means: look again, try again after a pause, or give up. What comes
// next is seen in the next turn.
func (w *worker) recover(ctx *lease, err error) (done bool) {
	failure, final := finalFailure(w.claim.Store, err)
	if locked, out := w.lockedOut(err); out {
		failure, final = locked, true
	}
	switch {
	case w.outdated(ctx, err):
		return false
	case errors.Is(err, kube.ErrForeign): // the next turn reads it
		w.settled = settled{}
		return false
	case final && w.getsRights(ctx, err):
		return false
	case final && w.claim.Store.Desired == store.Present:
		w.log.Warn("not retrying", "step", w.claim.Store.Job.Step, "error", err)
		err = w.giveUpOver(ctx, err, failure)
		if err == nil || w.outdated(ctx, err) {
			return false
		}
	case w.worked > w.timeout && w.claim.Store.Desired == store.Present:
		_, err = w.giveUp(ctx, timedOut(w.worked, store.Quote(w.trouble), kube.Snapshot{}), helm.LogOf(err)...)
		if err == nil || w.outdated(ctx, err) {
			return false
		}
	}
	w.trouble = firstLine(err)
	w.settled = settled{}
	w.log.Warn("retrying", "step", w.claim.Store.Job.Step, "error", err)
	w.cluster.doubt(ctx)
	w.failures++
	w.tell(ctx, err, final)
	w.pause(ctx, err)
	return false
}

// giveUpOver records a failure that an error has caused. A revision that the cluster turned out not
// to have is no way back any more.
func (w *worker) giveUpOver(ctx context.Context, err error, f store.Failure) error {
	if errors.Is(err, helm.ErrNoRevision) {
		if err := w.db.ForgetRevision(ctx, w.claim, w.claim.Store.Job.Change.To); err != nil {
			return err
		}
	}
	_, err = w.giveUp(ctx, f, helm.LogOf(err)...)
	return err
}

// pause waits before the next try, or until something else is wanted. That counts as work, or a
// store that can never get through would be tried for ever. It does not while the cluster or the
// database is away: no store fails because of that.
func (w *worker) pause(ctx context.Context, err error) {
	began := time.Now()
	wanted, cancel := w.requests.Subscribe(w.claim.Store.ID)
	defer cancel()
	if st, unread := w.db.UnguardedStore(ctx, w.claim.Store.ID); unread == nil && st.Job.ID != w.job {
		return
	}
	timer := time.NewTimer(w.backoff(w.failures))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-wanted:
	case <-timer.C:
	}
	if w.cluster.connection() != nil && store.ErrorCode(err) != store.Unavailable {
		w.addWork(time.Since(began))
	}
}

// backoff is the pause after so many tries in a row have failed.
func backoff(failures int) time.Duration {
	return min(time.Second<<min(failures, 6), 30*time.Second) / 2
}

// tell shows from the second try on why the work is retried. An unreachable cluster or database is shown once
// for all stores.
func (w *worker) tell(ctx context.Context, err error, refused bool) {
	if w.failures < 2 || w.claim.Store.Job.Step == "" || w.cluster.connection() == nil {
		return
	}
	why := store.Note{Code: store.Retrying, Facts: store.Facts{Quote: firstLine(err)}}
	if refused {
		why.Code = store.RetryingDenied
	}
	if err := w.advance(ctx, action{Step: w.claim.Store.Job.Step, Note: why}); err != nil {
		w.log.Warn("the reason for the retry can’t be recorded", "error", err)
	}
}

// updates tell that something may have changed since they were subscribed to.
type updates struct {
	changed, wanted, linked <-chan struct{}
	cancel                  func()
}

// subscribe comes before looking, so that nothing is missed of what happens meanwhile.
func (w *worker) subscribe(conn *connection) updates {
	changed, cancel := conn.watcher.Subscribe(w.claim.Store.Namespace)
	wanted, stop := w.requests.Subscribe(w.claim.Store.ID)
	linked, unlink := w.cluster.changed.Subscribe(clusterKey)
	return updates{changed, wanted, linked, func() { cancel(); stop(); unlink() }}
}

// wait returns at the first update, or after so long.
func (u updates) wait(ctx context.Context, atMost time.Duration) {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-u.changed:
	case <-u.wanted:
	case <-u.linked:
	case <-timer.C:
	}
}

// renew prolongs the lease, and writes down the time worked.
func (w *worker) renew(ctx context.Context) error {
	w.mu.Lock()
	claim, worked := w.claim, w.worked
	w.mu.Unlock()
	return w.db.Renew(ctx, claim, leaseTime, worked)
}

func (w *worker) addWork(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.worked += d
}

func (w *worker) owner() kube.Owner { return ownerOf(w.claim.Store) }

func ownerOf(st store.Store) kube.Owner {
	return kube.Owner{Namespace: st.Namespace, StoreID: st.ID}
}
