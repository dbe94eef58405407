package provisioner

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

const (
	checkAgain   = 5 * time.Minute // after one that failed
	checkTimeout = 6 * time.Minute
)

// How a check ends.
const (
	restoreRelease verb = "restore release"
	recordCheck    verb = "record check"
)

// checking shops in a store that is ready, and asks its public address. What cannot be checked now
// stays due.
func checking() kind {
	return kind{
		wanted: (*worker).wantsCheck, observe: (*worker).observeCheck, next: nextCheck, acts: saleActs(),
		ends:    map[verb]act{restoreRelease: (*worker).restoreRelease, recordCheck: (*worker).recordCheck},
		recover: (*worker).recoverCheck,
	}
}

// nextCheck lets a customer in once, and asks the address whatever came of that.
func nextCheck(_ store.Store, o observed) action {
	switch {
	case o.Release.Status == helm.None: // nobody can shop without the check that is kept with the release
		return action{Do: restoreRelease}
	case len(o.Notices) > 0 && ReadyPods(o.Snapshot) == "": // a failed change has left the page, and customers need it no more
		return action{Do: takeNotice}
	case !o.Untested && o.Check.Attempt == 0:
		return action{Do: createCheck}
	case !o.Untested && !o.Check.Done && o.Shopping < checkTimeout:
		return action{Do: wait}
	case o.Address.Outcome == store.NotAsked:
		return action{Do: askAddress}
	default:
		return action{Do: recordCheck}
	}
}

// resultOfCheck is what the customer and the address came to.
func resultOfCheck(o observed) store.Check {
	check := o.Check.Result
	switch {
	case o.Untested:
		check = store.Check{OK: true, Note: store.Note{Code: store.NoCheck}}
	case !o.Check.Done:
		check = store.Check{Failed: store.AtCheck, Note: store.Note{Code: store.CheckUnfinished, Facts: store.Facts{After: checkTimeout}}}
	}
	check.Address = o.Address
	if check.OK && check.Address.Outcome == store.WrongAnswer {
		check.OK, check.Failed, check.Note = false, store.AtAddress, check.Address.Note
	}
	return check
}

// wantsCheck reports whether the store can still be checked, and is what it was when the check was
// claimed.
func (w *worker) wantsCheck(st store.Store) bool {
	return st.CanCheck() && st.Job.ID == w.claimed
}

func (w *worker) observeCheck(ctx context.Context, conn *connection, o *observed) error {
	w.observeNotice(o, o.Snapshot)
	w.observeRun(o, runOfCheck(w.claim.Job))
	o.Shopping = w.shopping.during(o.Check.Attempt > 0 && !o.Check.Done)
	if w.settled.namespace.Phase == "" {
		state, err := conn.kube.Namespace(ctx, w.owner())
		if err != nil {
			return err
		}
		if state.Phase == kube.Missing {
			return errNoNamespace
		}
		w.settled.namespace = state
	}
	if w.settled.release.Status == helm.None {
		release, err := conn.helm.Release(ctx, w.claim.Store.Namespace, releaseName)
		if err != nil {
			return err
		}
		w.settled.release = release
	}
	o.Release = w.settled.release
	return nil
}

// runOfCheck names the run of a check. One that is to place an order is another one than that which
// it takes the place of.
func runOfCheck(j store.Job) string {
	if j.Place {
		return runOfJob(j) + "o"
	}
	return runOfJob(j)
}

// restoreRelease has the store repaired, which ends with an order, in place of being checked.
func (w *worker) restoreRelease(ctx context.Context, _ *connection, _ observed) (store.Note, error) {
	return store.Note{}, w.db.UnguardedRepairMissing(ctx, w.claim.Store.ID, store.Note{Code: store.ReleaseMissing})
}

func (w *worker) recordCheck(ctx context.Context, conn *connection, o observed) (store.Note, error) {
	check := resultOfCheck(o)
	if !check.OK {
		check.Cause = w.causeOf(ctx, conn)
		w.log.Warn("the order check failed", "at", check.Failed, "message", phrase.Why(check), "cause", phrase.Failure(check.Cause).Cause)
	}
	_, err := w.db.RecordCheck(ctx, w.claim, check, w.nextAfter(conn, check))
	return store.Note{}, err
}

// recoverCheck decides what an error of a check means: another turn, a failed check, or that it
// cannot be made now.
func (w *worker) recoverCheck(ctx *lease, err error) (done bool) {
	switch {
	case errors.Is(err, store.ErrStale): // something else is wanted of the store, or others have claimed it
		return true
	case terminal(err) && w.getsRights(ctx, err):
		return false
	case terminal(err):
		if err = w.failCheck(ctx, store.Quote(firstLine(err))); err == nil {
			return true
		}
	}
	w.log.Warn("the order check can’t run", "error", err)
	w.cluster.doubt(ctx)
	_ = sleep(ctx, pingEvery) // the next to claim it would meet the same
	return true
}

// failCheck records a check that failed before anybody could shop.
func (w *worker) failCheck(ctx context.Context, why store.Note) error {
	_, err := w.db.RecordCheck(ctx, w.claim, store.Check{Failed: store.AtCheck, Note: why}, w.untilCheck(false))
	return err
}

// untilCheck is how long until a shop is checked again: not all at the same time. It is zero
// for never.
func (p *Provisioner) untilCheck(ok bool) time.Duration {
	if p.checkEvery == 0 {
		return 0
	}
	if !ok {
		return min(checkAgain, p.checkEvery)
	}
	return p.checkEvery - p.checkEvery/10 + rand.N(p.checkEvery/5+1) //nolint:gosec // nobody gains by guessing it
}
